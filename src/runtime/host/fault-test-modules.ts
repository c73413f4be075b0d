/** Modules that do what modules should not. */
import { Module, Parameter } from '../../program/index.ts';
import type { Run } from '../../program/index.ts';

const until = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
  );

/** Waits, or answers at once. */
export class Waiter extends Module<'wait' | 'go', string> {
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 1 });

  override async forward(input: 'wait' | 'go', run: Run): Promise<string> {
    return input === 'wait' ? until(run.signal) : `${this.mode} ${this.limit.value}`;
  }
}

/** Computes without awaiting, until it is killed. */
export class Spinner extends Module<'spin' | 'go', string> {
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 1 });

  override async forward(input: 'spin' | 'go'): Promise<string> {
    await Promise.resolve();
    for (; input === 'spin';);
    return `alive ${this.limit.value}`;
  }
}

export type Answer = 'function' | 'symbol' | 'weak' | 'deep' | 'cyclic' | 'getter' | 'large' | 'huge-list';

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

function nest(levels: number): unknown {
  let inner: unknown = 'bottom';
  for (let level = 0; level < levels; level++) inner = { inner };
  return inner;
}

/** Answers what cannot cross a port, or hardly can. */
export class Odd extends Module<Answer | { readonly blob: Uint8Array }, unknown> {
  override async forward(input: Answer | { readonly blob: Uint8Array }): Promise<unknown> {
    if (typeof input === 'object') return input.blob.byteLength;
    const answers: Record<Answer, () => unknown> = {
      function: () => ({ run: () => undefined }),
      symbol: () => Symbol('odd'),
      weak: () => new WeakMap(),
      deep: () => nest(10_000),
      cyclic: () => cyclic,
      getter: () =>
        Object.defineProperty({}, 'broken', {
          enumerable: true,
          get: () => {
            throw new TypeError('not readable');
          },
        }),
      large: () => new Uint8Array(100 * 2 ** 20),
      'huge-list': () => Array.from({ length: 9_000_000 }, () => 0),
    };
    return answers[input]();
  }
}

/** Wasm memory has the one limit that a browser keeps for a worker's memory. */
export class Leak extends Module<{ readonly pages: number }, number> {
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 1 });
  private readonly memory: WebAssembly.Memory = new WebAssembly.Memory({ initial: 1, maximum: 64 });

  override async forward({ pages }: { readonly pages: number }): Promise<number> {
    this.memory.grow(pages);
    return this.memory.buffer.byteLength;
  }
}

/** Writes on its worker's port behind the runtime's back. */
export class Hostile extends Module<
  { readonly frames: readonly unknown[]; readonly times?: number },
  string
> {
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 1 });

  override async forward({
    frames,
    times = 1,
  }: {
    readonly frames: readonly unknown[];
    readonly times?: number;
  }): Promise<string> {
    for (let time = 0; time < times; time++) for (const frame of frames) self.postMessage(frame);
    return 'posted';
  }
}

export const faultTestModules = {
  waiter: Waiter,
  spinner: Spinner,
  odd: Odd,
  leak: Leak,
  hostile: Hostile,
};
