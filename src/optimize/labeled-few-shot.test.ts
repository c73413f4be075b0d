import fc from 'fast-check';
import { describe as group, expect, it, test } from 'vitest';
import fixture from '../../fixtures/dspy/labeled-few-shot.json' with { type: 'json' };
import { SimulatedClock, systemClock } from '../platform/index.ts';
import { ChainOfThought, Example, Module, Parameter, Predict, toDspyState } from '../program/index.ts';
import type { Run } from '../program/index.ts';
import { createHub } from '../telemetry/index.ts';
import { LabeledFewShot } from './labeled-few-shot.ts';
import { optimizeLimits } from './limits.ts';
import type { CompileProgress, Optimizer } from './optimizer.ts';

const failure = (code: string): object => expect.objectContaining({ code }) as object;

class Inner extends Module {
  readonly gen = new ChainOfThought('question -> answer');
}

/** As in fixtures/dspy/labeled-few-shot.py. */
class Hops extends Module {
  readonly hops = [new ChainOfThought('question -> answer'), new Predict('question -> answer')];
  readonly frozen = new Inner();
  readonly last = new Predict('question -> answer');
  readonly alias = this.last;

  constructor() {
    super();
    this.frozen.isCompiled = true;
    this.frozen.gen.predict.demos = [{ question: 'kept', answer: 'kept' }];
    this.last.demos = [{ question: 'old', answer: 'old' }];
  }
}

const programs: Readonly<Record<string, () => Module>> = {
  predict: () => new Predict('question -> answer'),
  hops: () => new Hops(),
};

type Row = Example<{ question: string; answer: string; at: number; extra: (number | null)[] }>;

const trainsetOf = (length: number): Row[] =>
  Array.from({ length }, (_, at) =>
    new Example({ question: `q${at} – “é”`, answer: `a${at}`, at, extra: [at, null] }).withInputs('question'),
  );

function compiled(given: (typeof fixture.cases)[number] | (typeof fixture.files)[number]): Promise<Module> {
  const student = (programs[given.program] as () => Module)();
  const optimizer = new LabeledFewShot(given.k === null ? {} : { k: given.k });
  return optimizer.compile(student, { trainset: trainsetOf(given.examples), sample: given.sample });
}

group('LabeledFewShot, as in DSPy 3.3.1', () => {
  it('is tested against DSPy 3.3.1', () => expect(fixture.versions.dspy).toBe('3.3.1'));

  it.each(fixture.cases.map((one) => [JSON.stringify({ ...one, demos: undefined }), one] as const))(
    'draws the same demos: %s',
    async (_, one) => {
      const program = await compiled(one);
      const places = program
        .namedPredictors()
        .map(([name, { demos }]) => [name, demos.map((demo) => (demo as unknown as { at: number }).at)]);
      expect(Object.fromEntries(places)).toEqual(one.demos);
    },
  );

  it.each(fixture.files.map((one) => [JSON.stringify({ ...one, text: undefined }), one] as const))(
    'saves the same bytes: %s',
    async (_, one) => {
      const { python, dspy, cloudpickle } = versionsIn(one.text);
      expect(toDspyState(await compiled(one), { python, dspy, cloudpickle })).toBe(one.text);
    },
  );
});

function versionsIn(text: string): Record<'python' | 'dspy' | 'cloudpickle', string> {
  const file = JSON.parse(text) as {
    metadata: { dependency_versions: Record<'python' | 'dspy' | 'cloudpickle', string> };
  };
  return file.metadata.dependency_versions;
}

