/** What every device must do, whatever it runs on. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from './device.ts';
import { createReferenceDevice } from './device/reference.ts';
import { memoryLimitBytes } from './limits.ts';
import { createTensor } from './tensor.ts';
import type { Tensor } from './tensor.ts';

/** Largest difference between two tensors of the same shape. */
function distance(a: Tensor, b: Tensor): number {
  expect(a.shape).toEqual(b.shape);
  expect(a.dtype).toBe(b.dtype);
  return Array.from(a.data).reduce((seen, x, i) => Math.max(seen, Math.abs(x - b.data[i]!)), 0);
}

function expectNear(actual: Tensor, expected: Tensor, tolerance: number): void {
  expect(distance(actual, expected)).toBeLessThanOrEqual(tolerance);
}

const wave = (shape: readonly number[], seed: number): Tensor =>
  createTensor(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 1.3 + seed)),
    shape,
  );

const identity = (size: number): Tensor =>
  createTensor(
    Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0)),
    [size, size],
  );

const number = fc.integer({ min: -64, max: 64 }).map((x) => x / 16);
const tensorOf = (shape: readonly number[]): fc.Arbitrary<Tensor> => {
  const length = shape.reduce((a, b) => a * b, 1);
  return fc
    .array(number, { minLength: length, maxLength: length })
    .map((values) => createTensor(values, shape));
};
const size = fc.integer({ min: 1, max: 5 });
const shape = fc.array(size, { minLength: 1, maxLength: 4 });

/** Two shapes that broadcast: the same one, with some dimensions made 1 and some leading ones left out. */
const broadcastPair = fc
  .tuple(shape, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), fc.nat(3), fc.nat(3))
  .map(([full, ones, dropA, dropB]) => {
    const a = full.map((n, i) => (ones[i] ? 1 : n)).slice(Math.min(dropA, full.length - 1));
    const b = full.map((n, i) => (ones[i + 4] ? 1 : n)).slice(Math.min(dropB, full.length - 1));
    return [a, b] as const;
  })
  .chain(([a, b]) => fc.tuple(tensorOf(a), tensorOf(b)));

interface ContractOptions {
  /** Largest error per operation; float32 has 1.2e-7 per rounding. */
  readonly tolerance?: number;
  /** Cases per property; a software GPU compiles a shader for each new shape. */
  readonly runs?: number;
}

