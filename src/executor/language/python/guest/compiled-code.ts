/** Our own Python, which was compiled when the worker was built. */
import type { PyodideAPI } from 'pyodide';

// now: `atob` is taken away before the second one is needed
const codes = { harness: toBytes(harnessCode), checkpoint: toBytes(checkpointCode) };

function toBytes(base64: string): Uint8Array {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  // a loop, because `Uint8Array.from` takes ten times as long, and every start waits for it
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** Runs it with `scope`, a dict, as its globals. */
export function runCompiled(python: PyodideAPI, name: keyof typeof codes, scope: unknown): void {
  const globals = scope as { set(name: string, value: unknown): void };
  globals.set('code', codes[name]);
  python.runPython("exec(__import__('marshal').loads(code.to_bytes()))\ndel code", {
    globals: globals as never,
  });
}
