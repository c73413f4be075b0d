import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { fromValueBytes } from './value-parse.ts';
import { toValueBytes } from './value-bytes.ts';

const limit = 2 ** 20;
/** Five long, with items at 1 and 3. */
const holes: unknown[] = Array(5);
holes[1] = 1;
holes[3] = 2;
const back = (value: unknown): unknown => fromValueBytes(toValueBytes(value, limit));

describe('values as bytes', () => {
  test('whatever a clone keeps comes back', () => {
    const shared = { n: 1 };
    const cyclic: Record<string, unknown> = { shared: [shared, shared], ['__proto__']: { polluted: true } };
    cyclic['self'] = new Map([[cyclic, new Set([cyclic])]]);
    const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer;
    const named = Object.assign([1, 2], { name: 'x' });
    const values: unknown[] = [
      null,
      undefined,
      true,
      false,
      0,
      -0,
      1.5,
      -7,
      2 ** 53,
      -(2 ** 60),
      Number.NaN,
      Infinity,
      '',
      'text \u0000 😀',
      'half \ud800 pair',
      'long '.repeat(100),
      0n,
      -12345678901234567890n,
      2n ** 200n,
      new Date(5),
      new Date(Number.NaN),
      /a+\//giu,
      [],
      [1, [2]],
      holes,
      named,
      {},
      { a: { b: undefined } },
      cyclic,
      new Map(),
      new Set([1, 'x']),
      buffer,
      new Float64Array([1.5, Number.NaN, -0]),
      new Uint16Array(buffer, 2, 2),
      [new Uint8Array(buffer), new DataView(buffer, 1, 3)],
      new BigInt64Array([-1n]),
      new Uint8ClampedArray(3),
      Object('boxed'),
      Object(7),
      Object(false),
      Object(3n),
    ].map((value) => structuredClone(value));
    for (const value of values) expect(back(value)).toEqual(value);
    const read = back(structuredClone(cyclic)) as Record<string, unknown[]>;
    expect(read['shared']?.[0]).toBe(read['shared']?.[1]);
    expect([...(read['self'] as unknown as Map<unknown, unknown>).keys()][0]).toBe(read);
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    const [bytes, view] = back([new Uint8Array(buffer), new DataView(buffer, 1, 3)]) as [
      Uint8Array,
      DataView,
    ];
    expect(bytes.buffer).toBe(view.buffer);
    expect(Object.is(back(-0), -0)).toBe(true);
    expect(Object.keys(back(holes) as unknown[])).toEqual(['1', '3']);
  });

  test('errors keep type, message, stack and cause', () => {
    const cause = new Error('inner');
    const error = structuredClone(new TypeError('outer', { cause }));
    const read = back({ error }) as { error: TypeError };
    expect(read.error).toBeInstanceOf(TypeError);
    expect([read.error.message, read.error.stack]).toEqual(['outer', error.stack]);
    expect(read.error.cause).toEqual(error.cause);
  });

  test('any value comes back as a clone would give it', { timeout: 60_000 }, () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withBoxedValues: true,
      withUnicodeString: true,
      maxDepth: 4,
    } as fc.ObjectConstraints);
    fc.assert(
      fc.property(anything, (value) => {
        const clone = structuredClone(value);
        expect(back(clone)).toEqual(clone);
      }),
      { numRuns: 100 },
    );
  });

  test('what has no bytes is refused, and so is what is too much', () => {
    const code = (value: unknown): unknown => {
      try {
        toValueBytes(value, 10_000);
        return 'encoded';
      } catch (error) {
        return isCodedError(error) ? error.code : error;
      }
    };
    let deep: unknown = 0;
    for (let level = 0; level < 700; level++) deep = [deep];
    expect([code(new Blob(['x'])), code(() => 1), code(Symbol('s')), code(deep)]).toEqual(
      Array(4).fill('state/not-encodable'),
    );
    expect([code('x'.repeat(20_000)), code(new Uint8Array(20_000)), code(Array(20_000).fill(1))]).toEqual(
      Array(3).fill('state/value-too-large'),
    );
  });
});

/** What reading any bytes comes to: a value, or the one error. */
function readCode(bytes: Uint8Array): string {
  try {
    fromValueBytes(bytes);
    return 'read';
  } catch (error) {
    return isCodedError(error) ? error.code : `untyped: ${String(error)}`;
  }
}

describe('bytes that nobody wrote', () => {
  const sample = {
    list: [1, -2, 3.5, 'text', '\ud800'],
    map: new Map([['k', new Set([1n])]]),
    bytes: new Uint16Array([1, 2]),
    at: new Date(1),
    source: /x/g,
    error: Object.assign(new RangeError('r'), { stack: 'at' }),
    boxed: Object('b'),
  };

  test('cut off anywhere, or with one bit turned, they give a value or the error, and nothing else', () => {
    const bytes = toValueBytes(sample, limit);
    const cut = new Set<string>();
    for (let length = 0; length < bytes.length; length++) cut.add(readCode(bytes.slice(0, length)));
    expect([...cut]).toEqual(['state/bytes-damaged']);
    const turned = new Set<string>();
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const copy = bytes.slice();
      copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      turned.add(readCode(copy));
    }
    expect([...turned].toSorted()).toEqual(['read', 'state/bytes-damaged']);
    expect(readCode(new Uint8Array([...bytes, 0]))).toBe('state/bytes-damaged');
  });

  test('any bytes give a value or the error', () => {
    const tags = fc.constantFrom(...Array.from('nutfjkdsSiIoaAmeDREBbv@', (tag) => tag.charCodeAt(0)));
    const bytes = fc.array(fc.oneof(tags, fc.integer({ min: 0, max: 255 })), { maxLength: 60 });
    fc.assert(
      fc.property(bytes, (some) => {
        expect(['read', 'state/bytes-damaged']).toContain(readCode(new Uint8Array(some)));
      }),
      { numRuns: 1000 },
    );
  });

  test('lengths that cannot be, nesting without end and prototypes do no harm', () => {
    const huge = [255, 255, 255, 255, 255, 255, 255, 15];
    for (const tag of 'sSioamebA') {
      expect(readCode(new Uint8Array([tag.charCodeAt(0), ...huge]))).toBe('state/bytes-damaged');
    }
    const deep = new Uint8Array(200_000).map((_, index) => (index % 2 === 0 ? 'a'.charCodeAt(0) : 1));
    expect(readCode(deep)).toBe('state/bytes-damaged');
    // an array whose length is -1
    const length = [...new TextEncoder().encode('length')];
    expect(readCode(new Uint8Array([65, 5, 1, 115, 6, ...length, 107, 1]))).toBe('state/bytes-damaged');
    const many = new Uint8Array(2 * 4 * 2 ** 20 + 10).fill(0);
    many.set(['a'.charCodeAt(0), 0x81, 0x80, 0x80, 2]);
    for (let at = 5; at < many.length; at += 2) many[at] = 'o'.charCodeAt(0);
    expect(readCode(many)).toBe('state/bytes-damaged');
    const key = [...new TextEncoder().encode('__proto__')];
    const polluted = fromValueBytes(
      new Uint8Array([111, 1, 115, 9, ...key, 111, 1, 115, 1, 120, 116]),
    ) as object;
    expect(Object.getPrototypeOf(polluted)).toBe(Object.prototype);
    expect(Object.keys(polluted)).toEqual(['__proto__']);
    expect((polluted as { x?: unknown }).x).toBeUndefined();
  });
});
