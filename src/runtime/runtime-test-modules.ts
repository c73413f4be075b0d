/** Modules that the tests and benchmarks of this layer host. */
import { CodedError } from '../base/index.ts';
import type { ToolCall } from '../executor/index.ts';
import { systemClock } from '../platform/index.ts';
import { Module, Parameter, Predict } from '../program/index.ts';
import type { Run } from '../program/index.ts';

export class Counter extends Module<{ by: number }, { total: number }> {
  static readonly version = '1.2.0';
  readonly total: Parameter<number> = new Parameter({
    type: 'number',
    value: 0,
    constraints: { min: 0, max: 1_000_000 },
  });
  readonly label: Parameter<string> = new Parameter({ type: 'string', value: 'count' });

  override async forward({ by }: { by: number }): Promise<{ total: number }> {
    await Promise.resolve();
    this.total.set(this.total.value + by, 'forward');
    return { total: this.total.value };
  }
}

type Ask = 'throw' | 'function' | 'never' | 'close-worker' | 'spin' | 'pause' | 'mode' | 'values' | 'huge';

export class Trouble extends Module<{ ask: Ask }, unknown> {
  override forward({ ask }: { ask: Ask }, run: Run): Promise<unknown> {
    const answers: Record<Ask, () => unknown> = {
      throw: () => {
        throw new CodedError('runtime/asked-to-throw', 'as asked');
      },
      function: () => () => undefined,
      never: () =>
        new Promise((_, reject) =>
          run.signal.addEventListener('abort', () => reject(run.signal.reason as Error)),
        ),
      'close-worker': () => {
        (self as unknown as { close(): void }).close();
        return new Promise(() => undefined);
      },
      spin: () => {
        for (;;);
      },
      // as a debugger does it to a worker
      pause: () => {
        const untilMs = systemClock.monotonic() + 600;
        while (systemClock.monotonic() < untilMs);
        return 'went on';
      },
      mode: () => this.mode,
      values: () => run.settings.values,
      huge: () => new Uint8Array(100 * 1024 * 1024),
    };
    return Promise.resolve().then(answers[ask]);
  }
}

export class Asker extends Module<{ question: string }, unknown> {
  readonly answer: Predict<'question -> answer'> = new Predict('question -> answer');

  override async forward({ question }: { question: string }): Promise<unknown> {
    return this.answer.call({ question });
  }
}

export class Coder extends Module<{ code: string; times: number }, unknown> {
  override async forward({ code, times }: { code: string; times: number }, run: Run): Promise<unknown> {
    const { executor } = run.settings;
    if (!executor) throw new CodedError('runtime/executor-missing', 'no executor came with the run');
    const session = await executor.createSession();
    const printed: string[] = [];
    let last: unknown;
    for (let round = 0; round < times; round++) {
      last = await session.execute(code, {}, { onOutput: (part) => void printed.push(part.text) });
    }
    await session[Symbol.asyncDispose]();
    return { last, printed: printed.join('') };
  }
}

/** Hands a function of its own to the code, and tells what was shown. */
export class ToolCoder extends Module<{ code: string }, unknown> {
  override async forward({ code }: { code: string }, run: Run): Promise<unknown> {
    const { executor } = run.settings;
    if (!executor) throw new CodedError('runtime/executor-missing', 'no executor came with the run');
    const shown: unknown[] = [];
    const double = { parameters: ['x'], call: ({ named }: ToolCall) => Number(named['x']) * 2 };
    const context = { tools: { double }, environment: { NAME: 'coder' } };
    const last = await executor.execute(code, context, { onDisplay: (value) => void shown.push(value) });
    return { last, shown, language: executor.language };
  }
}

export class Broken extends Module {
  constructor() {
    super();
    throw new TypeError('this class cannot be made');
  }
}

export class Silent extends Module {}

export const testModules = {
  counter: Counter,
  trouble: Trouble,
  asker: Asker,
  coder: Coder,
  'tool-coder': ToolCoder,
  broken: Broken,
  silent: Silent,
};
