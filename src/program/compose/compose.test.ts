import fc from 'fast-check';
import { describe as group, expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { scriptedLm } from '../../lm/index.ts';
import { createHub } from '../../telemetry/index.ts';
import { describe } from '../describe.ts';
import { programLimits } from '../limits.ts';
import { Module } from '../module.ts';
import { Parameter } from '../parameter.ts';
import { ChainOfThought } from '../predict/chain-of-thought.ts';
import { Predict } from '../predict/predict.ts';
import type { Run } from '../run.ts';
import { Trace } from '../trace.ts';
import { branch } from './branch.ts';
import { map } from './map.ts';
import type { FailureMode } from './options.ts';
import { parallel } from './parallel.ts';
import { race } from './race.ts';
import { sequence } from './sequence.ts';

const failure = (code: string): object => expect.objectContaining({ code }) as object;
const turns = async (count: number): Promise<void> => {
  for (let at = 0; at < count; at += 1) await Promise.resolve();
};

interface Job {
  readonly id: number;
  /** Turns of the microtask queue that the job takes; Infinity waits for its signal. */
  readonly turns: number;
  readonly fails: boolean;
}

/** What happened to the jobs of one test. */
class Book {
  running = 0;
  most = 0;
  readonly started: number[] = [];
  readonly ended: number[] = [];
  readonly cancelled: number[] = [];
}

class Worker extends Module<Job, number> {
  readonly book: Book;
  constructor(book: Book) {
    super();
    this.book = book;
  }
  override async forward(job: Job, run: Run): Promise<number> {
    const { book } = this;
    book.started.push(job.id);
    book.running += 1;
    book.most = Math.max(book.most, book.running);
    try {
      if (job.turns === Infinity) {
        await new Promise<void>((resolve) => {
          run.signal.addEventListener('abort', () => resolve(), { once: true });
        });
      }
      await turns(Math.min(job.turns, 50));
      if (job.fails) throw new CodedError('lm/refused', `job ${job.id}`, { fields: { id: job.id } });
      return job.id;
    } finally {
      if (run.signal.aborted) book.cancelled.push(job.id);
      book.running -= 1;
      book.ended.push(job.id);
    }
  }
}

/** Does one job, whatever the input. */
class Fixed extends Module<unknown, number> {
  readonly worker: Worker;
  readonly job: Job;
  constructor(book: Book, job: Job) {
    super();
    this.worker = new Worker(book);
    this.job = job;
  }
  override forward(): Promise<number> {
    return this.worker.call(this.job);
  }
}

class Add extends Module<number, number> {
  readonly amount = new Parameter({ type: 'number', value: 1 });
  override async forward(input: number): Promise<number> {
    return input + this.amount.value;
  }
}

const jobs = fc
  .array(fc.record({ turns: fc.nat(6), fails: fc.boolean() }), { maxLength: 20 })
  .map((list): Job[] => list.map((job, id) => ({ id, ...job })));
const modes = fc.constantFrom<FailureMode[]>('fail', 'skip', 'collect');

type Ended = readonly (readonly [string, unknown])[];
type Outcome = { readonly value: unknown } | { readonly error: unknown };
const isFailure = (outcome: Outcome): boolean => 'error' in outcome;

/** How a composition of these jobs must end; `shape` makes its answer of what the parts gave. */
function expectedOf(list: readonly Job[], mode: FailureMode, shape: (ended: Ended) => unknown): Outcome {
  if (mode === 'fail' && list.some((job) => job.fails)) return { error: failure('lm/refused') };
  const ended = list
    .filter((job) => mode === 'collect' || !job.fails)
    .map(({ id, fails }) => {
      const error = { code: 'lm/refused', message: `job ${id}`, fields: { id } };
      const told = fails ? { ok: false, error } : { ok: true, value: id };
      return [`job${id}`, mode === 'collect' ? told : id] as const;
    });
  return { value: shape(ended) };
}

const ascending = (numbers: readonly number[]): number[] => numbers.toSorted((one, other) => one - other);

group('map', () => {
  test('keeps the order, never exceeds its concurrency, and every item that began has ended', async () => {
    await fc.assert(
      fc.asyncProperty(
        jobs,
        fc.integer({ min: 1, max: 5 }),
        modes,
        async (list, maxConcurrency, onFailure) => {
          const book = new Book();
          const program = map(new Worker(book), { maxConcurrency, onFailure });
          const outcome = await program.call(list).then(
            (value: unknown) => ({ value }),
            (error: unknown) => ({ error }),
          );
          expect(book.most).toBeLessThanOrEqual(maxConcurrency);
          expect(book.started).toEqual(ascending(book.started));
          expect(outcome).toEqual(expectedOf(list, onFailure, (ended) => ended.map(([, value]) => value)));
          expect(book.started.length).toBeGreaterThanOrEqual(onFailure === 'fail' ? 0 : list.length);
          expect(isFailure(outcome) || structuredClone(outcome)).toEqual(isFailure(outcome) || outcome);
          await turns(100);
          expect(book.running).toBe(0);
          expect(book.ended).toHaveLength(book.started.length);
        },
      ),
    );
  });

  test('with fail, the first failure cancels the rest and nothing more begins', async () => {
    const book = new Book();
    const list = [
      { id: 0, turns: Infinity, fails: false },
      { id: 1, turns: 1, fails: true },
      { id: 2, turns: Infinity, fails: false },
      { id: 3, turns: 0, fails: false },
    ];
    await expect(map(new Worker(book), { maxConcurrency: 3 }).call(list)).rejects.toMatchObject({
      message: 'job 1',
    });
    await turns(100);
    expect(book.started).toEqual([0, 1, 2]);
    expect(ascending(book.cancelled)).toEqual([0, 2]);
    expect(book.running).toBe(0);
  });

  test.each(['fail', 'skip', 'collect'] as const)(
    'with %s, deadline and cancellation of the call stop all items, and no other begins',
    async (onFailure) => {
      const list = Array.from({ length: 20 }, (_, id): Job => ({ id, turns: Infinity, fails: false }));
      const [late, stopped] = [new Book(), new Book()];
      const options = { maxConcurrency: 3, onFailure };
      await expect(map(new Worker(late), options).call(list, { timeoutMs: 5 })).rejects.toEqual(
        failure('port/timeout'),
      );
      const controller = new AbortController();
      const running = map(new Worker(stopped), options).call(list, { signal: controller.signal });
      setTimeout(() => controller.abort(), 1);
      await expect(running).rejects.toEqual(failure('port/cancelled'));
      await turns(300);
      for (const book of [late, stopped]) {
        expect(book.started).toEqual([0, 1, 2]);
        expect(ascending(book.cancelled)).toEqual([0, 1, 2]);
      }
    },
  );

  test('no list, and one beyond the bound, are refused; an empty one is an empty answer', async () => {
    const program = map(new Add());
    expect(await program.call([])).toEqual([]);
    const long = Array.from({ length: programLimits.composedItems + 1 }, () => 0);
    for (const input of [long, 'text', null, { length: 1 }]) {
      await expect(program.call(input as never)).rejects.toEqual(failure('program/input-invalid'));
    }
  });

  test('a failure without a code is told with one', async () => {
    class Broken extends Module<number, number> {
      override forward(): Promise<number> {
        return Promise.reject(new TypeError('odd'));
      }
    }
    expect(await map(new Broken(), { onFailure: 'collect' }).call([1])).toEqual([
      { ok: false, error: { code: 'program/forward-failed', message: 'odd', fields: {} } },
    ]);
  });
});

group('sequence', () => {
  test('each step takes what the one before gave; the first failure ends it', async () => {
    expect(await sequence([new Add(), new Add(), new Add()]).call(1)).toBe(4);
    const book = new Book();
    const program = sequence([
      new Fixed(book, { id: 0, turns: 1, fails: true }),
      new Fixed(book, { id: 1, turns: 1, fails: false }),
    ]);
    await expect(program.call(0)).rejects.toEqual(failure('lm/refused'));
    expect(book.started).toEqual([0]);
  });

  test('predictors hand on what they answered; settings, trace and telemetry go through', async () => {
    const lm = scriptedLm({ script: ({ messages }) => answerTo(JSON.stringify(messages)) });
    const trace = new Trace();
    const telemetry = createHub();
    const paths: string[] = [];
    telemetry.subscribe((event) => {
      if (event.type === 'forward-start') paths.push(event.path);
    });
    const program = sequence([new Predict('question -> query'), new ChainOfThought('query -> answer')]);
    const { answer } = await program.call({ question: 'What?' }, { lm, trace, telemetry });
    expect(answer).toBe('found it');
    expect([...trace].map(({ path }) => path)).toEqual(['steps[0]', 'steps[1].predict']);
    expect(paths).toEqual(['', 'steps[0]', 'steps[1]', 'steps[1].predict']);
    expect([...trace][1]?.inputs).toEqual({ query: 'look for it' });
  });
});

function answerTo(prompt: string): string {
  if (prompt.includes('reasoning'))
    return '[[ ## reasoning ## ]]\nso\n\n[[ ## answer ## ]]\nfound it\n\n[[ ## completed ## ]]';
  return '[[ ## query ## ]]\nlook for it\n\n[[ ## completed ## ]]';
}

group('branch', () => {
  const name = (input: number): 'odd' | 'even' => (input % 2 === 0 ? 'even' : 'odd');

  test('runs the branch that is chosen, by a function or by a module', async () => {
    class Choose extends Module<number, { branch: 'odd' | 'even' }> {
      override async forward(input: number): Promise<{ branch: 'odd' | 'even' }> {
        return { branch: name(input) };
      }
    }
    for (const choose of [name, async (input: number) => name(input), new Choose()]) {
      const program = branch(choose, { odd: new Add(), even: sequence([new Add(), new Add()]) });
      expect([await program.call(1), await program.call(2)]).toEqual([2, 4]);
    }
    const learned = branch(new Choose(), { odd: new Add(), even: new Add() });
    expect(learned.namedSubModules().map(([path]) => path)).toContain('self.choose');
  });

  test('a name that is no branch fails and says what exists, or goes to the other', async () => {
    for (const odd of ['nope', 'constructor', '__proto__', 3, undefined, {}]) {
      const choose = (): never => odd as never;
      await expect(branch(choose, { a: new Add(), b: new Add() }).call(1)).rejects.toMatchObject({
        code: 'program/branch-not-found',
        fields: { existing: ['a', 'b'] },
      });
      expect(await branch(choose, { a: new Add() }, { otherwise: new Add() }).call(1)).toBe(2);
    }
  });
});

group('parallel', () => {
  test('gives each module the input and answers by name', async () => {
    const program = parallel({ one: new Add(), two: sequence([new Add(), new Add()]) });
    expect(await program.call(1)).toEqual({ one: 2, two: 3 });
  });

  test('within its concurrency; what a failure means is declared', async () => {
    await fc.assert(
      fc.asyncProperty(
        jobs,
        fc.integer({ min: 1, max: 4 }),
        modes,
        async (list, maxConcurrency, onFailure) => {
          fc.pre(list.length > 0);
          const book = new Book();
          const parts = Object.fromEntries(list.map((job) => [`job${job.id}`, new Fixed(book, job)]));
          const outcome = await parallel(parts, { maxConcurrency, onFailure })
            .call(0)
            .then(
              (value: unknown) => ({ value }),
              (error: unknown) => ({ error }),
            );
          expect(book.most).toBeLessThanOrEqual(maxConcurrency);
          expect(outcome).toEqual(expectedOf(list, onFailure, Object.fromEntries));
          await turns(100);
          expect(book.running).toBe(0);
        },
      ),
    );
  });
});

group('race', () => {
  test('the first answer wins; every other entrant is cancelled and has ended', async () => {
    await fc.assert(
      fc.asyncProperty(jobs, fc.integer({ min: 1, max: 5 }), async (list, maxConcurrency) => {
        fc.pre(list.length > 0);
        const book = new Book();
        const entrants = list.map((job) => new Fixed(book, job)) as [Fixed, ...Fixed[]];
        const outcome = await race(entrants, { maxConcurrency })
          .call(0)
          .then(
            (winner) => `${winner} won`,
            ({ code, fields }: CodedError) => `${code} ${(fields.failures as unknown[]).length}`,
          );
        const winners = list.filter((job) => !job.fails).map(({ id }) => `${id} won`);
        expect(book.most).toBeLessThanOrEqual(maxConcurrency);
        expect(winners.length > 0 ? winners : [`program/race-failed ${list.length}`]).toContain(outcome);
        await turns(200);
        expect(book.running).toBe(0);
      }),
    );
  });

  test('losers see their signal; the next begins when one has failed', async () => {
    const book = new Book();
    const entrants = [
      { id: 0, turns: Infinity, fails: false },
      { id: 1, turns: 3, fails: true },
      { id: 2, turns: 9, fails: false },
      { id: 3, turns: 0, fails: false },
    ].map((job) => new Fixed(book, job)) as [Fixed, ...Fixed[]];
    expect(await race(entrants, { maxConcurrency: 2 }).call(0)).toBe(2);
    await turns(100);
    expect(book.started).toEqual([0, 1, 2]);
    expect(book.cancelled).toEqual([0]);
    await expect(race(entrants, { onFailure: 'fail', maxConcurrency: 2 }).call(0)).rejects.toMatchObject({
      message: 'job 1',
    });
  });

  test('ends with the call around it', async () => {
    const book = new Book();
    const endless = (id: number): Fixed => new Fixed(book, { id, turns: Infinity, fails: false });
    const running = race([endless(0), endless(1)]).call(0, { timeoutMs: 5 });
    await expect(running).rejects.toEqual(failure('port/timeout'));
    await turns(100);
    expect(ascending(book.cancelled)).toEqual([0, 1]);
  });
});

group('compositions are modules like any other', () => {
  const make = () =>
    sequence([
      map(new Predict('question -> query')),
      parallel({
        first: branch(
          () => 'short',
          { short: new ChainOfThought('query -> answer') },
          { otherwise: new Add() },
        ),
        second: race([new Predict('query -> answer'), new Predict('query -> answer')]),
        third: new Add(),
      } as never),
    ] as never) as Module;

  test('their parts have stable names', () => {
    const program = make();
    expect(program.namedPredictors().map(([path]) => path)).toEqual([
      'steps[0].each',
      "steps[1].branches['first'].branches['short'].predict",
      "steps[1].branches['second'].entrants[0]",
      "steps[1].branches['second'].entrants[1]",
    ]);
    expect(program.namedParameters().map(([path]) => path)).toEqual([
      "steps[1].branches['first'].otherwise.amount",
      "steps[1].branches['third'].amount",
    ]);
    expect(program.namedSubModules().map(([path]) => path)).toEqual([
      'self',
      'self.steps[0]',
      'self.steps[1]',
      'self.steps[0].each',
      'self.steps[1].branches[first]',
      'self.steps[1].branches[second]',
      'self.steps[1].branches[third]',
      'self.steps[1].branches[first].otherwise',
      'self.steps[1].branches[first].branches[short]',
      'self.steps[1].branches[second].entrants[0]',
      'self.steps[1].branches[second].entrants[1]',
      'self.steps[1].branches[first].branches[short].predict',
    ]);
  });

  test('they are described, with their options', () => {
    const { subModules } = describe(make(), 10);
    expect(subModules.find(({ name }) => name === 'self.steps[0]')).toMatchObject({
      config: { maxConcurrency: 8, onFailure: 'fail' },
    });
    expect(structuredClone(subModules)).toEqual(subModules);
  });

  test('they are copied and saved with all their parts', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 5 }), fc.double({ noNaN: true }), (texts, amount) => {
        const program = make();
        for (const [, predictor] of program.namedPredictors())
          predictor.demos = texts.map((text) => ({ question: text, answer: text }));
        program.namedParameters()[0]?.[1].set(Number.isFinite(amount) ? amount : 0);
        program.train();
        const state = structuredClone(program.dumpState());
        const other = make();
        other.loadState(state);
        expect(other.dumpState()).toEqual(program.dumpState());
        const copy = program.deepcopy();
        expect(copy.dumpState()).toEqual(program.dumpState());
        copy.namedParameters()[1]?.[1].set(99);
        expect(program.dumpState()).toEqual(other.dumpState());
      }),
      { numRuns: 30 },
    );
  });

  test('a copy runs on its own parts', async () => {
    const program = sequence([new Add(), new Add()]);
    const copy = program.deepcopy();
    copy.steps[0].amount.set(10);
    expect([await program.call(1), await copy.call(1)]).toEqual([3, 12]);
  });

  test('senseless ones are refused', () => {
    const one = new Add();
    const senseless: readonly (() => unknown)[] = [
      () => sequence([] as never),
      () => sequence([one, 'text'] as never),
      () => race([] as never),
      () => parallel({}),
      () => parallel({ a: null } as never),
      () => branch('a' as never, { a: one }),
      () => branch(() => 'a', {} as never),
      () => branch(() => 'a', { a: one }, { otherwise: 3 as never }),
      () => map('text' as never),
      ...[0, -1, 1.5, NaN, Infinity, programLimits.maxConcurrency + 1, '3'].map(
        (maxConcurrency) => () => map(one, { maxConcurrency: maxConcurrency as number }),
      ),
      () => map(one, { onFailure: 'ignore' as never }),
      () => race([one], { onFailure: 'collect' as never }),
    ];
    for (const make of senseless) {
      expect(make).toThrow(failure('program/composition-invalid') as Error);
    }
  });
});
