import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCodedError } from '../base/index.ts';
import { decodeValue, encodeValue } from './value-bytes.ts';

function roundTrip(value: unknown): unknown {
  const bytes = encodeValue(structuredClone(value));
  if (!bytes) throw new Error('no bytes');
  return decodeValue(bytes);
}

describe('a value as bytes and back is what a structured clone of it is', () => {
  test('any value', { timeout: 30_000 }, () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withBoxedValues: true,
      maxDepth: 3,
    });
    const text = fc.string({ unit: 'binary', maxLength: 80 });
    fc.assert(
      fc.property(fc.oneof(anything, text, fc.dictionary(text, anything)), (value) => {
        expect(roundTrip(value)).toEqual(structuredClone(value));
      }),
      { numRuns: 200 },
    );
  });

  test('what other formats lose', () => {
    for (const value of [
      -0,
      0,
      -1,
      2 ** 30,
      -(2 ** 30),
      2 ** 53,
      -(2 ** 60),
      1e-320,
      Number.NaN,
      -Infinity,
    ]) {
      expect(Object.is(roundTrip(value), value)).toBe(true);
    }
    const loneText = `x${'\ud800'.repeat(5000)}`;
    for (const text of [
      '',
      '\ud800',
      'é',
      '\ufeffbom',
      '😀'.repeat(50),
      'a'.repeat(41),
      'a'.repeat(40),
      loneText,
    ])
      expect(roundTrip(text)).toBe(text);
    const own = JSON.parse('{"__proto__":{"polluted":1},"a":2}') as object;
    const back = roundTrip(own) as object;
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(Object.keys(back)).toEqual(['__proto__', 'a']);
    expect('polluted' in {}).toBe(false);
    const sparse: unknown[] = [1, undefined];
    sparse[5] = 2;
    expect(Object.keys(roundTrip(sparse) as object)).toEqual(['0', '1', '5']);
    expect((roundTrip(Array(2 ** 31)) as unknown[]).length).toBe(2 ** 31);
    expect((roundTrip(Object.assign([1], { more: 2 })) as { more: number }).more).toBe(2);
    const error = new TypeError('wrong', { cause: { at: 1 } });
    const read = roundTrip(error) as Error;
    expect(read).toBeInstanceOf(TypeError);
    expect([read.name, read.message, read.stack, read.cause]).toEqual([
      'TypeError',
      'wrong',
      error.stack,
      structuredClone(error).cause,
    ]);
  });

  test('a list with as many names as holes keeps both', () => {
    const value = roundTrip(Object.assign([1], { 2: 3, name: 'x' })) as unknown[];
    expect([Object.keys(value), value.length]).toEqual([['0', '2', 'name'], 3]);
  });

  test('cycles and what is shared stay so', () => {
    const cyclic: Record<string, unknown> = { list: [], map: new Map(), error: new Error('e') };
    (cyclic.list as unknown[]).push(cyclic, cyclic.list);
    (cyclic.map as Map<unknown, unknown>).set(cyclic.map, cyclic);
    const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer;
    cyclic.views = [
      new Uint8Array(buffer, 1, 3),
      new DataView(buffer, 2, 4),
      buffer,
      new Float64Array(buffer),
    ];
    const read = roundTrip(cyclic) as typeof cyclic;
    expect((read.list as unknown[])[0]).toBe(read);
    expect((read.list as unknown[])[1]).toBe(read.list);
    expect((read.map as Map<unknown, unknown>).get(read.map)).toBe(read);
    const [bytes, view, shared, floats] = read.views as [Uint8Array, DataView, ArrayBuffer, Float64Array];
    expect([...bytes]).toEqual([2, 3, 4]);
    expect(view.getUint8(0)).toBe(3);
    for (const each of [bytes, view, floats]) expect(each.buffer).toBe(shared);
  });

  test('what cannot be written at once gives no bytes', () => {
    expect(encodeValue(new Blob(['x']))).toBeUndefined();
    expect(encodeValue({ deep: [new Map([['k', new Blob(['x'])]])] })).toBeUndefined();
  });
});

describe('bytes that nobody wrote', () => {
  const refused = (bytes: Uint8Array): void => {
    try {
      decodeValue(bytes);
    } catch (error) {
      expect(isCodedError(error, 'state/value-damaged')).toBe(true);
    }
  };

  test('of any kind end in state/value-damaged or a value', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        refused(bytes);
        refused(Uint8Array.of(1, ...bytes));
      }),
      { numRuns: 2000 },
    );
  });

  test('a cut or a flipped bit of a real one too', () => {
    const value = {
      map: new Map([['k', [1, 2n, 'x'.repeat(60), -1.5]]]),
      view: new Uint8Array(9),
      at: new Date(1),
    };
    const bytes = encodeValue(value) as Uint8Array;
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeValue(bytes.subarray(0, length))).toThrow(
        expect.objectContaining({ code: 'state/value-damaged' }) as Error,
      );
    }
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      refused(flipped);
    }
    expect(() => decodeValue(Uint8Array.of(...bytes, 0))).toThrow('more bytes');
  });

  test('lengths and depths that lie cost nothing', () => {
    const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0x1f];
    const arrayTag = 9;
    for (const tag of [6, 7, 9, 11, 14, 15, 16]) {
      expect(() => decodeValue(Uint8Array.of(1, tag, ...huge))).toThrow(
        expect.objectContaining({ code: 'state/value-damaged' }) as Error,
      );
    }
    const many = [...Array(1000)].flatMap(() => [10, 0xff, 0xff, 0xff, 0xe, 0]);
    expect(decodeValue(Uint8Array.of(1, 9, 0xe8, 0x07, ...many))).toHaveLength(1000);
    const nested = new Uint8Array(1_000_001).map((_, index) =>
      index === 0 ? 1 : index % 2 === 1 ? arrayTag : 1,
    );
    expect(() => decodeValue(nested)).toThrow('nested too deep');
  });
});
