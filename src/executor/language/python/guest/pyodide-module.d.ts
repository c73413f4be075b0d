/** The interpreter's generated module has no types of its own. */
declare module 'pyodide/pyodide.asm.mjs' {
  import type { PyodideConfig } from 'pyodide';

  const createPyodideModule: NonNullable<PyodideConfig['createPyodideModule']>;
  export default createPyodideModule;
}

/** The text of `wasm/python/harness.py`, put in by `tools/build-assets.mjs`. */
declare const harnessSource: string;