group('the student', () => {
  class Student extends Module {
    readonly limit = new Parameter({ type: 'number', value: 1 });
    readonly weights = new Parameter({ type: 'tensor', value: { shape: [2], data: Float64Array.of(1, 2) } });
    readonly hops: Predict<'question -> answer'>[] = [];
  }

  test('is never changed, and the new program shares nothing that changes with it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(4), fc.nat(40), fc.nat(20), fc.boolean(), async (hops, size, k, sample) => {
        const student = new Student();
        for (let at = 0; at < hops; at += 1) student.hops.push(new Predict('question -> answer'));
        for (const predictor of student.hops) predictor.demos = [{ question: 'old', answer: 'old' }];
        const before = structuredClone(student.dumpState({ withHistory: true }));
        const program = await new LabeledFewShot({ k }).compile(student, {
          trainset: trainsetOf(size),
          sample,
        });
        for (const predictor of program.predictors()) expect(predictor.demos).toHaveLength(Math.min(k, size));
        program.limit.set(2);
        program.train();
        expect(student.dumpState({ withHistory: true })).toEqual(before);
        expect(program).toBeInstanceOf(Student);
        expect(program.isCompiled).toBe(false);
        expect(program.parameterNamed('weights').value).toEqual(student.weights.value);
      }),
      { numRuns: 50 },
    );
  });

  test('what was learned goes as data to another copy of the program, in one step', async () => {
    const program = await new LabeledFewShot({ k: 3 }).compile(new Hops(), { trainset: trainsetOf(10) });
    const serving = new Hops();
    serving.loadState(structuredClone(program.dumpState()));
    expect(serving.dumpState()).toEqual(program.dumpState());
    expect(serving.last.demos).toHaveLength(3);
  });
});

