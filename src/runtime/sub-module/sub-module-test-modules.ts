/** Programs whose sub-modules the tests host as actors of their own. */
import { CodedError } from '../../base/index.ts';
import { ChainOfThought, Module, Parameter, Prediction } from '../../program/index.ts';
import type { ModuleState, Run } from '../../program/index.ts';

let born = 0;

export type CriticAsk = 'judge' | 'throw' | 'never' | 'function' | 'deaf' | 'spin' | 'context';

/** Tells which instance answered, so that the actor and the copy around it can be told apart. */
export class Critic extends Module<{ ask: CriticAsk; text?: string }, unknown> {
  readonly limit: Parameter<number> = new Parameter({
    type: 'number',
    value: 10,
    constraints: { min: 0, max: 100 },
  });
  readonly born: number = ++born;

  override async forward({ ask, text = '' }: { ask: CriticAsk; text?: string }, run: Run): Promise<unknown> {
    const answers: Record<CriticAsk, () => unknown> = {
      judge: () => ({ born: this.born, limit: this.limit.value, mode: this.mode, text }),
      throw: () => {
        throw new CodedError('runtime/asked-to-throw', 'as asked', { fields: { by: 'critic' } });
      },
      never: () =>
        new Promise((_, reject) =>
          run.signal.addEventListener('abort', () => reject(run.signal.reason as Error), { once: true }),
        ),
      deaf: () => new Promise(() => undefined),
      spin: () => {
        for (;;);
      },
      function: () => () => undefined,
      context: () => {
        run.settings.onDelta?.({ path: run.path, index: 0, text: 'piece' });
        const { path, depth, span } = run;
        const remainingMs = run.deadline?.remainingMs();
        return new Prediction({ path, depth, remainingMs, traceId: span.traceId, ...run.settings.values });
      },
    };
    return answers[ask]();
  }
}

export class Pipeline extends Module<{ ask: CriticAsk | 'tune' | 'read'; text?: string }, unknown> {
  readonly rounds: Parameter<number> = new Parameter({ type: 'number', value: 1 });
  readonly critic: Critic = new Critic();
  readonly born: number = ++born;

  override async forward(
    { ask, text = '' }: { ask: CriticAsk | 'tune' | 'read'; text?: string },
    run: Run,
  ): Promise<unknown> {
    if (ask === 'tune') return this.critic.limit.set(Number(text), 'tuned');
    if (ask === 'read') return { limit: this.critic.limit.value, mode: this.critic.mode };
    const verdict = await this.critic.call({ ask, text });
    return { verdict, isPrediction: verdict instanceof Prediction, usage: run.usage.byModel };
  }
}

/** Refuses states while it is told to. */
export class Moody extends Critic {
  static refuses = false;

  override loadState(state: ModuleState): void {
    if (Moody.refuses) throw new CodedError('program/state-invalid', 'as asked');
    super.loadState(state);
  }
}

export class MoodyPipeline extends Pipeline {
  override readonly critic: Critic = new Moody();
}

/** A link of a chain: each asks the next. */
export class Inner extends Module<number, readonly number[]> {
  readonly born: number = ++born;

  override async forward(depth: number): Promise<readonly number[]> {
    return [depth, this.born];
  }
}

export class Middle extends Module<number, readonly number[]> {
  readonly step: Parameter<number> = new Parameter({ type: 'number', value: 1 });
  readonly next: Inner = new Inner();

  override async forward(depth: number): Promise<readonly number[]> {
    return this.next.call(depth + this.step.value);
  }
}

export class Outer extends Module<number, readonly number[]> {
  readonly next: Middle = new Middle();

  override async forward(depth: number): Promise<readonly number[]> {
    return this.next.call(depth + 1);
  }
}

/** Calls all of its parts at once. */
export class Crowd extends Module<string, readonly unknown[]> {
  readonly members: readonly Critic[] = Array.from({ length: 40 }, () => new Critic());

  override async forward(text: string): Promise<readonly unknown[]> {
    return Promise.all(this.members.map((member) => member.call({ ask: 'judge', text })));
  }
}

/** Its sub-module knows the module around it. */
export class Owned extends Module {
  owner: Module | undefined;
}
export class Circle extends Module {
  readonly part: Owned = new Owned();

  constructor() {
    super();
    this.part.owner = this;
  }
}

const common: Parameter<number> = new Parameter({ type: 'number', value: 0 });
export class Sharer extends Module {
  readonly shared: Parameter<number>;

  constructor(shared: Parameter<number> = common) {
    super();
    this.shared = shared;
  }
}
export class Sharers extends Module {
  readonly shared: Parameter<number> = new Parameter({ type: 'number', value: 0 });
  readonly one: Sharer = new Sharer(this.shared);
  readonly two: Sharer = new Sharer(this.shared);
}

export class Thinker extends ChainOfThought<'question -> answer'> {
  constructor() {
    super('question -> answer');
  }
}

/** Asks a model through a part. */
export class Author extends Module<{ question: string }, unknown> {
  readonly think: Thinker = new Thinker();

  override async forward({ question }: { question: string }, run: Run): Promise<unknown> {
    const thought = await this.think.call({ question });
    return { answer: thought.answer, usage: run.usage.byModel, calls: run.usage.calls };
  }
}

export const subModuleTestModules = {
  critic: Critic,
  pipeline: Pipeline,
  moody: Moody,
  moodyPipeline: MoodyPipeline,
  inner: Inner,
  middle: Middle,
  outer: Outer,
  crowd: Crowd,
  owned: Owned,
  circle: Circle,
  sharer: Sharer,
  sharers: Sharers,
  thinker: Thinker,
  author: Author,
};
