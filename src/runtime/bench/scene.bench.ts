/** What the rows stand on: a runtime with workers, and the bare platform beside it. */
import type { RuntimeOptions } from '../runtime-options.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import type { benchModules } from './bench-modules.ts';

export function createBenchRuntime(
  options: RuntimeOptions<typeof benchModules>,
): Runtime<typeof benchModules> {
  return createRuntime<typeof benchModules>({
    worker: (name) => new Worker(new URL('./bench.worker.ts', import.meta.url), { type: 'module', name }),
    ...options,
  });
}

/** A worker that posts back what it gets, and nothing else. */
export class RawEcho implements Disposable {
  readonly #worker = new Worker(new URL('./raw-echo.worker.ts', import.meta.url), { type: 'module' });

  /** One round trip. */
  ask(message: unknown): Promise<unknown> {
    return new Promise((resolve) => {
      this.#worker.onmessage = resolve;
      this.#worker.postMessage(message);
    });
  }

  /** Many round trips, at most `window` of them under way. */
  askMany(message: unknown, count: number, window: number): Promise<void> {
    return new Promise((resolve) => {
      let [asked, answered] = [0, 0];
      const ask = (): void => {
        if (asked++ < count) this.#worker.postMessage(message);
      };
      this.#worker.onmessage = () => {
        if (++answered === count) resolve();
        else ask();
      };
      for (let open = 0; open < window; open++) ask();
    });
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

/** As `RawEcho.askMany`, for calls that answer by a promise. */
export async function callMany(call: () => Promise<unknown>, count: number, window: number): Promise<void> {
  let asked = 0;
  const follow = async (): Promise<void> => {
    while (asked++ < count) await call();
  };
  await Promise.all(Array.from({ length: window }, follow));
}
