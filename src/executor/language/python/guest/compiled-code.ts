/** Our own Python, which was compiled when the worker was built. */
import type { PyodideAPI } from 'pyodide';

// now: `atob` is taken away before the second one is needed
const codes = { harness: toBytes(harnessCode), checkpoint: toBytes(checkpointCode) };

function toBytes(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** Runs it with `scope`, a dict, as its globals. */
export function runCompiled(python: PyodideAPI, name: keyof typeof codes, scope: unknown): void {
  const globals = scope as { set(name: string, value: unknown): void };
  globals.set('code', codes[name]);
  python.runPython("exec(__import__('marshal').loads(code.to_bytes()))\ndel code", {
    globals: globals as never,
  });
}
