import fc from 'fast-check';
import { describe as group, expect, test } from 'vitest';
import { CodedError } from '../base/index.ts';
import { SimulatedClock } from '../platform/index.ts';
import type { Constraints } from './constraint.ts';
import { programLimits } from './limits.ts';
import { Module } from './module.ts';
import { isParameter, Parameter } from './parameter.ts';
import type { ParameterOptions } from './parameter.ts';
import type { TensorValue } from './parameter-value.ts';

const violation = (parameter: string, constraint: string): object =>
  expect.objectContaining({
    code: 'program/constraint-violated',
    fields: expect.objectContaining({ parameter, constraint }) as object,
  }) as object;

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

group('names', () => {
  class Weights extends Module {
    readonly limit = new Parameter({ type: 'number', value: 1, constraints: { max: 5 } });
    readonly list = [new Parameter({ type: 'number', value: 1 })];
    readonly byName = { a: new Parameter({ type: 'string', value: '' }) };
    readonly named = new Parameter({ type: 'number', value: 1, name: 'own name' });
  }

  test('a parameter is called after its field, at once', () => {
    const weights = new Weights();
    expect(thrownBy(() => weights.limit.set(6))).toEqual(violation('limit', 'max'));
    expect(weights.list[0]?.name).toBe('list[0]');
    expect(weights.byName.a.name).toBe("byName['a']");
    expect(weights.named.name).toBe('own name');
  });

  test('names are there after the turn too, and a parameter on its own has none', async () => {
    const weights = new Weights();
    await Promise.resolve();
    expect(weights.limit.name).toBe('limit');
    expect(new Parameter({ type: 'number', value: 1 }).name).toBe('(unnamed)');
  });
});

