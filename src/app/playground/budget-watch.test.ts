import { expect, test } from 'vitest';
import type { SupervisorSnapshot } from '../../actor/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { BudgetWatch } from './budget-watch.ts';

const limits = { strategy: 'one-for-one', maxRestarts: 3, maxSeconds: 5, restarts: [] } as const;

function snapshot(restartsLeft: number, below?: number): SupervisorSnapshot {
  const inner = below === undefined ? undefined : { id: 's/b', ...limits, restartsLeft: below, children: [] };
  const child = { id: 'b', type: 'supervisor', restart: 'permanent', status: 'running' } as const;
  return { id: 's', ...limits, restartsLeft, children: inner ? [{ ...child, supervisor: inner }] : [] };
}

/** Looks as long as it is asked to; the budget is whole again at the given time. */
async function looksUntil(spent: (atMs: number) => SupervisorSnapshot): Promise<readonly number[]> {
  const clock = new SimulatedClock();
  const looks: number[] = [];
  const watch = new BudgetWatch(clock, () => {
    looks.push(clock.monotonic());
    watch.note(spent(clock.monotonic()));
  });
  watch.note(spent(0));
  // whatever else draws meanwhile does not make it look more often
  watch.note(spent(0));
  await clock.advance(10_000);
  return looks;
}

test('a budget that is whole is left alone', async () => {
  expect(await looksUntil(() => snapshot(3, 3))).toEqual([]);
});

test.each([
  ['at the top', (atMs: number) => snapshot(atMs < 1_200 ? 2 : 3)],
  ['further down', (atMs: number) => snapshot(3, atMs < 1_200 ? 0 : 3)],
])('while some is spent %s it looks twice a second, and rests when all is back', async (_, spent) => {
  expect(await looksUntil(spent)).toEqual([500, 1_000, 1_500]);
});

test('it looks again when some is spent again', async () => {
  expect(await looksUntil((atMs) => snapshot(atMs < 600 ? 1 : 3))).toEqual([500, 1_000]);
  const clock = new SimulatedClock();
  let looks = 0;
  const watch = new BudgetWatch(clock, () => looks++);
  for (let round = 1; round <= 3; round++) {
    watch.note(snapshot(2));
    await clock.advance(5_000);
    expect(looks).toBe(round);
  }
});
