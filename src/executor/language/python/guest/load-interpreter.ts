/** Starts Python from bytes that were handed in: nothing is fetched. */
import './prelude.ts';
import { loadPyodide, version } from 'pyodide';
import type { PyodideAPI } from 'pyodide';
import createPyodideModule from 'pyodide/pyodide.asm.mjs';
import type { GuestBoot } from '../../../sandbox/protocol.ts';
import { pythonSignalOf } from '../../../guest/interrupt-flag.ts';
import { guestGlobals, stripGlobals } from '../../../guest/strip-globals.ts';

/** Never resolved: the stand-ins below answer for it. */
const nowhere = 'https://pyodide.invalid/';

/** What the loader wants to know about packages: there are none. */
const noPackages = {
  info: { abi_version: '2026_0', arch: 'wasm32', platform: 'emscripten_5_0_3', version, python: '3.14.2' },
  packages: {},
};

type Scope = { fetch: unknown };
type Instantiation = { instance: WebAssembly.Instance; module: WebAssembly.Module };

/** Answers the loader's two requests from memory, and puts the real functions back at the end. */
async function withLocalFiles<T>(boot: GuestBoot, work: () => Promise<T>): Promise<T> {
  const module = boot.assets['interpreter'] as WebAssembly.Module;
  const standardLibrary = boot.assets['standard-library'] as ArrayBuffer;
  const scope = globalThis as unknown as Scope;
  const { fetch: nativeFetch } = scope;
  const nativeInstantiate = WebAssembly.instantiateStreaming;
  scope.fetch = (url: unknown) =>
    Promise.resolve(String(url).endsWith('.zip') ? new Response(standardLibrary) : undefined);
  WebAssembly.instantiateStreaming = async (_source, imports): Promise<Instantiation> => ({
    instance: await WebAssembly.instantiate(module, imports),
    module,
  });
  try {
    return await work();
  } finally {
    scope.fetch = nativeFetch;
    WebAssembly.instantiateStreaming = nativeInstantiate;
  }
}

/** Text printed below Python's own streams, for instance by `os.write(1, …)`. */
export type RawWrite = (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void;

/** An interpreter that has run nothing; with `isStripped`, its worker has no globals left that lead anywhere. */
export async function loadInterpreter(boot: GuestBoot, write: RawWrite): Promise<PyodideAPI> {
  const { isStripped } = boot.settings;
  const python = await withLocalFiles(boot, () =>
    loadPyodide({
      createPyodideModule,
      indexURL: nowhere,
      packageBaseUrl: nowhere,
      lockFileContents: noPackages as never,
      jsglobals: isStripped ? guestGlobals() : globalThis,
      env: { HOME: '/sandbox' },
    }),
  );
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
  if (boot.interrupt) python.setInterruptBuffer(pythonSignalOf(boot.interrupt) as unknown as Int32Array);
  if (isStripped) stripGlobals(globalThis);
  return python;
}