group('constraints', () => {
  const bad: readonly [string, ParameterOptions<never>, unknown, string][] = (
    [
      ['min', { type: 'number', value: 5, constraints: { min: 1 } }, 0, 'min'],
      ['max', { type: 'number', value: 5, constraints: { max: 9 } }, 10, 'max'],
      ['integer', { type: 'number', value: 5, constraints: { type: 'integer' } }, 1.5, 'type'],
      ['finite', { type: 'number', value: 5, constraints: { type: 'finite' } }, Infinity, 'type'],
      ['NaN', { type: 'number', value: 5 }, NaN, 'type'],
      ['text for a number', { type: 'number', value: 5 }, '5', 'type'],
      ['null', { type: 'string', value: '' }, null, 'type'],
      ['undefined', { type: 'boolean', value: true }, undefined, 'type'],
      ['oneOf', { type: 'string', value: 'a', constraints: { oneOf: ['a', 'b'] } }, 'c', 'oneOf'],
      ['oneOf list', { type: 'list', value: [1], constraints: { oneOf: [[1], [2]] } }, [3], 'oneOf'],
      ['list min', { type: 'list', value: [1], constraints: { min: 0 } }, [1, [-1]], 'min'],
      [
        'list shape',
        { type: 'list', value: [[1], [2]], constraints: { shape: [2, 1] } },
        [[1], [2, 3]],
        'shape',
      ],
      ['item type', { type: 'map', value: { a: 1 }, constraints: { type: 'number' } }, { a: 'x' }, 'type'],
      ['a function in a list', { type: 'list', value: [] }, [() => 1], 'type'],
      ['a cycle', { type: 'list', value: [] }, cyclic(), 'type'],
      ['a date in a map', { type: 'map', value: {} }, { at: new Date(0) }, 'type'],
      ['an array for a map', { type: 'map', value: {} }, [], 'type'],
      ['tensor shape', tensor([2], [1, 2], { shape: [2] }), tensorValue([1, 2], [1, 2]), 'shape'],
      ['tensor max', tensor([2], [1, 2], { max: 2 }), tensorValue([2], [1, 3]), 'max'],
      ['tensor NaN', tensor([1], [1]), tensorValue([1], [NaN]), 'type'],
      ['tensor length', tensor([2], [1, 2]), { shape: [3], data: new Float64Array(2) }, 'type'],
      ['custom false', { type: 'number', value: 2, constraints: { custom: isEven } }, 3, 'custom'],
      ['custom reason', { type: 'number', value: 2, constraints: { custom: reasoned } }, 3, 'custom'],
      ['custom throws', { type: 'number', value: 2, constraints: { custom: throwing } }, 3, 'custom'],
    ] as const
  ).map((row) => row as never);

  test.each(bad)('%s: the value is refused and the old one stays', (_what, options, value, constraint) => {
    const parameter = new Parameter<never>({ ...options, name: 'p' });
    const before = parameter.value;
    const changes: unknown[] = [];
    parameter.subscribe((change) => changes.push(change));
    const error = thrownBy(() => parameter.set(value as never));
    expect(error).toEqual(violation('p', constraint));
    expect((error as { fields: object }).fields).toHaveProperty('value');
    expect((error as { fields: object }).fields).toHaveProperty('expected');
    expect(parameter.value).toBe(before);
    expect(parameter.history).toEqual([]);
    expect(changes).toEqual([]);
  });

  test('a first value that violates is refused, and a constraint that makes no sense too', () => {
    expect(thrownBy(() => new Parameter({ type: 'number', value: 0, constraints: { min: 1 } }))).toEqual(
      violation('(unnamed)', 'min'),
    );
    for (const options of [
      { type: 'string', value: '', constraints: { min: 1 } },
      { type: 'number', value: 2, constraints: { min: 3, max: 1 } },
      { type: 'tensor', value: tensorValue([1], [1]), constraints: { oneOf: [] } },
      { type: 'number', value: 2, constraints: { min: NaN } },
      { type: 'number', value: 2, constraints: { max: '3' } },
      { type: 'number', value: 2, constraints: { type: 'int' } },
      { type: 'number', value: 2, constraints: { type: 'constructor' } },
      { type: 'number', value: 2, constraints: { oneOf: [] } },
      { type: 'number', value: 2, constraints: { oneOf: 2 } },
      { type: 'number', value: 2, constraints: { custom: true } },
      { type: 'number', value: 2, constraints: { limit: 2 } },
      { type: 'list', value: [1], constraints: { shape: [-1] } },
      { type: 'tensor', value: tensorValue([1], [1]), constraints: { shape: [1.5] } },
    ]) {
      expect(thrownBy(() => new Parameter(options as never))).toMatchObject({
        code: 'program/constraint-invalid',
      });
    }
    expect(thrownBy(() => new Parameter({ type: 'number', value: 2, learningRate: 0 }))).toMatchObject({
      code: 'program/parameter-invalid',
    });
  });

  test('values beyond 64 MiB or 64 levels are refused', () => {
    const list = new Parameter<unknown[]>({ type: 'list', value: [], name: 'p' });
    let deep: unknown[] = [];
    for (let level = 0; level < programLimits.valueDepth + 1; level += 1) deep = [deep];
    expect(thrownBy(() => list.set(deep))).toEqual(violation('p', 'type'));
    const text = new Parameter({ type: 'string', value: '', name: 'p' });
    expect(thrownBy(() => text.set('x'.repeat(programLimits.valueBytes / 2 + 1)))).toEqual(
      violation('p', 'type'),
    );
    text.set('x'.repeat(1000));
  });

  test('a small object whose parts are shared is as large as its text, and is refused before time runs away', () => {
    const list = new Parameter<readonly unknown[]>({ type: 'list', value: [] });
    let value: readonly unknown[] = [1];
    for (let level = 0; level < 60; level++) value = [value, value];
    expect(thrownBy(() => list.set(value))).toMatchObject({
      message: expect.stringContaining('bytes') as string,
    });
    expect(list.value).toEqual([]);
  });

  test('what was handed in or out cannot be used to go round the constraints', () => {
    const given = [1, 2];
    const list = new Parameter({ type: 'list', value: given, constraints: { max: 5 } });
    given.push(100);
    expect(list.value).toEqual([1, 2]);
    expect(() => list.value.push(100)).toThrow(TypeError);
    const data = Float64Array.of(1);
    const tensorParameter = new Parameter<TensorValue>({ type: 'tensor', value: { shape: [1], data } });
    data[0] = 9;
    expect([...tensorParameter.value.data]).toEqual([1]);
  });
});

