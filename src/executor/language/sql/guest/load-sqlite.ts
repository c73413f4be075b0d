/** Starts SQLite from a compiled module: nothing is fetched, and nothing but its own memory keeps what it keeps. */
import initSqlite from '@sqlite.org/sqlite-wasm';
import type { Sqlite3Static } from '@sqlite.org/sqlite-wasm';
import { wasmPageBytes } from '../../../wasm-format.ts';

/** As it was built. */
const initialPages = 128;

type Init = (options: object) => Promise<Sqlite3Static>;

/** Storage of the browser, which a guest does not have. */
const noStorage = { opfs: true, 'opfs-vfs': true, 'opfs-wl': true, 'opfs-sahpool': true, kvvfs: true };

/** @param memoryBytes what all databases of the worker may take, rounded down to pages */
export async function loadSqlite(module: WebAssembly.Module, memoryBytes: number): Promise<Sqlite3Static> {
  const silent = (): undefined => undefined;
  const messages = { warn: silent, error: silent, log: silent, debug: silent };
  Object.assign(globalThis, { sqlite3ApiConfig: { disable: { vfs: noStorage }, ...messages } });
  const wasmMemory = new WebAssembly.Memory({
    initial: initialPages,
    maximum: Math.floor(memoryBytes / wasmPageBytes),
  });
  return (initSqlite as unknown as Init)({
    wasmMemory,
    print: silent,
    printErr: silent,
    instantiateWasm(imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance) => void) {
      receive(new WebAssembly.Instance(module, imports));
      return {};
    },
  });
}
