/** Any sequence of changes, good and bad, on numbers, lists and tensors, beside a model that knows the rules only. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isCodedError } from '../base/index.ts';
import { Parameter } from './parameter.ts';
import type { ParameterState } from './parameter.ts';
import { Module } from './module.ts';

const bounds = { min: -100, max: 100 };
const rates = { requiresGrad: true, learningRate: 0.5, momentum: 0.25 };

type Form = 'number' | 'list' | 'tensor';
const sizes: Record<Form, number> = { number: 1, list: 3, tensor: 4 };

function formed(form: Form, numbers: readonly number[]): unknown {
  if (form === 'number') return numbers[0];
  if (form === 'list') return [...numbers];
  return { shape: [2, numbers.length / 2], data: Float64Array.from(numbers) };
}

/** What the rules say, written without the code under test. */
class Model {
  value: readonly number[];
  velocity: readonly number[];
  changes = 0;

  constructor(size: number) {
    this.value = Array.from({ length: size }, () => 0);
    this.velocity = this.value;
  }

  set(next: readonly number[]): boolean {
    const isGood =
      next.length === this.value.length && next.every((item) => item >= bounds.min && item <= bounds.max);
    if (!isGood) return false;
    this.value = next;
    this.changes += 1;
    return true;
  }

  gradient(slope: readonly number[]): boolean {
    if (slope.length !== this.value.length || !slope.every(Number.isFinite)) return false;
    const velocity = this.velocity.map((item, at) => 0.25 * item + 0.75 * (slope[at] as number));
    const isGood = this.set(this.value.map((item, at) => item - 0.5 * (velocity[at] as number)));
    if (isGood) this.velocity = velocity;
    return isGood;
  }
}

const item = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: -120, max: 120, noNaN: true }) },
  fc.constantFrom(NaN, Infinity, -Infinity),
);
const change = fc.record({
  kind: fc.constantFrom('set', 'gradient', 'reload' as const),
  numbers: fc.array(item, { minLength: 4, maxLength: 4 }),
  isCut: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0),
});

function tries(act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (isCodedError(error)) return false;
    throw error;
  }
}

test.each<Form>(['number', 'list', 'tensor'])('%s: a change is made whole or not at all', (form) => {
  const size = sizes[form];
  const options = {
    type: form,
    value: formed(
      form,
      Array.from({ length: size }, () => 0),
    ),
    // a list has as many items as it began with; the shape says so for lists and tensors
    constraints: form === 'number' ? bounds : { ...bounds, shape: form === 'list' ? [size] : [2, size / 2] },
    ...rates,
    historyEntries: 5,
  };
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const make = (): Parameter => new Parameter<unknown>({ ...options, name: 'p' } as never);
      let parameter = make();
      let told = 0;
      parameter.subscribe(() => (told += 1));
      const model = new Model(size);
      for (const { kind, numbers, isCut } of changes) {
        const cut = numbers.slice(0, isCut && form !== 'number' ? size - 2 : size);
        const before = parameter.dumpState({ withHistory: true });
        if (kind === 'reload') {
          parameter = make();
          parameter.loadState(structuredClone(before));
          parameter.subscribe(() => (told += 1));
        }
        const acts = {
          reload: () => undefined,
          set: () => parameter.set(formed(form, cut)),
          gradient: () => parameter.applyGradient(formed(form, cut)),
        };
        const models = {
          reload: () => false,
          set: () => model.set(cut),
          gradient: () => model.gradient(cut),
        };
        const isMade = tries(acts[kind]) && kind !== 'reload';
        expect(isMade).toBe(models[kind]());
        expect(parameter.value).toEqual(formed(form, model.value));
        expect(told).toBe(model.changes);
        expect(parameter.history.length).toBeLessThanOrEqual(5);
        expect(isMade || parameter.dumpState({ withHistory: true })).toEqual(isMade || before);
      }
    }),
  );
});

test('tensors of a whole program survive structured clone, dump and load, and copies share no numbers', () => {
  class Net extends Module {
    readonly layers: Parameter[];
    constructor(sizes: readonly (readonly number[])[]) {
      super();
      this.layers = sizes.map(
        (numbers) =>
          new Parameter({
            type: 'tensor',
            value: { shape: [numbers.length, 1], data: Float64Array.from(numbers) },
            requiresGrad: true,
            momentum: 0.5,
          }) as unknown as Parameter,
      );
    }
  }
  const numbers = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(fc.array(numbers, { maxLength: 4 }), (layers) => {
      const net = new Net(layers);
      for (const layer of net.layers) layer.applyGradient(layer.value);
      const state = structuredClone(net.dumpState({ withHistory: true }));
      const other = new Net(layers);
      other.loadState(state);
      expect(other.dumpState({ withHistory: true })).toEqual(net.dumpState({ withHistory: true }));
      const stored = Object.values(state.parameters) as ParameterState<{ data: Float64Array }>[];
      for (const { value, velocity } of stored) {
        value.data.fill(7);
        (velocity as { data: Float64Array }).data.fill(7);
      }
      expect(other.dumpState({ withHistory: true })).toEqual(net.dumpState({ withHistory: true }));
      const copy = net.deepcopy();
      const buffersOf = ({ layers: all }: Net): unknown[] =>
        all.map(({ value }) => (value as { data: Float64Array }).data.buffer);
      const shared = buffersOf(copy).filter((buffer) => buffersOf(net).includes(buffer));
      expect(shared).toEqual([]);
    }),
  );
});