group('gradients', () => {
  test('v = m·v + (1 − m)·g and value −= rate·v, on numbers, lists and tensors alike', () => {
    const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(finite, { minLength: 1, maxLength: 5 }),
        fc.array(fc.array(finite, { minLength: 5, maxLength: 5 }), { minLength: 1, maxLength: 4 }),
        fc.double({ min: 1e-4, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (start, gradients, learningRate, momentum) => {
          const options = { requiresGrad: true, learningRate, momentum };
          const list = new Parameter({ type: 'list', value: start, ...options });
          const number = new Parameter({ type: 'number', value: start[0] as number, ...options });
          const tensorParameter = new Parameter<TensorValue>({
            type: 'tensor',
            value: tensorValue([start.length], start),
            ...options,
          });
          const value = [...start];
          const velocity = start.map(() => 0);
          for (const gradient of gradients) {
            for (const index of start.keys()) {
              const g = gradient[index] as number;
              velocity[index] = momentum * (velocity[index] as number) + (1 - momentum) * g;
              value[index] = (value[index] as number) - learningRate * velocity[index];
            }
            const cut = gradient.slice(0, start.length);
            list.applyGradient(cut);
            number.applyGradient(cut[0] as number);
            tensorParameter.applyGradient(tensorValue([start.length], cut));
          }
          expect(list.value).toEqual(value);
          expect(number.value).toBe(value[0]);
          expect([...tensorParameter.value.data]).toEqual(value);
        },
      ),
    );
  });

  test('defaults: rate 0.01, momentum 0; the gradient is kept; float32 stays float32', () => {
    const parameter = new Parameter({ type: 'number', value: 1, requiresGrad: true });
    parameter.applyGradient(10);
    expect(parameter.value).toBe(0.9);
    expect(parameter.gradient).toBe(10);
    expect(parameter.history.map(({ cause }) => cause)).toEqual(['gradient']);
    const half = new Parameter<TensorValue>({
      type: 'tensor',
      value: { shape: [1], data: Float32Array.of(1) },
      requiresGrad: true,
    });
    half.applyGradient({ shape: [1], data: Float32Array.of(1) });
    expect(half.value.data).toBeInstanceOf(Float32Array);
    expect(half.value.data[0]).toBeCloseTo(0.99, 6);
  });

  test('refused: without requiresGrad, of another shape, not finite, not numeric', () => {
    const plain = new Parameter({ type: 'number', value: 1, name: 'p' });
    expect(thrownBy(() => plain.applyGradient(1))).toMatchObject({
      code: 'program/gradient-not-required',
      fields: { parameter: 'p' },
    });
    const list = new Parameter({ type: 'list', value: [1, 2], requiresGrad: true });
    for (const gradient of [[1], [1, NaN], [1, Infinity], 'x', null, [[1, 2]]]) {
      expect(thrownBy(() => list.applyGradient(gradient as never))).toMatchObject({
        code: 'program/gradient-invalid',
      });
    }
    const text = new Parameter({ type: 'string', value: 'x', requiresGrad: true });
    expect(thrownBy(() => text.applyGradient('y'))).toMatchObject({ code: 'program/gradient-invalid' });
    expect(list.value).toEqual([1, 2]);
  });

  test('a step that would violate a constraint changes neither value nor velocity', () => {
    const parameter = new Parameter({
      type: 'number',
      value: 1,
      requiresGrad: true,
      momentum: 0.5,
      learningRate: 1,
      constraints: { min: 0 },
    });
    expect(thrownBy(() => parameter.applyGradient(100))).toMatchObject({
      code: 'program/constraint-violated',
    });
    parameter.applyGradient(1);
    expect(parameter.value).toBe(0.5);
  });
});

