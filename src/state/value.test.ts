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
