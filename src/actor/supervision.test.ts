import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addRestart, restartsLeft, shouldRestart } from './restart.ts';
import { createSupervision } from './supervision-state.ts';
import type { ChildKey, Strategy, SupervisionEffect, SupervisionEvent } from './supervision-state.ts';
import { decide } from './supervision.ts';

const limits = { maxRestarts: 3, maxSeconds: 5 };

/** A supervisor whose orders are carried out when the test says so. */
class Bench {
  state: ReturnType<typeof createSupervision>;
  seconds = 0;
  effects: SupervisionEffect[] = [];

  constructor(strategy: Strategy = 'one-for-one', given = limits) {
    this.state = createSupervision(strategy, given);
  }

  feed(event: SupervisionEvent): void {
    const [state, effects] = decide(this.state, event, this.seconds);
    this.state = state;
    this.effects.push(...effects);
  }

  add(...ids: string[]): this {
    const children = ids.map((id): ChildKey => ({
      id,
      type: 'actor',
      restart: 'permanent',
      isSignificant: false,
    }));
    this.feed({ type: 'first-start', children, request: 0 });
    for (const id of ids) this.started(id);
    this.orders();
    return this;
  }

  run(id: string): number {
    return this.state.children.find((child) => child.id === id)?.run ?? -1;
  }

  started(id: string): void {
    this.feed({ type: 'child-start', id, run: this.run(id) });
  }

  failed(id: string, cause: number): void {
    this.feed({ type: 'child-fail', id, run: this.run(id), cause });
  }

  stopped(id: string): void {
    this.feed({ type: 'child-stop', id, run: this.run(id) });
  }

  exit(...ids: string[]): void {
    this.feed({ type: 'child-exit', exits: ids.map((id) => ({ id, isNormal: false })) });
    this.feed({ type: 'inbox-turn' });
  }

  /** What was ordered since it was last asked. */
  orders(): string[] {
    return this.effects.splice(0).flatMap((effect) => {
      if (effect.type === 'start' || effect.type === 'stop' || effect.type === 'give-up')
        return [`${effect.type} ${effect.id}`];
      if (effect.type === 'retry') return [`retry ${effect.cause}`];
      if (effect.type === 'reply') return [`reply ${effect.request} ${effect.answer}`];
      return effect.type === 'end' ? [`end ${effect.ending}`] : [];
    });
  }

  get statuses(): string {
    return this.state.children.map(({ id, status }) => `${id} ${status}`).join(', ');
  }
}

test('a state is never changed: the same event on the same state gives the same decision', () => {
  const bench = new Bench('one-for-all').add('a', 'b');
  const before = structuredClone(bench.state);
  const exit: SupervisionEvent = { type: 'child-exit', exits: [{ id: 'a', isNormal: false }] };
  expect(decide(bench.state, exit, 0)).toEqual(decide(bench.state, exit, 0));
  expect(bench.state).toEqual(before);
});

test('attempts that failed together, as in one lost worker, add one entry', () => {
  const bench = new Bench().add('a', 'b');
  bench.exit('a', 'b');
  expect(bench.orders()).toEqual(['start a', 'start b']);
  bench.failed('a', 7);
  bench.failed('b', 7);
  expect(bench.orders()).toEqual(['retry 7']);
  bench.feed({ type: 'child-retry', cause: 7 });
  expect(bench.orders()).toEqual(['start a', 'start b']);
  expect(bench.state.history).toEqual([0, 0]);
});

test('under one-for-one a slow start keeps nobody waiting', () => {
  const bench = new Bench().add('a', 'b', 'c');
  bench.exit('a');
  bench.exit('b');
  expect(bench.orders()).toEqual(['start a', 'start b']);
  bench.feed({ type: 'child-remove', id: 'c', request: 1 });
  bench.stopped('c');
  expect(bench.orders()).toEqual(['stop c', 'reply 1 done']);
});

