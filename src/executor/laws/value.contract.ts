/** Values pass both ways as they are meant. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Executor, Session } from '../executor.ts';
import type { GuestValue } from '../guest-value.ts';
import { expectType, valueOf } from './open-executor.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';
import { have, lawOf } from './spelling.contract.ts';
import type { Spelling } from './spelling.contract.ts';

/** Values that come back as they went in. */
function roundTrip(kinds: readonly fc.Arbitrary<GuestValue>[]): fc.Arbitrary<GuestValue> {
  return fc.letrec<{ value: GuestValue }>((tie) => ({
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
      ...kinds,
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
}

/** Vitest's equality looks at prototypes; ours are gone on purpose. */
export function plain(value: GuestValue): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, plain(item as GuestValue)]));
  if (value instanceof Set) return new Set([...value].map((item) => plain(item as GuestValue)));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof Date) {
    return value;
  }
  return Object.entries(value)
    .map(([key, item]) => [key, plain(item as GuestValue)] as const)
    .toSorted(([left], [right]) => (left < right ? -1 : 1));
}

/** @param open makes an executor of the kind under test */
export function valueLaws(open: OpenExecutor, { values }: Spelling): void {
  let executor: Executor;
  let session: Session;
  beforeAll(async () => {
    executor = open();
    session = await executor.createSession();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  lawOf(values, 'what goes in comes back', async ({ read, kinds }) => {
    await fc.assert(
      fc.asyncProperty(roundTrip(kinds), async (value) => {
        const outcome = await session.execute(read('x'), { variables: { x: value } }, { outputs: ['x'] });
        const { value: back, variables } = expectType(outcome, 'returned');
        expect(plain(back)).toEqual(plain(value));
        expect(plain(variables['x'] as GuestValue)).toEqual(plain(value));
      }),
      { numRuns: 150 },
    );
  });

  test.each(have(values)?.expressions ?? [])('%s is %o', async (code, value) => {
    expect(plain(await valueOf(session, code))).toEqual(plain(value));
  });

  lawOf(values, 'values arrive as the language means them', async ({ arrival }) => {
    const { variables = {}, asked } = arrival;
    const outcome = await session.execute(asked[0], { variables });
    expect(plain(expectType(outcome, 'returned').value)).toEqual(plain(asked[1]));
  });

  lawOf(values, 'what comes back is frozen, and its keys pollute nothing', async ({ polluting }) => {
    const value = await valueOf(session, polluting);
    expect(Object.getPrototypeOf(value)).toBe(null);
    expect(Object.isFrozen(value)).toBe(true);
    expect(({} as Record<string, unknown>)['polluted']).toBe(undefined);
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor']);
  });
}
