/** One database in memory, with everything switched off that leads out of it or goes on for ever. */
import type { Database, Sqlite3Static } from '@sqlite.org/sqlite-wasm';
import { systemClock } from '../../../../platform/index.ts';
import type { GuestOutput } from '../../../guest/engine.ts';
import { isInterrupted } from '../../../guest/interrupt-flag.ts';

/** Why a run was stopped from inside. */
export type Over = 'time' | 'output' | 'stopped';

/** So many steps of SQLite's machine, some ten microseconds, pass between two looks at the clock. */
const stepsBetweenLooks = 1000;

/** Temporary tables in files would lie outside the memory. */
const deniedPragmas: ReadonlySet<string> = new Set([
  'temp_store',
  'temp_store_directory',
  'data_store_directory',
]);
/** The only places that may be attached: memory, and the nameless one that VACUUM uses. */
const attachable: ReadonlySet<unknown> = new Set([':memory:', '']);

export interface RunBounds {
  readonly endMs: number;
  readonly outputBytes: number;
}

const toText = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'bigint'
      ? String(value)
      : '';

export class SqlDatabase {
  readonly database: Database;
  readonly sqlite: Sqlite3Static;
  readonly #interrupt: SharedArrayBuffer | undefined;
  readonly #output: GuestOutput;
  #bounds: RunBounds = { endMs: Infinity, outputBytes: 0 };
  #printedBytes = 0;
  over: Over | undefined;

  constructor(sqlite: Sqlite3Static, interrupt: SharedArrayBuffer | undefined, output: GuestOutput) {
    this.sqlite = sqlite;
    this.#interrupt = interrupt;
    this.#output = output;
    this.database = new sqlite.oo1.DB(':memory:');
    this.#restrict();
    this.database.createFunction(
      'print',
      (_context: unknown, value: unknown) => this.#print(value) as never,
      {
        arity: 1,
      },
    );
  }

  begin(bounds: RunBounds): void {
    this.#bounds = bounds;
    this.#printedBytes = 0;
    this.over = undefined;
  }

  /** Where the last error is in the statement that could not be prepared, in bytes; -1 where that is not known. */
  get errorOffset(): number {
    return this.sqlite.capi.sqlite3_error_offset(this.database);
  }

  get message(): string {
    return this.sqlite.capi.sqlite3_errmsg(this.database);
  }

  /** Makes it what another one was. Throws when `bytes` are no database. */
  replace(bytes: Uint8Array): void {
    const { capi, wasm } = this.sqlite;
    const pointer = this.#pointer();
    const flags = capi.SQLITE_DESERIALIZE_FREEONCLOSE | capi.SQLITE_DESERIALIZE_RESIZEABLE;
    const place = wasm.allocFromTypedArray(bytes);
    // SQLite attaches it under the name of the old one, which nobody else may
    capi.sqlite3_set_authorizer(pointer, () => capi.SQLITE_OK, 0);
    const code = capi.sqlite3_deserialize(pointer, 'main', place, bytes.length, bytes.length, flags);
    this.#authorizeAll(pointer);
    if (code !== 0) throw new Error(`the database cannot be read: ${capi.sqlite3_js_rc_str(code)}`);
  }

  #pointer(): number {
    const { pointer } = this.database;
    if (pointer === undefined) throw new Error('the database did not open');
    return pointer as unknown as number;
  }

  #authorizeAll(pointer: number): void {
    const { capi } = this.sqlite;
    capi.sqlite3_set_authorizer(pointer, (_data, action, name) => this.#authorize(action, name), 0);
  }

  #restrict(): void {
    const { capi } = this.sqlite;
    const pointer = this.#pointer();
    this.#authorizeAll(pointer);
    capi.sqlite3_progress_handler(pointer, stepsBetweenLooks, () => (this.#mustEnd() ? 1 : 0), 0);
    capi.sqlite3_db_config(pointer, capi.SQLITE_DBCONFIG_DEFENSIVE, 1, 0);
  }

  #authorize(action: number, name: string | 0): number {
    const { capi } = this.sqlite;
    const isOutside = action === capi.SQLITE_ATTACH && !attachable.has(name);
    const isDenied = action === capi.SQLITE_PRAGMA && deniedPragmas.has(String(name).toLowerCase());
    return isOutside || isDenied ? capi.SQLITE_DENY : capi.SQLITE_OK;
  }

  #mustEnd(): boolean {
    if (this.#interrupt && isInterrupted(this.#interrupt)) this.over ??= 'stopped';
    if (systemClock.monotonic() >= this.#bounds.endMs) this.over ??= 'time';
    return this.over !== undefined;
  }

  /** The SQL function `print`: a line of text. */
  #print(value: unknown): null {
    const line = `${value instanceof Uint8Array ? new TextDecoder().decode(value) : toText(value)}\n`;
    const bytes = new TextEncoder().encode(line);
    const left = Math.max(0, this.#bounds.outputBytes - this.#printedBytes);
    this.#printedBytes += bytes.length;
    const kept =
      bytes.length > left ? new TextDecoder().decode(bytes.subarray(0, left), { stream: true }) : line;
    this.#output.emit('stdout', kept);
    if (bytes.length <= left) return null;
    this.over ??= 'output';
    this.#output.exceed('outputBytes');
    throw new Error('more was printed than may be');
  }
}
