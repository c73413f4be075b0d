import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultStoreLimits } from './limits.ts';
import { measureValue, takeSnapshot } from './value.ts';

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});

test('whatever the value, its copy and its size are those of a clone by the platform', () => {
  fc.assert(
    fc.property(anything, (value) => {
      const clone: unknown = structuredClone(value);
      const snapshot = takeSnapshot(value, defaultStoreLimits);
      expect(snapshot.value).toEqual(clone);
      expect(snapshot.sizeBytes).toBe(measureValue(clone, defaultStoreLimits));
    }),
    { numRuns: 500 },
  );
});

test('what is met twice stays one object, and a cycle a cycle', () => {
  const shared = { n: 1 };
  const value: Record<string, unknown> = { left: shared, right: [shared] };
  value.self = value;
  const copy = takeSnapshot(value, defaultStoreLimits).value as typeof value & { right: unknown[] };
  expect(copy.left).toBe(copy.right[0]);
  expect(copy.self).toBe(copy);
});

test('a list with as many names as holes keeps both', () => {
  const { value } = takeSnapshot(Object.assign([1], { 2: 3, name: 'x' }), defaultStoreLimits);
  expect([Object.keys(value as object), (value as unknown[]).length]).toEqual([['0', '2', 'name'], 3]);
});

test('bytes are copied, two views stay on one buffer, and what is no plain bytes stays what it is', () => {
  const copyOf = (value: unknown): unknown => takeSnapshot(value, defaultStoreLimits).value;
  const bytes = new Uint8Array([1, 2, 3]);
  const copy = copyOf({ bytes }) as { readonly bytes: Uint8Array };
  bytes[0] = 9;
  expect(copy.bytes).toEqual(new Uint8Array([1, 2, 3]));
  const [left, right] = copyOf([bytes, new Uint8Array(bytes.buffer)]) as [Uint8Array, Uint8Array];
  left[1] = 7;
  expect(right[1]).toBe(7);
  const part = copyOf(bytes.subarray(1)) as Uint8Array;
  expect([part.byteOffset, part.buffer.byteLength]).toEqual([1, 3]);
  class Other extends Uint8Array {}
  for (const value of [new Other(2), Buffer.from('a')]) expect(copyOf(value)).toEqual(structuredClone(value));
  const given = new Uint8Array(5);
  structuredClone(given, { transfer: [given.buffer] });
  expect(() => copyOf([given])).toThrow('cannot be stored');
});

test('a key that would set the prototype is only a key', () => {
  const hostile: unknown = JSON.parse('{"__proto__": {"isAdmin": true}, "a": 1}');
  const { value } = takeSnapshot(hostile, defaultStoreLimits);
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(Object.hasOwn(value as object, '__proto__')).toBe(true);
  expect((value as { isAdmin?: boolean }).isAdmin).toBeUndefined();
});

test('a value is refused at the same depth and size, plain or not', () => {
  const limits = { ...defaultStoreLimits, maxValueDepth: 3, maxValueBytes: 200 };
  const nested = (depth: number, leaf: unknown): unknown => (depth === 0 ? leaf : [nested(depth - 1, leaf)]);
  for (const leaf of [1, new Date(0)]) {
    expect(() => takeSnapshot(nested(3, leaf), limits)).not.toThrow();
    expect(() => takeSnapshot(nested(4, leaf), limits)).toThrow('levels of nesting');
  }
  for (const item of ['x'.repeat(120), new Uint8Array(240)]) {
    expect(() => takeSnapshot({ item }, limits)).toThrow('bytes');
  }
});

test('a getter is read once, and one that throws is refused', () => {
  let reads = 0;
  const value = {
    get n() {
      return ++reads;
    },
  };
  expect(takeSnapshot(value, defaultStoreLimits).value).toEqual({ n: 1 });
  const thrower = {
    get n(): number {
      throw new Error('no');
    },
  };
  expect(() => takeSnapshot(thrower, defaultStoreLimits)).toThrow('cannot be stored');
});
