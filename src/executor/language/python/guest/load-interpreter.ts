/** Starts Python from bytes that were handed in: nothing is fetched. */
import './prelude.ts';
import { loadPyodide, version } from 'pyodide';
import type { PyodideAPI, PyodideConfig } from 'pyodide';
import createPyodideModule from 'pyodide/pyodide.asm.mjs';
import type { GuestBoot } from '../../../sandbox/protocol.ts';
import type { PythonSignal } from '../../../guest/interrupt-flag.ts';
import { guestGlobals, stripGlobals } from '../../../guest/strip-globals.ts';
import { openHeapImage, writeHeapImage } from '../../../guest/heap-image.ts';
import type { HeapImage } from '../../../guest/heap-image.ts';
import { guardLibraries } from './guard-libraries.ts';

/** Never resolved: the stand-ins below answer for it. */
const nowhere = 'https://pyodide.invalid/';

/** What the loader wants to know about packages: there are none. */
const noPackages = {
  info: { abi_version: '2026_0', arch: 'wasm32', platform: 'emscripten_5_0_3', version, python: '3.14.2' },
  packages: {},
};

type Scope = { fetch: unknown };
type Instantiation = { instance: WebAssembly.Instance; module: WebAssembly.Module };

/** A module that wraps a function of any signature has fewer. */
const mostSignatureBytes = 128;

const wasmPageBytes = 65_536;

/** Made as large as the heap that will be written into it, within what the module's own bound allows. */
function growMemory(instance: WebAssembly.Instance, heapBytes: number): void {
  const memory = instance.exports['memory'] as WebAssembly.Memory;
  const missingBytes = heapBytes - memory.buffer.byteLength;
  if (missingBytes > 0) memory.grow(Math.ceil(missingBytes / wasmPageBytes));
}

/** What the loader asks for. */
interface LocalFiles {
  readonly module: WebAssembly.Module;
  readonly standardLibrary: ArrayBuffer;
  /** How large the memory must be. */
  readonly heapBytes: number;
}

/**
 * The loader wraps some hundred functions, each in a module of its own that says no more than its signature: those that say the same are compiled
 * once. It was a fifth of a start.
 */
function rememberModules(): typeof WebAssembly.Module {
  const known = new Map<string, WebAssembly.Module>();
  return new Proxy(WebAssembly.Module, {
    construct(compile, [source]: [BufferSource]) {
      if (!(source instanceof Uint8Array) || source.length > mostSignatureBytes) return new compile(source);
      const key = source.join();
      const module = known.get(key) ?? new compile(source);
      known.set(key, module);
      return module;
    },
  });
}

/** Answers the loader's two requests from memory, and puts the real functions back at the end. */
async function withLocalFiles<T>(
  { module, standardLibrary, heapBytes }: LocalFiles,
  work: () => Promise<T>,
): Promise<T> {
  // to be written to, which its type forbids
  const scope = globalThis as unknown as Scope;
  const { fetch: nativeFetch } = scope;
  const nativeInstantiate = WebAssembly.instantiateStreaming;
  const nativeModule = WebAssembly.Module;
  WebAssembly.Module = rememberModules();
  // as much of a response as is looked at: a real one would copy the bytes
  const response = { ok: true, arrayBuffer: () => Promise.resolve(standardLibrary) };
  scope.fetch = (url: unknown) => Promise.resolve(String(url).endsWith('.zip') ? response : undefined);
  // the loader would wait for ever for an instance that could not be made
  let fail: (error: unknown) => void = () => undefined;
  const failure = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  WebAssembly.instantiateStreaming = async (_source, imports): Promise<Instantiation> => {
    try {
      const instance = await WebAssembly.instantiate(module, imports);
      growMemory(instance, heapBytes);
      return { instance, module };
    } catch (error) {
      fail(error);
      throw error;
    }
  };
  try {
    return await Promise.race([work(), failure]);
  } finally {
    scope.fetch = nativeFetch;
    WebAssembly.instantiateStreaming = nativeInstantiate;
    WebAssembly.Module = nativeModule;
  }
}

