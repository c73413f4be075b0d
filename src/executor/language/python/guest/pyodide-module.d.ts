/** The interpreter's generated module has no types of its own. */
declare module 'pyodide/pyodide.asm.mjs' {
  import type { PyodideConfig } from 'pyodide';

  const createPyodideModule: NonNullable<PyodideConfig['createPyodideModule']>;
  export default createPyodideModule;
}

/** `wasm/python/harness.py`, compiled and marshalled, in base64; put in by `tools/build-assets.mjs`. */
declare const harnessCode: string;

/** `wasm/python/checkpoint.py`, likewise. */
declare const checkpointCode: string;