group('a compilation', () => {
  /** Enough predictors to take several slices. */
  class Wide extends Module {
    readonly all: Module[] = [];
    constructor(count: number) {
      super();
      for (let at = 0; at < count; at += 1) this.all.push(new Predict('question -> answer'));
    }
  }

  test('of 1,000 examples takes less than 5 s', async () => {
    const startMs = systemClock.monotonic();
    await new LabeledFewShot().compile(new Hops(), { trainset: trainsetOf(1000) });
    expect(systemClock.monotonic() - startMs).toBeLessThan(5000);
  });

  test('reports progress, first and last always, not more often than every 50 ms', async () => {
    const seen: CompileProgress[] = [];
    const clock = new SimulatedClock();
    const onProgress = (progress: CompileProgress): void => {
      seen.push(progress);
    };
    const options = { trainset: trainsetOf(5), settings: { clock }, onProgress };
    await new LabeledFewShot().compile(new Wide(100), options);
    const [first, last] = [0, 100].map((done) => ({
      optimizer: 'LabeledFewShot',
      step: 'choose-demos',
      done,
      total: 100,
    }));
    expect(seen).toEqual([first, last]);
  });

  test('a listener of progress that throws disturbs nothing, and a note says so', async () => {
    const telemetry = createHub();
    const events: string[] = [];
    telemetry.subscribe((event) => {
      events.push(event.type === 'note' ? event.text : event.type);
    });
    await new LabeledFewShot().compile(new Predict('question -> answer'), {
      trainset: trainsetOf(5),
      settings: { telemetry },
      onProgress: () => {
        throw new Error('broken bar');
      },
    });
    expect(events).toEqual([
      'compile-start',
      'onProgress threw: broken bar',
      'onProgress threw: broken bar',
      'compile-end',
    ]);
  });

  test('is cancelled before, during and after', async () => {
    const optimizer: Optimizer = new LabeledFewShot();
    const trainset = trainsetOf(100);
    await expect(optimizer.compile(new Hops(), { trainset, signal: AbortSignal.abort() })).rejects.toEqual(
      failure('port/cancelled'),
    );
    const controller = new AbortController();
    const student = new Wide(100);
    let nowMs = 0;
    const hurried = { ...systemClock, monotonic: () => (nowMs += 100) };
    const before = student.dumpState();
    let last = 0;
    const running = optimizer.compile(student, {
      trainset,
      signal: controller.signal,
      settings: { clock: hurried },
      onProgress: ({ done }) => {
        last = done;
        if (done > 0) controller.abort();
      },
    });
    await expect(running).rejects.toEqual(failure('port/cancelled'));
    expect(last).toBe(1);
    expect(student.dumpState()).toEqual(before);
    const late = new AbortController();
    const program = await optimizer.compile(new Hops(), { trainset, signal: late.signal });
    late.abort();
    expect(program.predictors()[0]?.demos).toHaveLength(16);
  });

  test('lets other tasks run meanwhile, so that a timer can cancel it', async () => {
    const controller = new AbortController();
    const running = new LabeledFewShot({ k: 1000 }).compile(new Wide(20_000), {
      trainset: trainsetOf(1000),
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(), 20);
    await expect(running).rejects.toEqual(failure('port/cancelled'));
  });

  test('inside a run it ends with that run, and its events belong to it', async () => {
    class Tune extends Module<number, number> {
      override async forward(timeoutMs: number, run: Run): Promise<number> {
        const program = await new LabeledFewShot({ k: 1000 }).compile(new Wide(timeoutMs > 0 ? 20_000 : 1), {
          trainset: trainsetOf(1000),
          run,
        });
        return program.predictors()[0]?.demos.length ?? 0;
      }
    }
    await expect(new Tune().call(20, { timeoutMs: 20 })).rejects.toEqual(failure('port/timeout'));
    const telemetry = createHub();
    const traces = new Set<string | undefined>();
    const types: string[] = [];
    telemetry.subscribe(({ type, span }) => {
      traces.add(span?.traceId);
      types.push(type);
    });
    expect(await new Tune().call(0, { telemetry })).toBe(1000);
    expect(types).toEqual(['forward-start', 'compile-start', 'compile-end', 'forward-end']);
    expect(traces.size).toBe(1);
  });

  test('ends at its deadline', async () => {
    const running = new LabeledFewShot({ k: 1000 }).compile(new Wide(20_000), {
      trainset: trainsetOf(1000),
      timeoutMs: 20,
    });
    await expect(running).rejects.toEqual(failure('port/timeout'));
  });

  test('refuses what is no student, no training set, no k', async () => {
    const optimizer = new LabeledFewShot();
    const trainset = trainsetOf(1);
    await expect(optimizer.compile({} as never, { trainset })).rejects.toEqual(
      failure('optimize/student-invalid'),
    );
    const refused: readonly (readonly [unknown, object])[] = [
      ['text', {}],
      [[trainset[0], 'text'], { index: 1 }],
      [[null], { index: 0 }],
      [[[]], { index: 0 }],
      [Array.from({ length: optimizeLimits.trainsetEntries + 1 }), {}],
    ];
    for (const [given, fields] of refused) {
      await expect(optimizer.compile(new Hops(), { trainset: given as never })).rejects.toMatchObject({
        code: 'optimize/trainset-invalid',
        fields,
      });
    }
    for (const k of [-1, 0.5, NaN, 2 ** 60]) {
      expect(() => new LabeledFewShot({ k })).toThrow(failure('optimize/option-invalid') as Error);
    }
  });

  test('that fails by itself has a code, and an event', async () => {
    class Odd extends Predict<'question -> answer'> {
      override reset(): void {
        throw new TypeError('odd');
      }
    }
    const telemetry = createHub();
    const events: unknown[] = [];
    telemetry.subscribe((event) => events.push(event));
    const options = { trainset: trainsetOf(1), settings: { telemetry } };
    const running = new LabeledFewShot().compile(new Odd('question -> answer'), options);
    await expect(running).rejects.toMatchObject({
      code: 'optimize/compile-failed',
      message: 'odd',
      fields: { optimizer: 'LabeledFewShot', kind: 'Odd' },
    });
    expect(events.at(-1)).toMatchObject({
      type: 'compile-fail',
      error: { code: 'optimize/compile-failed', message: 'odd' },
    });
  });
});
