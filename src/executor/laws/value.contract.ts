/** Values pass both ways as they are meant. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Executor, Session } from '../executor.ts';
import type { GuestValue } from '../guest-value.ts';
import { expectType, valueOf } from './open-executor.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';

/** Values that come back as they went in. */
const roundTrip: fc.Arbitrary<GuestValue> = fc.letrec<{ value: GuestValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc
      .double()
      .filter((value) => !Number.isInteger(value) || Math.abs(value) >= 1e21 || Object.is(value, -0)),
    fc.bigInt().filter((value) => value > 2n ** 53n || value < -(2n ** 53n)),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme', maxLength: 40_000, size: 'max' }),
    fc.date({ noInvalidDate: true, min: new Date('0001-01-02'), max: new Date('9999-12-30') }),
    fc.uint8Array(),
    fc.float64Array(),
    fc.int32Array(),
    fc.bigInt64Array(),
    fc.array(tie('value')),
    fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('$', '__proto__', 'v', 'constructor')),
      tie('value'),
      {
        noNullPrototype: true,
      },
    ),
    fc
      .uniqueArray(fc.tuple(fc.integer(), tie('value')), { minLength: 1, selector: ([key]) => key })
      .map((entries): GuestValue => new Map(entries)),
  ) as fc.Arbitrary<GuestValue>,
})).value;

/** Vitest's equality looks at prototypes; ours are gone on purpose. */
function plain(value: GuestValue): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, plain(item as GuestValue)]));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof Date) {
    return value;
  }
  return Object.entries(value)
    .map(([key, item]) => [key, plain(item as GuestValue)] as const)
    .toSorted(([left], [right]) => (left < right ? -1 : 1));
}

/** @param open makes an executor of the kind under test */
export function valueLaws(open: OpenExecutor): void {
  let executor: Executor;
  let session: Session;
  beforeAll(async () => {
    executor = open();
    session = await executor.createSession();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  test('what goes in comes back', async () => {
    await fc.assert(
      fc.asyncProperty(roundTrip, async (value) => {
        const outcome = await session.execute('x', { variables: { x: value } }, { outputs: ['x'] });
        const { value: back, variables } = expectType(outcome, 'returned');
        expect(plain(back)).toEqual(plain(value));
        expect(plain(variables['x'] as GuestValue)).toEqual(plain(value));
      }),
      { numRuns: 150 },
    );
  });

  test.each<[string, GuestValue]>([
    ['type(True).__name__', 'bool'],
    ['(1, 2)', [1, 2]],
    ['{3, 3}', [3]],
    ['2**70', 2n ** 70n],
    ['-2**53 + 1', -(2 ** 53) + 1],
    ['-(2**53)', -(2n ** 53n)],
    ['b"\\x00\\xff"', new Uint8Array([0, 255])],
    ['import array\narray.array("f", [1.5])', new Float32Array([1.5])],
    ['import datetime\ndatetime.date(2026, 11, 22)', new Date('2026-11-22')],
    ['0', 0],
    ['""', ''],
    ['False', false],
    ['None', null],
    ['x = 1', null],
    ['', null],
    ['# only a comment', null],
  ])('%s is %o', async (code, value) => {
    expect(await valueOf(session, code)).toEqual(value);
  });

  test('values arrive as Python means them', async () => {
    const variables = {
      a: 1,
      b: 1.5,
      c: 2n ** 65n,
      d: new Uint8Array([1]),
      e: new Date(1000),
      f: new Float64Array([1, 2]),
      g: new Map<GuestValue, GuestValue>([
        [1, 'one'],
        [[1, 2], 'pair'],
      ]),
      h: -0,
      ſ: 'long s',
    };
    const code = '[type(x).__name__ for x in (a, b, c, d, e, f, g, h)], g[(1, 2)], e.isoformat(), s';
    expect(plain(expectType(await session.execute(code, { variables }), 'returned').value)).toEqual([
      ['int', 'float', 'int', 'bytes', 'datetime', 'array', 'dict', 'float'],
      'pair',
      '1970-01-01T00:00:01+00:00',
      'long s',
    ]);
  });

  test('what comes back is frozen, and its keys pollute nothing', async () => {
    const value = await valueOf(
      session,
      '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}',
    );
    expect(Object.getPrototypeOf(value)).toBe(null);
    expect(Object.isFrozen(value)).toBe(true);
    expect(({} as Record<string, unknown>)['polluted']).toBe(undefined);
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor']);
  });
}