group('history and listeners', () => {
  test('old and new value, time and cause; 100 entries unless said otherwise', async () => {
    const clock = new SimulatedClock(1000);
    const parameter = new Parameter({ type: 'number', value: 0, clock });
    await clock.advance(5);
    parameter.set(1, 'by hand');
    expect(parameter.history).toEqual([{ oldValue: 0, newValue: 1, atMs: 1005, cause: 'by hand' }]);
    expect([parameter.createdAtMs, parameter.updatedAtMs]).toEqual([1000, 1005]);
    for (let value = 2; value < 500; value += 1) parameter.set(value);
    expect(parameter.history).toHaveLength(100);
    expect(parameter.history.at(-1)?.newValue).toBe(499);
    const short = new Parameter({ type: 'number', value: 0, historyEntries: 2 });
    for (let value = 1; value < 9; value += 1) short.set(value);
    expect(short.history.map(({ newValue }) => newValue)).toEqual([7, 8]);
  });

  test.each([
    { historyEntries: -1 },
    { historyEntries: NaN },
    { historyEntries: 1.5 },
    { historyBytes: -1 },
    { historyBytes: Infinity },
  ])('a bound that is none is refused: %o', (bound) => {
    expect(() => new Parameter({ type: 'number', value: 0, ...bound })).toThrow(
      expect.objectContaining({ code: 'program/parameter-invalid' }) as Error,
    );
  });

  test('a history of nothing keeps nothing', () => {
    const parameter = new Parameter({ type: 'number', value: 0, historyEntries: 0, historyBytes: 0 });
    parameter.set(1);
    expect(parameter.history).toEqual([]);
  });

  test.each([
    ['gradient', { gradient: () => 1 }],
    ['velocity', { velocity: Symbol('x') }],
    ['metadata', { metadata: { run: () => 1 } }],
    ['metadata', { metadata: 'x' }],
    ['history', { history: 'x' }],
    ['history', { history: [{ atMs: 1 }] }],
    ['history', { history: [null] }],
    ['history', { history: [{ atMs: 1, cause: 'x', newValue: () => 1 }] }],
  ])('a state with a bad %s is refused whole', (member, change) => {
    const parameter = new Parameter({ type: 'number', value: 1, name: 'p' });
    const state = { ...parameter.dumpState({ withHistory: true }), value: 2, ...change };
    expect(() => parameter.loadState(state as never)).toThrow(
      expect.objectContaining({
        code: 'program/state-invalid',
        message: expect.stringContaining(member) as string,
      }) as Error,
    );
    expect([parameter.value, parameter.history]).toEqual([1, []]);
  });

  test('a megabyte of history at most; an update larger than that keeps its time and cause', () => {
    const text = new Parameter({ type: 'string', value: '' });
    for (let turn = 0; turn < 50; turn += 1) text.set(String(turn % 10).repeat(100_000));
    expect(text.history.length).toBeLessThan(5);
    const large = new Parameter({ type: 'string', value: '' });
    large.set('x'.repeat(1_000_000), 'huge');
    expect(large.history).toEqual([{ atMs: expect.any(Number) as number, cause: 'huge' }]);
    expect(large.value).toHaveLength(1_000_000);
  });

  test('listeners see old and new value; one that throws disturbs nobody; unsubscribing ends it', () => {
    const parameter = new Parameter({ type: 'number', value: 0, name: 'p' });
    const seen: string[] = [];
    parameter.subscribe(() => {
      throw new Error('broken');
    });
    const end = parameter.subscribe(({ name, oldValue, newValue, cause }) =>
      seen.push(`${name} ${oldValue} ${newValue} ${cause}`),
    );
    parameter.set(1);
    end();
    parameter.set(2);
    expect(seen).toEqual(['p 0 1 set']);
    expect(parameter.lastListenerError).toBe('broken');
  });
});