/** The part of the loader's module that a restored one is made with. */
interface LoaderModule {
  readonly HEAPU8: Uint8Array;
  readonly FS: { writeFile(path: string, content: Uint8Array, options: { canOwn: boolean }): void };
  readonly API: { readonly pyVersionTuple: readonly [major: number, minor: number, micro: number] };
}

/** The loader's module with its heap already as it was; made before the loader looks at it. */
function createRestored(image: HeapImage, standardLibrary: ArrayBuffer): typeof createPyodideModule {
  return async (settings) => {
    const created = await createPyodideModule(settings);
    // Pyodide's types leave out what a heap is put back through
    const { FS, API, HEAPU8 } = created as unknown as LoaderModule;
    const [major, minor] = API.pyVersionTuple;
    // the loader itself would copy it, and nothing has looked into it yet
    FS.writeFile(`/lib/python${major}${minor}.zip`, new Uint8Array(standardLibrary), { canOwn: true });
    writeHeapImage(image, HEAPU8);
    return created;
  };
}

/** The loader's module, shown with the heap that it has before Python begins: as a restored one has it. */
export function whenUnused(see: (heap: Uint8Array) => void): typeof createPyodideModule {
  return (settings) => {
    // emscripten makes its module of the settings themselves
    const module = settings as unknown as LoaderModule & { onRuntimeInitialized?: () => void };
    module.onRuntimeInitialized = () => see(module.HEAPU8);
    return createPyodideModule(settings);
  };
}

/** Python without streams and interrupts, in a worker that still has its globals. */
export async function loadPython(boot: GuestBoot, options: PyodideConfig = {}): Promise<PyodideAPI> {
  const image = boot.snapshot instanceof ArrayBuffer ? openHeapImage(boot.snapshot) : undefined;
  const module = boot.assets['interpreter'] as WebAssembly.Module;
  const standardLibrary = boot.assets['standard-library'] as ArrayBuffer;
  const files = {
    module,
    standardLibrary: image ? new ArrayBuffer(0) : standardLibrary,
    heapBytes: image?.heapBytes ?? 0,
  };
  const python = await withLocalFiles(files, () =>
    loadPyodide({
      createPyodideModule: image ? createRestored(image, standardLibrary) : createPyodideModule,
      indexURL: nowhere,
      packageBaseUrl: nowhere,
      lockFileContents: noPackages as never,
      jsglobals: boot.settings.isStripped ? guestGlobals() : globalThis,
      env: { HOME: '/sandbox' },
      // only what describes the heap: the heap itself is there
      ...(image ? { _loadSnapshot: new Uint8Array(image.header) } : {}),
      ...options,
    }),
  );
  if (image) forget(python);
  return python;
}

/** The loader keeps what it was given. */
function forget(python: PyodideAPI): void {
  const { config } = (python as unknown as { _api: { config: { _loadSnapshot?: unknown } } })._api;
  delete config._loadSnapshot;
}

/** Text printed below Python's own streams, for instance by `os.write(1, …)`. */
export type RawWrite = (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void;

/**
 * An interpreter that has run nothing; with `isStripped`, its worker has no globals left that lead anywhere.
 * @param signal what Python looks at to see whether it was asked to stop
 */
export async function loadInterpreter(
  boot: GuestBoot,
  write: RawWrite,
  signal: PythonSignal,
): Promise<PyodideAPI> {
  const python = await loadPython(boot);
  for (const [name, set] of [
    ['stdout', python.setStdout],
    ['stderr', python.setStderr],
  ] as const) {
    set.call(python, {
      write(bytes: Uint8Array) {
        write(name, bytes);
        return bytes.length;
      },
    });
  }
  // all that Python does with it is to read and write its first element
  python.setInterruptBuffer(signal as unknown as Int32Array);
  const { isStripped, memoryBytes } = boot.settings;
  guardLibraries({ codeBytes: memoryBytes, allowsScripts: !isStripped });
  if (isStripped) stripGlobals(globalThis);
  return python;
}
