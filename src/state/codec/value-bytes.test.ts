import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { fromValueBytes } from './from-value-bytes.ts';
import { toValueBytes } from './to-value-bytes.ts';
import { valueTags, valueVersion, viewKinds } from './value-format.ts';

/** Five long, with items at 1 and 3. */
const holes: unknown[] = Array(5);
holes[1] = 1;
holes[3] = 2;
const back = (value: unknown): unknown => fromValueBytes(toValueBytes(value));

/** What must be so of every value that a store holds. */
function expectBack(clone: unknown): unknown {
  const bytes = toValueBytes(clone);
  const read = fromValueBytes(bytes);
  expect(read).toEqual(clone);
  // equality does not see names of lists, holes and -0: the bytes do
  expect(toValueBytes(read)).toEqual(bytes);
  return read;
}

const views = viewKinds.flatMap((kind) => {
  const type = (globalThis as unknown as Record<string, new (buffer: ArrayBuffer) => ArrayBufferView>)[kind];
  return type ? [type] : [];
});

describe('values as bytes', () => {
  test('whatever a clone keeps comes back', { timeout: 60_000 }, () => {
    const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer;
    const values: unknown[] = [
      [null, undefined, true, false],
      [0, -0, 1.5, -7, 2 ** 30, -(2 ** 30), 2 ** 53 - 1, 2 ** 53, -(2 ** 53), -(2 ** 60), 1e-320],
      [Number.NaN, Infinity, -Infinity],
      ['', 'text \u0000 😀', 'half \ud800 pair', '\udc00', 'é', '\ufeffbom', `x${'\ud800'.repeat(20_000)}`],
      ['a', 'é', '😀', '\ud800a'].flatMap((text) => [23, 24, 63, 64].map((length) => text.repeat(length))),
      'long '.repeat(100_000),
      [0n, 7n, -12345678901234567890n, 2n ** 200n],
      [new Date(5), new Date(Number.NaN), /a+\//giu, /(?:)/],
      [[], [1, [2]], holes, Object.assign([1, 2], { name: 'x' }), Object.assign([1], { 2: 3, name: 'x' })],
      Object.assign([], { '4294967295': 1 }),
      Array(2 ** 32 - 1),
      [{}, { a: { b: undefined } }, { ключ: 1, '\ud800': 2, '': 3 }],
      [new Map(), new Map<unknown, unknown>([[{ a: 1 }, [new Set([1, 'x', {}])]]]), new Set()],
      [buffer, new ArrayBuffer(0), new Uint8Array(buffer, 1, 3), new DataView(buffer, 2, 4)],
      new Float64Array([1.5, Number.NaN, -0]),
      new Float32Array(10_000).fill(0.1),
      views.map((type) => new type(buffer)),
      [Object('boxed'), Object('\ud800'), Object(7), Object(false), Object(3n)],
    ];
    for (const value of values) expectBack(structuredClone(value));
    expect(views.length).toBeGreaterThanOrEqual(12);
    expect(Object.is(back(-0), -0)).toBe(true);
    expect(Object.keys(back(holes) as unknown[])).toEqual(['1', '3']);
    const named = back(Object.assign([1], { 2: 3, name: 'x' })) as unknown[];
    expect([Object.keys(named), named.length]).toEqual([['0', '2', 'name'], 3]);
  });

  test('cycles and what is shared stay so', () => {
    const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer;
    const error = new Error('e');
    const cyclic: Record<string, unknown> = { list: [], map: new Map(), error };
    error.cause = [error, cyclic];
    (cyclic['list'] as unknown[]).push(cyclic, cyclic['list']);
    (cyclic['map'] as Map<unknown, unknown>).set(cyclic['map'], new Set([cyclic]));
    cyclic['views'] = [new Uint8Array(buffer, 1, 3), new DataView(buffer, 2, 4), buffer];
    const read = back(cyclic) as typeof cyclic;
    expect((read['list'] as unknown[])[0]).toBe(read);
    expect((read['list'] as unknown[])[1]).toBe(read['list']);
    const map = read['map'] as Map<unknown, Set<unknown>>;
    expect([...(map.get(map) as Set<unknown>)][0]).toBe(read);
    expect(((read['error'] as Error).cause as unknown[])[0]).toBe(read['error']);
    expect(((read['error'] as Error).cause as unknown[])[1]).toBe(read);
    const [bytes, view, shared] = read['views'] as [Uint8Array, DataView, ArrayBuffer];
    expect([...bytes]).toEqual([2, 3, 4]);
    expect(view.getUint8(0)).toBe(3);
    for (const each of [bytes, view]) expect(each.buffer).toBe(shared);
  });

  test('errors keep type, message, stack and cause, and have no more than they had', () => {
    const cause = new Error('inner');
    for (const type of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
      const error = structuredClone(new type('outer', { cause }));
      const read = expectBack(error) as Error;
      expect(Object.getPrototypeOf(read)).toBe(type.prototype);
      expect([read.name, read.stack, read.cause]).toEqual([error.name, error.stack, error.cause]);
      expect(Object.keys(read)).toEqual([]);
    }
    const bare = new Error();
    Reflect.deleteProperty(bare, 'stack');
    expect(Object.getOwnPropertyNames(expectBack(bare))).toEqual(Object.getOwnPropertyNames(bare));
    const named = back(Object.assign(new Error('m'), { name: 'Own' })) as Error;
    expect(named.name).toBe('Own');
    const exception = expectBack(new DOMException('stopped', 'AbortError')) as DOMException;
    expect(exception).toBeInstanceOf(DOMException);
    expect([exception.name, exception.message, exception.code]).toEqual(['AbortError', 'stopped', 20]);
  });

  test('any value comes back as a clone would give it, and to the same bytes', { timeout: 60_000 }, () => {
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
    const text = fc.string({ unit: 'binary', maxLength: 80 });
    fc.assert(
      fc.property(fc.oneof(anything, text, fc.dictionary(text, anything)), (value) => {
        expectBack(structuredClone(value));
      }),
      { numRuns: 300 },
    );
  });

  test('the bytes do not depend on what was written before, or on who holds the value', () => {
    const value = { list: [1, 'x'], map: new Map([['k', 1]]), nan: Number.NaN };
    const bytes = toValueBytes(value);
    toValueBytes(['y'.repeat(200_000), new Uint8Array(200_000)]);
    expect(() => toValueBytes(['y'.repeat(50), new Blob(['x'])])).toThrow('a Blob');
    expect(toValueBytes(structuredClone(value))).toEqual(bytes);
    const otherNan = new Float64Array(new BigUint64Array([0x7ff8_0000_0000_0001n]).buffer)[0];
    expect(toValueBytes({ ...value, nan: otherNan })).toEqual(bytes);
  });

  test('the bytes have a buffer of their own, and no more', { timeout: 60_000 }, () => {
    for (const value of [1, 'x'.repeat(5000), new Uint8Array(100_000), Array(50_000).fill('item')]) {
      const bytes = toValueBytes(value);
      expect(bytes.buffer.byteLength).toBe(bytes.length);
    }
    const bytes = toValueBytes(new Uint8Array([1, 2, 3]));
    const read = fromValueBytes(bytes) as Uint8Array;
    bytes.fill(0);
    expect([...read]).toEqual([1, 2, 3]);
    expect(read.buffer.byteLength).toBe(3);
  });

  test('what has no bytes is refused, and so is what is too much', { timeout: 60_000 }, () => {
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
    const growing = new (ArrayBuffer as new (length: number, options: object) => ArrayBuffer)(1, {
      maxByteLength: 2,
    });
    const refused = [
      new Blob(['x']),
      { deep: [new Map([['k', new Blob(['x'])]])] },
      () => 1,
      Symbol('s'),
      deep,
      growing,
      new Uint8Array(growing),
      new SharedArrayBuffer(1),
      new Uint8Array(new SharedArrayBuffer(1)),
      new (class Own {})(),
    ];
    for (const value of refused) expect(code(value)).toBe('state/not-encodable');
    const large = ['x'.repeat(9998), new Uint8Array(9998), Array(5000).fill(1), 'é'.repeat(5000)];
    for (const value of large) expect(code(value)).toBe('state/value-too-large');
    expect(code('x'.repeat(9995))).toBe('encoded');
    const many = Array(4 * 2 ** 20).fill(0);
    expect(() => toValueBytes(many)).toThrow(
      expect.objectContaining({ code: 'state/not-encodable' }) as Error,
    );
    many.pop();
    expect((back(many) as unknown[]).length).toBe(many.length);
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

const unknownTag = Object.keys(valueTags).length;
const textBytes = (text: string): number[] => {
  const bytes = [...new TextEncoder().encode(text)];
  return [2 * bytes.length, ...bytes];
};
const valueOf = (...body: number[]): Uint8Array => new Uint8Array([valueVersion, ...body]);

describe('bytes that nobody wrote', () => {
  const sample = {
    list: [1, -2, 3.5, 'text', '\ud800', 'x'.repeat(100), null, undefined, true, 2n],
    holes,
    map: new Map([['k', new Set([1n])]]),
    bytes: new Uint16Array([1, 2]),
    view: new DataView(new ArrayBuffer(4), 1, 2),
    at: new Date(1),
    source: /x/g,
    error: Object.assign(new RangeError('r', { cause: [] }), { stack: 'at' }),
    exception: new DOMException('m', 'AbortError'),
    boxed: Object('b'),
    again: holes,
  };

  test(
    'cut off anywhere, or with one bit turned, they give a value or the error, and nothing else',
    { timeout: 60_000 },
    () => {
      const bytes = toValueBytes(sample);
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
    },
  );

  test('any bytes give a value or the error', { timeout: 60_000 }, () => {
    const tags = fc.integer({ min: 0, max: unknownTag });
    const bytes = fc.array(fc.oneof(tags, tags, fc.integer({ min: 0, max: 255 })), { maxLength: 60 });
    fc.assert(
      fc.property(bytes, (some) => {
        expect(['read', 'state/bytes-damaged']).toContain(readCode(valueOf(...some)));
        expect(['read', 'state/bytes-damaged']).toContain(readCode(new Uint8Array(some)));
      }),
      { numRuns: 3000 },
    );
  });

  test('a real value with some bytes exchanged gives a value or the error', { timeout: 60_000 }, () => {
    const bytes = toValueBytes(sample);
    const place = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(place, { minLength: 1, maxLength: 4 }), (places) => {
        const copy = bytes.slice();
        for (const [at, byte] of places) copy[at] = byte;
        expect(['read', 'state/bytes-damaged']).toContain(readCode(copy));
      }),
      { numRuns: 3000 },
    );
  });

  test('of any other form are refused by their first byte', () => {
    for (let first = 0; first < 256; first++) {
      const bytes = new Uint8Array([first, valueTags.null]);
      expect(readCode(bytes)).toBe(first === valueVersion ? 'read' : 'state/bytes-damaged');
    }
    expect(() => fromValueBytes(new Uint8Array([1, 0]))).toThrow('form 1, expected 2');
    // as they once began, with the ASCII letter of a tag
    expect(() => fromValueBytes(new TextEncoder().encode('n'))).toThrow('form 110, expected 2');
  });

  test('lengths that cannot be, and nesting without end, cost nothing', { timeout: 60_000 }, () => {
    const huge = [255, 255, 255, 255, 255, 255, 255, 15];
    const sized = ['string', 'bigint', 'again', 'object', 'array', 'sparse', 'map', 'set', 'buffer'] as const;
    for (const name of sized) expect(readCode(valueOf(valueTags[name], ...huge))).toBe('state/bytes-damaged');
    expect(readCode(valueOf(valueTags.integer, ...huge.slice(0, 7), 31))).toBe('state/bytes-damaged');
    const deep = new Uint8Array(10_001).map((_, index) =>
      index === 0 ? valueVersion : index % 2 === 1 ? valueTags.array : 1,
    );
    expect(() => fromValueBytes(deep)).toThrow('more than 600 levels');
    const many = new Uint8Array(2 * 4 * 2 ** 20 + 10).fill(0);
    many.set([valueVersion, valueTags.array, 0x81, 0x80, 0x80, 2]);
    for (let at = 6; at < many.length; at += 2) many[at] = valueTags.object;
    expect(() => fromValueBytes(many)).toThrow('values');
    for (const length of [
      [0xff, 0x07],
      [0xff, 0xff, 0xff, 0x0e],
      [0xff, 0xff, 0xff, 0xff, 0x0f],
    ]) {
      const lists = [...Array(1000)].flatMap(() => [valueTags.sparse, ...length, 0]);
      expect(fromValueBytes(valueOf(valueTags.array, 0xe8, 0x07, ...lists))).toHaveLength(1000);
    }
  });

  test('what cannot be made is refused', () => {
    const nothing = [valueTags.null];
    const buffer = [valueTags.buffer, 4, 1, 2, 3, 4];
    for (const [name, body] of [
      ['no tag', [unknownTag]],
      ['no object yet', [valueTags.array, 1, valueTags.again, 1]],
      ['a box of itself', [valueTags.boxed, valueTags.again, 0]],
      ['a box of null', [valueTags.boxed, ...nothing]],
      ['a view of no buffer', [valueTags.view, 1, 0, 0, ...nothing]],
      ['a view of an unknown kind', [valueTags.view, viewKinds.length, 0, 0, ...buffer]],
      ['a view beyond its buffer', [valueTags.view, 1, 2, 3, ...buffer]],
      ['a view at half an item', [valueTags.view, viewKinds.indexOf('Uint16Array'), 1, 1, ...buffer]],
      ['a digit that is none', [valueTags.bigint, ...textBytes('0x1')]],
      ['no digits', [valueTags.bigint, ...textBytes('')]],
      ['an expression that is none', [valueTags.expression, ...textBytes('('), ...textBytes('')]],
      ['flags that are none', [valueTags.expression, ...textBytes('a'), ...textBytes('xx')]],
      ['an exception without a message', [valueTags.exception, ...textBytes('E'), 0]],
      ['half a unit', [valueTags.string, 2 * 3 + 1, 0, 0, 0]],
      ['UTF-8 that is none', [valueTags.string, 2, 0xff]],
      ['an item behind the end', [valueTags.sparse, 1, 1, ...textBytes('5'), ...nothing]],
      ['a length among the names', [valueTags.sparse, 5, 1, ...textBytes('length'), valueTags.integer, 9]],
      ['a length below 0', [valueTags.sparse, 5, 1, ...textBytes('length'), valueTags.negative, 1]],
    ] as const) {
      expect([name, readCode(valueOf(...body))]).toEqual([name, 'state/bytes-damaged']);
    }
  });

  test('names of the prototype are names like any other', () => {
    const inner = [valueTags.object, 1, ...textBytes('x'), valueTags.true];
    const proto = [...textBytes('__proto__'), ...inner];
    const polluted = valueOf(valueTags.object, 2, ...proto, ...textBytes('constructor'), valueTags.null);
    const read = fromValueBytes(polluted) as { x?: unknown };
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(Object.keys(read)).toEqual(['__proto__', 'constructor']);
    expect([read.x, ({} as { x?: unknown }).x]).toEqual([undefined, undefined]);
    expect(toValueBytes(read)).toEqual(polluted);
  });
});
