/** Stands before the engine's compiler, for all that a guest of Python may load: machine code must not bring a memory that nobody bounds. */
import { ModuleFault } from '../../../guest/byte-reader.ts';
import { wasmHeaderBytes } from '../../../wasm-format.ts';
import { checkLibrary } from './check-library.ts';
import type { LibraryRules } from './check-library.ts';

export interface LibraryBounds extends LibraryRules {
  /** How many bytes of machine code may be loaded in all. */
  readonly codeBytes: number;
}

/** What any library is counted as, beside its bytes: its instance. */
const libraryBytes = 4096;
/** The first section of a library, which says how it is loaded; the loader's own wrappers of functions have none. */
const dylinkSection = 0;

type Compile = (source: unknown) => WebAssembly.Module;

/** Compiles what passes, of a copy that only this has. */
function boundedCompiler({ codeBytes, ...rules }: LibraryBounds): Compile {
  // taken now: a guest may change all of them later
  const { Module } = WebAssembly;
  const Bytes = Uint8Array;
  const shared = Object.getPrototypeOf(Bytes.prototype) as object;
  const { get } = Object.getOwnPropertyDescriptor(shared, 'length') as { get: () => number };
  const lengthOf = Function.prototype.call.bind(get) as (bytes: Uint8Array) => number;
  let leftBytes = codeBytes;
  return (source) => {
    // twice: of a buffer the first is no copy
    const bytes = new Bytes(new Bytes(source as ArrayBuffer));
    const sizeBytes = lengthOf(bytes);
    checkLibrary(bytes, sizeBytes, rules);
    if (bytes[wasmHeaderBytes] === dylinkSection) {
      leftBytes -= sizeBytes + libraryBytes;
      if (leftBytes < 0) {
        throw new ModuleFault('memory', `more than ${codeBytes} bytes of machine code cannot be loaded`);
      }
    }
    return new Module(bytes);
  };
}

/** Not even the engine looks at its prototype: a guest may have put something there. */
const sealed = <T extends object>(handler: T): T =>
  Object.freeze(Object.assign(Object.create(null) as T, handler));

/** Looks like `original`, and is made by `make`. */
function standIn<T extends abstract new (...args: never[]) => object>(
  original: T,
  make: (source: unknown) => object,
): T {
  const proxy = new Proxy(
    original,
    sealed({ construct: (_original: T, args: readonly unknown[]) => make(args[0]) }),
  );
  // who has one could go back to what made it
  Object.defineProperty(original.prototype, 'constructor', {
    value: proxy,
    writable: false,
    configurable: false,
  });
  return proxy;
}

/**
 * From here on no module is compiled in this worker that has a memory of its own; other memories and tables are not made at all. The last step of a
 * start: what a guest finds afterwards cannot be put back.
 */
export function guardLibraries(bounds: LibraryBounds): void {
  const compile = boundedCompiler(bounds);
  const { Instance } = WebAssembly;
  const refuse = (): never => {
    throw new ModuleFault('memory', 'a memory or table beside the interpreter’s is not made');
  };
  const replacements = {
    Module: standIn(WebAssembly.Module, compile),
    Memory: standIn(WebAssembly.Memory, refuse),
    Table: standIn(WebAssembly.Table, refuse),
    compile: async (source: unknown) => compile(source),
    instantiate: async (source: unknown, imports: WebAssembly.Imports) => {
      const module = compile(source);
      return { module, instance: new Instance(module, imports) };
    },
    compileStreaming: refuse,
    instantiateStreaming: refuse,
  };
  for (const [name, value] of Object.entries(replacements)) {
    Object.defineProperty(WebAssembly, name, { value, writable: false, configurable: false });
  }
}