/** The laws of a device. `open` is called once. */
export function describeDevice(
  name: string,
  open: () => Promise<Device>,
  options: ContractOptions = {},
): void {
  const { tolerance = 1e-5, runs = 25 } = options;
  describe(`device contract: ${name}`, () => {
    let device: Device;
    const reference = createReferenceDevice();
    beforeAll(async () => {
      device = await open();
    }, 60_000);
    afterAll(() => device[Symbol.asyncDispose]());

    it('says what it is and why', () => {
      expect(['reference', 'cpu', 'wasm', 'webgpu']).toContain(device.kind);
      expect(device.reason).not.toBe('');
      expect(device.dtypes).toContain('float32');
    });

    it('matMul equals plain loops', async () => {
      const sizes = fc.tuple(size, size, size);
      const factors = sizes.chain(([m, k, n]) => fc.tuple(tensorOf([m, k]), tensorOf([k, n])));
      await fc.assert(
        fc.asyncProperty(factors, async ([a, b]) => {
          expectNear(await device.matMul(a, b), await reference.matMul(a, b), 10 * tolerance);
        }),
        { numRuns: runs },
      );
    });

    it('matMul is associative within tolerance, and identity changes nothing', async () => {
      const [a, b, c] = [wave([17, 33], 1), wave([33, 9], 2), wave([9, 21], 3)];
      const left = await device.matMul(await device.matMul(a, b), c);
      const right = await device.matMul(a, await device.matMul(b, c));
      expectNear(left, right, 20 * tolerance);
      expectNear(await device.matMul(identity(17), a), a, 0);
      expectNear(await device.matMul(a, identity(33)), a, 0);
    });

    it('a large product keeps float32 accuracy', async () => {
      const [a, b] = [wave([128, 128], 5), wave([128, 128], 6)];
      expectNear(await device.matMul(a, b), await reference.matMul(a, b), 10 * tolerance);
    });

    it('transposing twice changes nothing, and the transpose of a product is the product of transposes', async () => {
      const [a, b] = [wave([7, 11], 1), wave([11, 5], 2)];
      expectNear(await device.transpose(await device.transpose(a)), a, 0);
      const product = await device.transpose(await device.matMul(a, b));
      expectNear(
        product,
        await device.matMul(await device.transpose(b), await device.transpose(a)),
        10 * tolerance,
      );
      const cube = wave([2, 3, 4], 3);
      expectNear(await device.transpose(cube), await reference.transpose(cube), 0);
    });

    it.each(['add', 'sub', 'mul'] as const)('%s broadcasts like plain loops', async (operation) => {
      await fc.assert(
        fc.asyncProperty(broadcastPair, async ([a, b]) => {
          expectNear(await device[operation](a, b), await reference[operation](a, b), tolerance);
        }),
        { numRuns: runs },
      );
    });

    it('div broadcasts like plain loops, also by zero', async () => {
      const a = createTensor([1, -1, 6, 8], [2, 2]);
      const divided = await device.div(a, createTensor([0, 4], [2]));
      expect(Array.from(divided.data)).toEqual([Infinity, -0.25, Infinity, 2]);
    });

    it.each(['exp', 'tanh', 'relu'] as const)('%s equals plain loops', async (operation) => {
      const a = createTensor([-20, -3, -1, -0.5, 0, 0.25, 1, 2, 3], [3, 3]);
      const [actual, expected] = [await device[operation](a), await reference[operation](a)];
      actual.data.forEach((x, i) => {
        expect(Math.abs(x - expected.data[i]!)).toBeLessThanOrEqual(
          tolerance * Math.max(1, Math.abs(expected.data[i]!)),
        );
      });
    });

    it.each(['sum', 'mean', 'max'] as const)(
      '%s equals plain loops along each axis and over all',
      async (operation) => {
        const a = wave([3, 4, 5], 2);
        for (const axis of [undefined, 0, 1, 2, -1, -3]) {
          expectNear(await device[operation](a, axis), await reference[operation](a, axis), tolerance);
        }
        const single = createTensor([2.5], []);
        expectNear(await device[operation](single), single, 0);
      },
    );

    it('softmax sums to 1 along its axis, is not shifted by a constant, and survives large numbers', async () => {
      const a = wave([4, 3, 6], 4);
      for (const axis of [undefined, 0, 1, -1]) {
        const result = await device.softmax(a, axis);
        expectNear(result, await reference.softmax(a, axis), tolerance);
        const sums = await device.sum(result, axis ?? -1);
        for (const total of sums.data) expect(total).toBeCloseTo(1, 5);
      }
      const shifted = await device.softmax(await device.add(a, createTensor([3], [])));
      expectNear(shifted, await device.softmax(a), tolerance);
      const large = await device.softmax(createTensor([1000, 1000, -1000], [3]));
      expectNear(large, createTensor([0.5, 0.5, 0], [3]), tolerance);
    });

    it('leaves its operands alone and shares no memory with its results', async () => {
      const a = createTensor([1, 2, 3, 4], [2, 2]);
      const result = await device.sum(a, 0);
      const same = await device.relu(a);
      same.data.fill(9);
      result.data.fill(9);
      expect(Array.from(a.data)).toEqual([1, 2, 3, 4]);
      expect(Array.from((await device.relu(a)).data)).toEqual([1, 2, 3, 4]);
    });

    it('answers many operations at once', async () => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, i) => device.add(createTensor([i], [1]), createTensor([1], [1]))),
      );
      expect(results.map(({ data }) => data[0])).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    });

    it('holds nothing after its work', async () => {
      for (let i = 0; i < 20; i++) {
        await device.softmax(await device.matMul(wave([8, 8], i), wave([8, 8], i + 1)), 0);
      }
      expect(await device.memory()).toEqual({ tensors: 0, bytes: 0 });
    });

    const [a23, a32, b4] = [wave([2, 3], 1), wave([3, 2], 1), wave([4], 1)];
    const broken = { shape: [2, 2], dtype: 'float32', data: new Float32Array(3) } as const;
    it.each([
      [
        'matMul of inner sizes that differ',
        () => device.matMul(a23, a23),
        'compute/shape-mismatch',
        { a: [2, 3], b: [2, 3] },
      ],
      ['matMul of a vector', () => device.matMul(a23, b4), 'compute/shape-mismatch', { a: [2, 3], b: [4] }],
      [
        'shapes that do not broadcast',
        () => device.add(a23, a32),
        'compute/shape-mismatch',
        { a: [2, 3], b: [3, 2] },
      ],
      ['an axis that is not there', () => device.sum(a23, 2), 'compute/axis-invalid', { shape: [2, 3] }],
      ['a fractional axis', () => device.softmax(a23, 0.5), 'compute/axis-invalid', { axis: '0.5' }],
      ['data shorter than the shape', () => device.exp(broken), 'compute/tensor-invalid', { length: 3 }],
      [
        'an empty tensor',
        () => device.exp({ ...broken, shape: [0], data: new Float32Array() }),
        'compute/tensor-invalid',
        {},
      ],
      [
        'a dimension too many',
        () => device.exp({ ...broken, shape: [1, 1, 1, 1, 1, 1, 1], data: new Float32Array(1) }),
        'compute/tensor-invalid',
        {},
      ],
      ['no tensor', () => device.exp(null as never), 'compute/tensor-invalid', {}],
      [
        'two dtypes',
        () => device.add(a23, createTensor(a23.data, [2, 3], 'float64')),
        'compute/dtype-mismatch',
        { b: 'float64' },
      ],
    ])('refuses %s', async (_, attempt, code, fields) => {
      await expect(attempt()).rejects.toMatchObject({ code, fields });
      expect(await device.memory()).toEqual({ tensors: 0, bytes: 0 });
    });

    it('refuses a result beyond the memory limit before allocating it', async () => {
      const side = 30_000;
      const tall = createTensor(new Float32Array(side), [side, 1]);
      const wide = createTensor(new Float32Array(side), [1, side]);
      for (const attempt of [device.add(tall, wide), device.matMul(tall, wide)]) {
        await expect(attempt).rejects.toMatchObject({
          code: 'compute/out-of-memory',
          fields: { limitBytes: memoryLimitBytes },
        });
      }
    });

    it('computes float64, or refuses it by name', async () => {
      const third = createTensor([1 / 3], [1], 'float64');
      const outcome = await device.mul(third, third).catch((error: unknown) => error);
      const expected = device.dtypes.includes('float64')
        ? { dtype: 'float64', data: Float64Array.of((1 / 3) * (1 / 3)) }
        : { code: 'compute/dtype-unsupported', fields: { dtype: 'float64', expected: 'float32' } };
      expect(outcome).toMatchObject(expected);
    });

    it('is not usable after disposal, and disposing twice is harmless', async () => {
      const other = await open();
      await other[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
      await expect(other.exp(b4)).rejects.toMatchObject({ code: 'compute/device-disposed' });
      // the first one goes on
      expectNear(await device.relu(b4), await reference.relu(b4), 0);
    });
  });
}