test('under the other strategies one thing is done at a time, in the order in which it came', () => {
  const bench = new Bench('rest-for-one').add('a', 'b');
  bench.exit('b');
  bench.feed({ type: 'child-terminate', id: 'a', request: 1 });
  bench.exit('a');
  expect(bench.orders()).toEqual(['start b']);
  expect(bench.statuses).toBe('a exited, b starting');
  bench.started('b');
  expect(bench.orders()).toEqual(['reply 1 done']);
  expect(bench.statuses).toBe('a stopped, b running');
});

test('a child that ends while its group is stopped is no second failure', () => {
  const bench = new Bench('one-for-all').add('a', 'b', 'c');
  bench.exit('a');
  bench.exit('b');
  expect(bench.orders()).toEqual(['stop c']);
  bench.stopped('c');
  for (const id of ['a', 'b', 'c']) bench.started(id);
  expect(bench.orders()).toEqual(['start a', 'start b', 'start c']);
  expect(bench.state.history).toEqual([0]);
});

test('a removal cuts a start short, and an addition of the same id waits for its end', () => {
  const bench = new Bench().add('a');
  bench.exit('a');
  bench.feed({ type: 'child-remove', id: 'a', request: 1 });
  const child: ChildKey = { id: 'a', type: 'actor', restart: 'permanent', isSignificant: false };
  bench.feed({ type: 'child-add', child, request: 2 });
  bench.started('a');
  expect(bench.orders()).toEqual(['start a', 'stop a']);
  bench.stopped('a');
  expect(bench.orders()).toEqual(['reply 1 done', 'start a']);
});

test('giving up refuses what waits and what comes, stops in reverse, and then ends', () => {
  const bench = new Bench('one-for-all', { maxRestarts: 0, maxSeconds: 1 }).add('a', 'b', 'c');
  bench.exit('b');
  expect(bench.orders()).toEqual(['give-up b', 'stop c']);
  bench.feed({ type: 'child-delete', id: 'a', request: 5 });
  bench.exit('a');
  bench.stopped('c');
  expect(bench.orders()).toEqual(['reply 5 refused', 'end gave-up']);
  bench.feed({ type: 'child-retry', cause: 1 });
  bench.feed({ type: 'shutdown-ask' });
  expect(bench.orders()).toEqual([]);
});

test('a first start that fails stops what had started, in reverse', () => {
  const bench = new Bench();
  const children = ['a', 'b', 'c'].map((id): ChildKey => ({
    id,
    type: 'actor',
    restart: 'permanent',
    isSignificant: false,
  }));
  bench.feed({ type: 'first-start', children, request: 0 });
  bench.started('a');
  bench.started('b');
  bench.failed('c', 1);
  bench.stopped('b');
  bench.stopped('a');
  const expected = [
    'start a',
    'start b',
    'start c',
    'stop b',
    'stop a',
    'reply 0 refused',
    'end start-failed',
  ];
  expect(bench.orders()).toEqual(expected);
  expect(bench.state.culprit).toBe('c');
});

test('shutting down stops what is just starting too', () => {
  const bench = new Bench().add('a');
  bench.exit('a');
  bench.feed({ type: 'shutdown-ask' });
  bench.started('a');
  bench.stopped('a');
  expect(bench.orders()).toEqual(['start a', 'stop a', 'end asked']);
});

test('five thousand children stop without exhausting the stack', () => {
  const bench = new Bench('one-for-all');
  const children = Array.from({ length: 5_000 }, (_, at): ChildKey => ({
    id: `c${at}`,
    type: 'actor',
    restart: 'permanent',
    isSignificant: false,
  }));
  bench.feed({ type: 'first-start', children, request: 0 });
  bench.failed('c0', 1);
  expect(bench.orders().at(-1)).toBe('end start-failed');
});

test('a clock that goes back neither forgets restarts nor keeps them for ever', () => {
  const first = addRestart([], 1000, limits);
  const second = addRestart(first.history, 10, limits);
  expect(second).toEqual({ history: [10, 10], isAllowed: true });
  expect(restartsLeft(second.history, 15, limits)).toBe(1);
  expect(restartsLeft(second.history, 16, limits)).toBe(3);
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
