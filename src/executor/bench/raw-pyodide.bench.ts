/** Bare Pyodide on the bench's page: what a run costs without walls, limits and policies. */

/** Served by tools/bench.mjs from the package. */
const rawFiles = new URL('/raw-pyodide/', location.href).href;

export interface RawPyodide {
  /** Answers what the code printed. */
  run(code: string): Promise<string>;
  terminate(): void;
}

type RawMessage = { readonly output: string } | { readonly value: unknown };

export async function openRaw(): Promise<RawPyodide> {
  const worker = new Worker(new URL('./raw-pyodide.worker.ts', import.meta.url), { type: 'module' });
  const run = (message: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let printed = '';
      worker.onmessage = ({ data }: MessageEvent<RawMessage>) => {
        if ('output' in data) printed += data.output;
        else resolve(printed);
      };
      worker.onerror = (event) => reject(new Error(`the raw worker failed: ${event.message}`));
      worker.postMessage(message);
    });
  await run(rawFiles);
  return { run, terminate: () => worker.terminate() };
}
