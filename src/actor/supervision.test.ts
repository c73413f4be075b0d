import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addRestart, restartsLeft, shouldRestart } from './restart.ts';
import { decide } from './supervision.ts';
import type { SupervisionEvent, SupervisionState } from './supervision.ts';

const limits = { maxRestarts: 3, maxSeconds: 5 };
const initial: SupervisionState = { limits, children: [], history: [], hasGivenUp: false };

/** Feeds events; answers the state and every effect. */
function run(
  events: readonly SupervisionEvent[],
  from: SupervisionState = initial,
): { state: SupervisionState; effects: string[] } {
  let state = from;
  const all: string[] = [];
  for (const event of events) {
    const [next, effects] = decide(state, event);
    state = next;
    all.push(
      ...effects.map((effect) =>
        effect.type === 'give-up' ? `give-up ${effect.stop.join()}` : `${effect.type} ${effect.id}`,
      ),
    );
  }
  return { state, effects: all };
}

const started = (
  id: string,
  restart: 'permanent' | 'transient' | 'temporary' = 'permanent',
): SupervisionEvent[] => [
  { type: 'child-add', id, restart },
  { type: 'child-start', id },
];
const crash = (id: string, atSeconds: number): SupervisionEvent => ({
  type: 'child-exit',
  ids: [id],
  isNormal: false,
  atSeconds,
});

test('intensity permits exactly maxRestarts in the inclusive window; one more gives up', () => {
  const at = (times: number[]): string[] =>
    run([
      ...started('a'),
      ...times.flatMap((seconds) => [crash('a', seconds), { type: 'child-start', id: 'a' } as const]),
    ]).effects;
  expect(at([0, 1, 2])).toEqual(['start a', 'start a', 'start a']);
  expect(at([0, 1, 2, 5]).at(-1)).toBe('give-up ');
  expect(at([0, 1, 2, 6]).at(-1)).toBe('start a');
});

test('maxRestarts 0 gives up on the first failure', () => {
  const state = { ...initial, limits: { maxRestarts: 0, maxSeconds: 5 } };
  expect(run([...started('a'), crash('a', 0)], state).effects).toEqual(['give-up ']);
});

test('one failure of many children adds one entry', () => {
  const { state, effects } = run([
    ...started('a'),
    ...started('b'),
    { type: 'child-exit', ids: ['a', 'b'], isNormal: false, atSeconds: 1 },
  ]);
  expect(effects).toEqual(['start a', 'start b']);
  expect(state.history).toEqual([1]);
});

test('each failed attempt to restart adds an entry', () => {
  const fail: SupervisionEvent = { type: 'child-fail', ids: ['a'], atSeconds: 0 };
  expect(run([...started('a'), crash('a', 0), fail, fail]).effects).toEqual([
    'start a',
    'start a',
    'start a',
  ]);
  expect(run([...started('a'), crash('a', 0), fail, fail, fail]).effects.at(-1)).toBe('give-up ');
});

test('attempts that failed together, as in one lost worker, add one entry', () => {
  const events = [...started('a'), ...started('b')];
  const exit: SupervisionEvent = { type: 'child-exit', ids: ['a', 'b'], isNormal: false, atSeconds: 0 };
  const fail: SupervisionEvent = { type: 'child-fail', ids: ['a', 'b', 'gone'], atSeconds: 0 };
  const { state, effects } = run([...events, exit, fail, fail]);
  expect(state.history).toEqual([0, 0, 0]);
  expect(effects.slice(-2)).toEqual(['start a', 'start b']);
});

test('giving up stops the running children last started first, and then nothing more happens', () => {
  const { state, effects } = run([
    ...['a', 'b', 'c'].flatMap((id) => started(id)),
    ...[0, 0, 0].flatMap(() => [crash('b', 0), { type: 'child-start', id: 'b' } as const]),
    crash('b', 0),
  ]);
  expect(effects.at(-1)).toBe('give-up c,a');
  expect(decide(state, crash('a', 0))[1]).toEqual([]);
});

test.each([
  ['permanent', true, 'start a'],
  ['permanent', false, 'start a'],
  ['transient', true, undefined],
  ['transient', false, 'start a'],
  ['temporary', true, 'drop a'],
  ['temporary', false, 'drop a'],
] as const)('a %s child with a normal exit: %s', (restart, isNormal, effect) => {
  expect(
    run([...started('a', restart), { type: 'child-exit', ids: ['a'], isNormal, atSeconds: 0 }]).effects,
  ).toEqual(effect ? [effect] : []);
});

/** The rule restated from OTP's text, as slowly as possible: count the attempts in the closed window. */
function referenceAllows(
  attempts: readonly number[],
  nowSeconds: number,
  maxRestarts: number,
  maxSeconds: number,
): boolean {
  let inWindow = 0;
  for (const attempt of [...attempts, nowSeconds]) if (nowSeconds - attempt <= maxSeconds) inWindow++;
  return inWindow <= maxRestarts;
}

test('intensity equals the rule restated, for any sequence of failures', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(4), { minLength: 1, maxLength: 40 }),
      fc.nat(5),
      fc.integer({ min: 1, max: 8 }),
      (gaps, maxRestarts, maxSeconds) => {
        let history: readonly number[] = [];
        const attempts: number[] = [];
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          const expected = referenceAllows(attempts, now, maxRestarts, maxSeconds);
          const answer = addRestart(history, now, { maxRestarts, maxSeconds });
          expect(answer.isAllowed).toBe(expected);
          attempts.push(now);
          history = answer.history;
          expect(restartsLeft(history, now, { maxRestarts, maxSeconds })).toBeGreaterThanOrEqual(0);
          if (!expected) return;
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('the restart table of OTP', () => {
  expect(shouldRestart('permanent', true)).toBe(true);
  expect(shouldRestart('transient', true)).toBe(false);
  expect(shouldRestart('transient', false)).toBe(true);
  expect(shouldRestart('temporary', false)).toBe(false);
});
