/** WASI preview 1 for one module: the shim does the work; this bounds it, and puts time, chance and the end of a run under our rule. */
import { Fd, OpenFile, File, WASI, wasi } from '@bjorn3/browser_wasi_shim';
import type { Random } from '../../../../platform/index.ts';
import type { GuestOutput } from '../../../guest/engine.ts';
import type { GuestClock } from './clock.ts';
import { nameBytes } from './files.ts';
import type { GuestFiles } from './files.ts';

/** The run must end: it was asked to, or printed too much. */
export class RunOver extends Error {}

export interface WasiParts {
  readonly files: GuestFiles;
  /** What `.` is. */
  readonly directory: Fd;
  readonly output: GuestOutput;
  readonly clock: GuestClock;
  readonly random: Random;
  /** Whether the run was asked to stop. */
  readonly mustStop: () => boolean;
  readonly args: readonly string[];
  readonly environment: readonly (readonly [name: string, value: string])[];
  readonly stdin: Uint8Array;
  readonly outputBytes: number;
}

type Import = (...values: never[]) => unknown;
type Imports = Record<string, Import>;

/** As many parts as other systems take in one call. */
const mostVectors = 1024;
const mostOpenFiles = 1024;
const longestPath = 4096;
const mostSubscriptions = 64;
const subscriptionBytes = 48;
const eventBytes = 32;
const randomChunkBytes = 65_536;

/** Where a call has the lengths of its paths, and how many parts it reads or writes. */
const pathLengths: Readonly<Record<string, readonly number[]>> = {
  path_create_directory: [2],
  path_filestat_get: [3],
  path_filestat_set_times: [3],
  path_link: [3, 6],
  path_open: [3],
  path_readlink: [2],
  path_remove_directory: [2],
  path_rename: [2, 5],
  path_symlink: [1, 4],
  path_unlink_file: [2],
};
const vectorCalls: ReadonlySet<string> = new Set(['fd_read', 'fd_write', 'fd_pread', 'fd_pwrite']);

/** Bytes that were printed by a run, of both streams together. */
class PrintBudget {
  left: number;
  readonly output: GuestOutput;

  constructor(output: GuestOutput, leftBytes: number) {
    this.output = output;
    this.left = leftBytes;
  }
}

/** Standard output, or the error stream. */
class PrintStream extends Fd {
  readonly #stream: 'stdout' | 'stderr';
  readonly #budget: PrintBudget;
  // a character may come in several writes
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  constructor(stream: 'stdout' | 'stderr', budget: PrintBudget) {
    super();
    this.#stream = stream;
    this.#budget = budget;
  }

  override fd_fdstat_get(): ReturnType<Fd['fd_fdstat_get']> {
    const fdstat = new wasi.Fdstat(wasi.FILETYPE_CHARACTER_DEVICE, 0);
    fdstat.fs_rights_base = BigInt(wasi.RIGHTS_FD_WRITE);
    return { ret: wasi.ERRNO_SUCCESS, fdstat };
  }

  override fd_filestat_get(): ReturnType<Fd['fd_filestat_get']> {
    return { ret: wasi.ERRNO_SUCCESS, filestat: new wasi.Filestat(0n, wasi.FILETYPE_CHARACTER_DEVICE, 0n) };
  }

