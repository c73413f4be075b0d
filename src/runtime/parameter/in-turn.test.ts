/** Turns by themselves, in several queues at once. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { codeOf } from '../runtime-test-scene.ts';
import { inTurn } from './whole-change.ts';
import type { Changing } from './whole-change.ts';

const queue = (): Changing => ({ changes: [] });

test('many that wait for one queue cost what they are, not their square', async () => {
  const [shared, clock] = [queue(), new SimulatedClock()];
  const begun: number[] = [];
  const works = Array.from({ length: 10_000 }, (_, index) =>
    inTurn([shared], { clock, isAlone: true }, () => Promise.resolve(begun.push(index))),
  );
  await Promise.all(works);
  expect(begun).toEqual(works.map((_, index) => index));
  expect(shared.changes).toEqual([]);
});

interface Asked {
  readonly queues: readonly number[];
  readonly isAlone: boolean;
  /** After this long it gives up, or works. */
  readonly timeoutMs: number;
  readonly worksMs: number;
}

const hundreds = (max: number): fc.Arbitrary<number> =>
  fc.integer({ min: 1, max }).map((hundred) => hundred * 100);

const asked: fc.Arbitrary<Asked> = fc.record({
  queues: fc.uniqueArray(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 3 }),
  isAlone: fc.boolean(),
  timeoutMs: hundreds(25),
  worksMs: hundreds(10),
});
/** Nothing ends at the moment at which another gives up. */
const askedAtOnce = fc
  .array(asked, { minLength: 1, maxLength: 12 })
  .map((all) => all.map((one, index) => ({ ...one, timeoutMs: one.timeoutMs + index + 1 })));

const isApart = (one: Asked, other: Asked): boolean =>
  !one.queues.some((each) => other.queues.includes(each)) || !(one.isAlone || other.isAlone);

/** When each begins, if it does: who was there before and does not go together with it has ended, or given up. */
function expectedBegins(all: readonly Asked[]): readonly (number | undefined)[] {
  const found: { readonly begin: number | undefined; readonly end: number }[] = [];
  for (const [index, one] of all.entries()) {
    const ends = found.filter((_, other) => !isApart(one, all[other] as Asked)).map(({ end }) => end);
    const begin = Math.max(0, ...ends);
    const isInTime = begin < one.timeoutMs;
    found[index] = {
      begin: isInTime ? begin : undefined,
      end: isInTime ? begin + one.worksMs : one.timeoutMs,
    };
  }
  return found.map(({ begin }) => begin);
}

test('each begins when all that does not go with it has ended or given up, not earlier and not later', async () => {
  await fc.assert(
    fc.asyncProperty(askedAtOnce, async (all) => {
      const clock = new SimulatedClock();
      const queues = [queue(), queue(), queue()];
      const begun: (number | undefined)[] = all.map(() => undefined);
      const began = clock.now();
      const works = all.map(({ queues: names, isAlone, timeoutMs, worksMs }, index) =>
        codeOf(
          inTurn(
            names.map((name) => queues[name] as Changing),
            { clock, isAlone, timeoutMs },
            () => {
              begun[index] = clock.now() - began;
              return new Promise<void>((resolve) => clock.after(worksMs, resolve));
            },
          ),
        ),
      );
      await clock.advance(5_000);
      const expected = expectedBegins(all);
      const codes = expected.map((begin) => (begin === undefined ? 'port/timeout' : 'resolved'));
      expect([begun, await Promise.all(works)]).toEqual([expected, codes]);
      expect(queues.flatMap(({ changes }) => changes)).toEqual([]);
    }),
  );
});
