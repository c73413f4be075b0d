/** Starts Postgres from what was handed in: nothing is fetched, and nothing but its own memory keeps what it keeps. */
import { MemoryFS, PGlite } from '@electric-sql/pglite';
import type { PGliteOptions } from '@electric-sql/pglite';
import { limitFiles } from '../../../guest/file-quota.ts';
import type { FileSystem } from '../../../guest/file-quota.ts';
import { wasmPageBytes } from '../../../wasm-format.ts';
import type { TemplateFile } from './template.ts';
import { dropLog } from './write-ahead-log.ts';
import type { LogFiles, LogMemory } from './write-ahead-log.ts';

/** As it was built. */
const initialPages = 2048;
const dataFolder = '/pglite/data';

/** The part of PGlite's own module that a backend is driven by. */
export interface PostgresModule {
  readonly HEAPU8: Uint8Array;
  readonly FS: FileSystem &
    LogFiles & {
      mkdirTree(path: string, mode?: number): void;
      writeFile(path: string, bytes: Uint8Array): void;
    };
  readonly MEMFS: LogMemory;
  stackSave(): number;
  stackRestore(stack: number): void;
  addFunction(callback: (pointer: number, length: number) => number, signature: string): number;
  _pgl_set_rw_cbs(read: number, write: number): void;
  _PostgresMainLoopOnce(): void;
  _PostgresMainLongJmp(): void;
  _PostgresSendReadyForQueryIfNecessary(): void;
  _pgl_pq_flush(): void;
  _pq_buffer_remaining_data(): number;
}

/** Postgres, started and idle. */
export interface StartedPostgres {
  readonly module: PostgresModule;
  /** Whether the statement that runs is to end as soon as Postgres looks. */
  setCancel(isWanted: boolean): void;
}

export interface PostgresParts {
  readonly engine: WebAssembly.Module;
  /** Files that Postgres comes with. */
  readonly bundle: ArrayBuffer;
  /** A database that nobody has used. */
  readonly template: readonly TemplateFile[];
  readonly memoryBytes: number;
  /** What may be added to the files that are there at the start. */
  readonly fileBytes: number;
  /** Called between steps of a statement: whenever it asks for the time, or for files. */
  readonly look: () => void;
}

/** Calls of the system that long statements make again and again. */
const watched: ReadonlySet<string> = new Set([
  'clock_time_get',
  'emscripten_get_now',
  'emscripten_date_now',
  'fd_pread',
  'fd_pwrite',
  'fd_read',
  'fd_write',
  '__syscall_poll',
]);

type Call = (...given: readonly unknown[]) => unknown;

function watchCalls(imports: WebAssembly.Imports, look: () => void): WebAssembly.Imports {
  const watch = (call: Call): Call => {
    return (...given) => {
      look();
      return call(...given);
    };
  };
  return Object.fromEntries(
    Object.entries(imports).map(([space, members]) => [
      space,
      Object.fromEntries(
        Object.entries(members).map(([name, member]) =>
          watched.has(name) && typeof member === 'function' ? [name, watch(member as Call)] : [name, member],
        ),
      ),
    ]),
  );
}

interface LoaderOptions {
  wasmMemory?: WebAssembly.Memory;
  instantiateWasm?: (
    imports: WebAssembly.Imports,
    receive: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ) => object;
}

/** Keeps files in memory, and sets what PGlite itself gives no option for. */
class GuestFiles extends MemoryFS {
  readonly #parts: PostgresParts;
  readonly #fail: (error: unknown) => void;
  instance: WebAssembly.Instance | undefined;

  constructor(parts: PostgresParts, fail: (error: unknown) => void) {
    super();
    this.#parts = parts;
    this.#fail = fail;
  }

  override async init(pg: PGlite, given: object): ReturnType<MemoryFS['init']> {
    const { emscriptenOpts } = await super.init(pg, given);
    const { engine, memoryBytes, look } = this.#parts;
    const own: LoaderOptions = {
      wasmMemory: new WebAssembly.Memory({
        initial: initialPages,
        maximum: Math.floor(memoryBytes / wasmPageBytes),
      }),
      instantiateWasm: (imports, receive) => {
        WebAssembly.instantiate(engine, watchCalls(imports, look)).then((instance) => {
          this.instance = instance;
          receive(instance, engine);
          // PGlite would wait for ever
        }, this.#fail);
        return {};
      },
    };
    return { emscriptenOpts: { ...emscriptenOpts, ...own } as typeof emscriptenOpts };
  }

  /** The moment at which PGlite looks whether there is a database. */
  override async initialSyncFs(): Promise<void> {
    // PGlite types what emscripten gives it more narrowly than it is
    const { FS } = (this.pg as unknown as { Module: PostgresModule }).Module;
    // Postgres refuses a folder that others may read
    FS.mkdirTree(dataFolder, 0o700);
    for (const { path, content } of this.#parts.template) {
      if (path.endsWith('/')) FS.mkdirTree(`${dataFolder}/${path.slice(0, -1)}`);
      else FS.writeFile(`${dataFolder}/${path}`, content);
    }
  }
}

/** How a single backend runs whose files nobody reads after it. */
const settings: Readonly<Record<string, string>> = {
  search_path: 'public',
  exit_on_error: 'false',
  log_checkpoints: 'false',
  max_worker_processes: '0',
  max_parallel_workers: '0',
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  io_method: 'sync',
  wal_level: 'minimal',
  max_wal_senders: '0',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  min_wal_size: '2MB',
  max_wal_size: '2MB',
  // what an interpreter has of its own, which ends before Postgres' own count would
  max_stack_depth: '200kB',
  shared_buffers: '16MB',
};

const startParameters = [
  '--single',
  // no waiting for disks
  '-F',
  // no line end ends a statement
  '-j',
  ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
];

/** Starts it over a copy of the template. */
export async function startPostgres(parts: PostgresParts): Promise<StartedPostgres> {
  let fail: (error: unknown) => void = () => undefined;
  const failure = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  const files = new GuestFiles(parts, fail);
  const options = {
    fs: files,
    pgliteWasmModule: parts.engine,
    // never run: there is a database already
    initdbWasmModule: parts.engine,
    // all that PGlite calls of it: a real one would be one more copy
    fsBundle: { arrayBuffer: () => Promise.resolve(parts.bundle) } as unknown as Blob,
    startParams: startParameters,
  } satisfies PGliteOptions;
  const pg = new PGlite(options);
  await Promise.race([pg.waitReady, failure]);
  // whoever asks for a program gets none
  Object.assign(pg, { handleExternalCmd: () => 0 });
  // with the flags, the memory and the files, which its types leave out
  const module = pg.Module as unknown as PostgresModule;
  dropLog(module.FS, module.MEMFS, `${dataFolder}/pg_wal`);
  limitFiles(module.FS, module.MEMFS, parts.fileBytes);
  return { module, setCancel: cancelOf(module, files.instance as WebAssembly.Instance) };
}

/** Postgres' own flags, which a signal would set. */
function cancelOf(module: PostgresModule, { exports }: WebAssembly.Instance): (isWanted: boolean) => void {
  const flags = ['QueryCancelPending', 'InterruptPending'].map(
    (name) => (exports[name] as WebAssembly.Global).value as number,
  );
  return (isWanted) => {
    for (const flag of flags) module.HEAPU8[flag] = isWanted ? 1 : 0;
  };
}