  override fd_write(data: Uint8Array): ReturnType<Fd['fd_write']> {
    const budget = this.#budget;
    const kept = data.subarray(0, Math.max(0, budget.left));
    budget.left -= data.length;
    budget.output.emit(this.#stream, this.#decoder.decode(kept, { stream: true }));
    if (budget.left < 0) {
      budget.output.exceed('outputBytes');
      throw new RunOver('it has printed more than it may');
    }
    return { ret: wasi.ERRNO_SUCCESS, nwritten: data.length };
  }

  /** What is left of a character that was not ended is marked; one that was cut by the budget is not. */
  end(): void {
    const { left, output } = this.#budget;
    const text = this.#decoder.decode();
    if (left >= 0 && text !== '') output.emit(this.#stream, text);
  }
}

export class WasiHost {
  /** What a module imports from `wasi_snapshot_preview1`. */
  readonly imports: WebAssembly.ModuleImports;
  readonly #parts: WasiParts;
  readonly #shim: WASI;
  readonly #streams: readonly PrintStream[];

  constructor(parts: WasiParts) {
    this.#parts = parts;
    const { files, args, environment, stdin, output, outputBytes } = parts;
    const budget = new PrintBudget(output, outputBytes);
    const streams = [new PrintStream('stdout', budget), new PrintStream('stderr', budget)];
    this.#streams = streams;
    const fds: Fd[] = [
      new OpenFile(new File(stdin)),
      ...streams,
      files.openRoot('/sandbox'),
      parts.directory,
    ];
    const texts = environment.map(([name, value]) => `${name}=${value}`);
    this.#shim = new WASI([...args], texts, fds, { debug: false });
    files.open = this.#shim.fds;
    this.imports = this.#guarded({
      ...(this.#shim.wasiImport as unknown as Imports),
      ...(this.#own() as unknown as Imports),
    });
  }

  /** The run is over: nothing more is printed. */
  endPrints(): void {
    for (const stream of this.#streams) stream.end();
  }

  /** The memory that pointers are meant in. */
  set memory(memory: WebAssembly.Memory) {
    this.#shim.inst = { exports: { memory } };
  }

  /** Every call looks first whether the run must end; and what would cost memory or time beyond the guest's own is refused. */
  #guarded(calls: Imports): WebAssembly.ModuleImports {
    const look = (): void => this.#look();
    const guard = (name: string, call: Import) => {
      return (...values: number[]): unknown => {
        look();
        const refusal = refuseCall(name, values);
        return refusal ?? (call as (...given: number[]) => unknown)(...values);
      };
    };
    return Object.fromEntries(
      Object.entries(calls).map(([name, call]) => [name, guard(name, call)] as const),
    );
  }

  #look(): void {
    if (this.#parts.mustStop()) throw new RunOver('it was asked to stop');
  }

  #view(): DataView {
    return new DataView(this.#shim.inst.exports.memory.buffer);
  }

  #own() {
    const { clock, random, files } = this.#parts;
    const shim = this.#shim;
    return {
      sched_yield: (): number => wasi.ERRNO_SUCCESS,
      clock_time_get: (id: number, _precision: bigint, at: number): number => {
        if (id < 0 || id > 3) return wasi.ERRNO_INVAL;
        this.#view().setBigUint64(at, id === wasi.CLOCKID_REALTIME ? clock.now() : clock.monotonic(), true);
        return wasi.ERRNO_SUCCESS;
      },
      random_get: (at: number, length: number): number => {
        const bytes = new Uint8Array(shim.inst.exports.memory.buffer, at, length);
        for (let start = 0; start < length; start += randomChunkBytes) {
          bytes.set(random.bytes(Math.min(randomChunkBytes, length - start)), start);
        }
        return wasi.ERRNO_SUCCESS;
      },
      path_open: (...values: readonly unknown[]): unknown => {
        if (shim.fds.filter(Boolean).length >= mostOpenFiles) return wasi.ERRNO_MFILE;
        return (shim.wasiImport['path_open'] as (...given: readonly unknown[]) => unknown)(...values);
      },
      path_rename: (...values: readonly number[]): unknown => {
        // while it has no name it could not be measured
        if (!files.takes(nameBytes(values[5] as number))) return wasi.ERRNO_NOSPC;
        return (shim.wasiImport['path_rename'] as (...given: readonly number[]) => unknown)(...values);
      },
      fd_close: (fd: number): unknown => {
        const answer = shim.wasiImport['fd_close']?.(fd);
        while (shim.fds.length > 0 && shim.fds.at(-1) === undefined) shim.fds.pop();
        return answer;
      },
      poll_oneoff: (from: number, to: number, count: number, counted: number): number =>
        this.#poll({ from, to, count, counted }),
      proc_raise: (): number => wasi.ERRNO_NOTSUP,
      sock_recv: (): number => wasi.ERRNO_NOTSUP,
      sock_send: (): number => wasi.ERRNO_NOTSUP,
      sock_shutdown: (): number => wasi.ERRNO_NOTSUP,
      sock_accept: (): number => wasi.ERRNO_NOTSUP,
    };
  }

  /** Files are always ready; of clocks the first one counts. */
  #poll({ from, to, count, counted }: Poll): number {
    if (count < 1 || count > mostSubscriptions) return wasi.ERRNO_INVAL;
    const view = this.#view();
    const subscriptions = Array.from({ length: count }, (_, index) =>
      this.#subscription(view, from + index * subscriptionBytes),
    );
    const least = subscriptions.reduce((first, next) => (next.waitNs < first.waitNs ? next : first));
    this.#parts.clock.sleep(least.waitNs, () => this.#look());
    const due = subscriptions.filter(({ waitNs }) => waitNs <= least.waitNs);
    due.forEach(({ userdata, type }, index) => {
      const at = to + index * eventBytes;
      new Uint8Array(view.buffer, at, eventBytes).fill(0);
      view.setBigUint64(at, userdata, true);
      view.setUint8(at + 10, type);
    });
    view.setUint32(counted, due.length, true);
    return wasi.ERRNO_SUCCESS;
  }

  #subscription(view: DataView, at: number): Subscription {
    const userdata = view.getBigUint64(at, true);
    const type = view.getUint8(at + 8);
    if (type !== wasi.EVENTTYPE_CLOCK) return { userdata, type, waitNs: 0n };
    const timeout = view.getBigUint64(at + 24, true);
    const isAbsolute = (view.getUint16(at + 40, true) & wasi.SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME) !== 0;
    if (!isAbsolute) return { userdata, type, waitNs: timeout };
    const { clock } = this.#parts;
    const isRealtime = view.getUint32(at + 16, true) === wasi.CLOCKID_REALTIME;
    const leftNs = timeout - (isRealtime ? clock.now() : clock.monotonic());
    return { userdata, type, waitNs: leftNs > 0n ? leftNs : 0n };
  }
}

interface Poll {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly counted: number;
}

interface Subscription {
  readonly userdata: bigint;
  readonly type: number;
  readonly waitNs: bigint;
}

/** An error number for what the shim would take without bound. Numbers come as signed ones. */
function refuseCall(name: string, values: readonly number[]): number | undefined {
  const lengths = pathLengths[name] ?? [];
  if (
    lengths.some((index) => !((values[index] as number) >= 0 && (values[index] as number) <= longestPath))
  ) {
    return wasi.ERRNO_NAMETOOLONG;
  }
  const vectors = vectorCalls.has(name) ? (values[2] as number) : 0;
  return vectors >= 0 && vectors <= mostVectors ? undefined : wasi.ERRNO_INVAL;
}