group('state', () => {
  test('dump, structured clone and load give an equal parameter, for every type', () => {
    const options: readonly ParameterOptions<never>[] = [
      { type: 'number', value: 3, requiresGrad: true, momentum: 0.5 },
      { type: 'string', value: 'ü' },
      { type: 'boolean', value: false },
      { type: 'list', value: [1, { a: null }] },
      { type: 'map', value: { a: [1] } },
      { type: 'predictor-state', value: { demos: [] } },
      { type: 'tensor', value: tensorValue([2, 1], [1, -0]) },
    ] as never;
    for (const each of options) {
      const first = new Parameter<unknown>({ ...each, metadata: { note: 'x' } } as never);
      first.set(first.value, 'touch');
      if (first.requiresGrad) first.applyGradient(1);
      const second = new Parameter<unknown>(each as never);
      second.loadState(structuredClone(first.dumpState({ withHistory: true })));
      expect(second.dumpState({ withHistory: true })).toEqual(first.dumpState({ withHistory: true }));
    }
  });

  test.each([null, 3, {}, { type: 'string' }, { type: 'number', value: 'x', learningRate: 1, momentum: 0 }])(
    'the state %j is refused and nothing changes',
    (state) => {
      const parameter = new Parameter({ type: 'number', value: 1 });
      const before = parameter.dumpState();
      expect(thrownBy(() => parameter.loadState(state as never))).toHaveProperty('code');
      expect(parameter.dumpState()).toEqual(before);
    },
  );

  test('a clone has the value and history, and no listener', () => {
    const first = new Parameter({ type: 'number', value: 1, name: 'p', constraints: { max: 5 } });
    let calls = 0;
    first.subscribe(() => (calls += 1));
    first.set(2);
    const copy = first.clone();
    copy.set(3);
    expect([first.value, copy.value, calls]).toEqual([2, 3, 1]);
    expect(copy.history).toHaveLength(2);
    expect(thrownBy(() => copy.set(6))).toEqual(violation('p', 'max'));
  });

  test('what is handed over is read and changed where it went', () => {
    const options = { type: 'number', value: 1, requiresGrad: true, learningRate: 1 } as const;
    const [old, next, last] = [1, 2, 3].map(() => new Parameter<number>(options)) as [
      Parameter<number>,
      Parameter<number>,
      Parameter<number>,
    ];
    old.handOver(next);
    old.set(5, 'late');
    old.applyGradient(2);
    expect([old.value, next.value, next.history.map(({ cause }) => cause)]).toEqual([
      3,
      3,
      ['late', 'gradient'],
    ]);
    old.loadState({ ...next.dumpState(), value: 7 });
    next.handOver(last);
    last.set(9);
    expect([old.value, next.value]).toEqual([9, 9]);
  });

  test('what is handed over to nobody keeps its last value and says why it cannot change', () => {
    const old = new Parameter({ type: 'number', value: 1, requiresGrad: true });
    const refusal = new CodedError('program/as-asked', 'gone');
    old.handOver(refusal);
    for (const change of [() => old.set(2), () => old.applyGradient(1), () => old.loadState(old.dumpState())])
      expect(thrownBy(change)).toBe(refusal);
    expect(old.value).toBe(1);
  });

  test('brands, not classes, tell parameters', () => {
    expect(isParameter(new Parameter({ type: 'number', value: 1 }))).toBe(true);
    expect(isParameter(Object.create(null))).toBe(false);
    expect(isParameter({ [Symbol.for('vivarium.parameter')]: true })).toBe(true);
  });
});

function cyclic(): unknown[] {
  const list: unknown[] = [];
  list.push(list);
  return list;
}

function tensorValue(shape: readonly number[], data: readonly number[]): TensorValue {
  return { shape, data: Float64Array.from(data) };
}

function tensor(
  shape: readonly number[],
  data: readonly number[],
  constraints: Constraints<TensorValue> = {},
): ParameterOptions<TensorValue> {
  return { type: 'tensor', value: tensorValue(shape, data), constraints };
}

function isEven(value: number): boolean {
  return value % 2 === 0;
}

function reasoned(value: number): true | string {
  return value % 2 === 0 || 'an even number';
}

function throwing(value: number): boolean {
  if (value === 3) throw new Error('cannot tell');
  return true;
}
