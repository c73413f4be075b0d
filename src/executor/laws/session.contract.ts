/** Runs that share an interpreter. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Executor } from '../executor.ts';
import { codeOf, valueOf } from './open-executor.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';
import { have, isLacking, lawOf, lines } from './spelling.contract.ts';
import type { Spelling } from './spelling.contract.ts';

const stuckMs = 300;

/** @param open makes an executor of the kind under test */
export function sessionLaws(open: OpenExecutor, spelling: Spelling): void {
  const { number, say, loop, stuck, values } = spelling;
  let executor: Executor;
  beforeAll(() => {
    executor = open({ limits: { sessions: 2, queuedPerSession: 2 } });
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  lawOf(spelling.keeping, 'what a run left stays, also after one that failed', async (keeping) => {
    await using session = await executor.createSession();
    const { id } = session;
    await session.execute(keeping.first);
    expect(await session.execute(keeping.failing)).toMatchObject({ type: 'threw' });
    expect(await valueOf(session, keeping.asked[0])).toEqual(keeping.asked[1]);
    expect(session.id).toBe(id);
  });

  lawOf(values, 'sessions are apart, and their number is bounded', async ({ set, has }) => {
    const first = await executor.createSession();
    const second = await executor.createSession();
    expect(await codeOf(executor.createSession())).toBe('executor/session-limit');
    await first.execute(set('x', 1));
    expect(await valueOf(second, has('x'))).toBe(false);
    await first[Symbol.asyncDispose]();
    await using third = await executor.createSession();
    expect(await valueOf(third, has('x'))).toBe(false);
    await second[Symbol.asyncDispose]();
  });

  lawOf(spelling.inOrder, 'runs queue in order of call; too many are refused', async (programs) => {
    await using session = await executor.createSession();
    const runs = programs.map((code) => session.execute(code));
    expect(await codeOf(session.execute(number(1)))).toBe('executor/queue-full');
    expect((await Promise.all(runs))[2]).toMatchObject({ type: 'returned', value: ['a', 'b', 'c'] });
  });

  lawOf(
    values,
    'a polite interrupt keeps the variables and does not hit the next run',
    async ({ set, read }) => {
      await using session = await executor.createSession();
      await session.execute(set('x', 5));
      for (let round = 0; round < 5; round += 1) {
        const run = session.execute(lines(say('go'), loop), {}, { onOutput: () => session.interrupt() });
        const next = session.execute(read('x'));
        expect(await run).toMatchObject({ type: 'cancelled', stdout: 'go\n', isSandboxLost: false });
        expect(await next).toMatchObject({ type: 'returned', value: 5 });
      }
    },
  );

  lawOf(values, 'a lost interpreter is told, and the session goes on afresh', async ({ set, has }) => {
    await using session = await executor.createSession();
    const { id } = session;
    await session.execute(set('x', 5));
    expect(await session.execute(stuck, {}, { timeoutMs: stuckMs })).toMatchObject({
      type: 'exceeded',
      isSandboxLost: true,
    });
    expect(await valueOf(session, has('x'))).toBe(have(spelling.restoring) !== undefined);
    expect(session.id).not.toBe(id);
  });

  lawOf(
    spelling.restoring,
    'a lost interpreter has a successor with what its last run left, and what it lacks is told',
    async ({ leave, asked, lost }) => {
      await using session = await executor.createSession();
      await session.execute(leave);
      const told = await session.execute(stuck, {}, { timeoutMs: stuckMs });
      expect(told.restored?.names).toContain('x');
      expect(told.restored?.lost.map(({ name }) => name).toSorted()).toEqual(lost);
      expect(told.restored?.missedRuns).toBe(0);
      const first = await session.execute(asked[0]);
      expect(first).toMatchObject({ type: 'returned', value: asked[1], restored: told.restored });
      // what is left now is put aside in its turn
      expect(await session.execute(stuck, {}, { timeoutMs: stuckMs })).toHaveProperty('restored.names');
      const second = await session.execute(asked[0]);
      expect(second).toMatchObject({ type: 'returned', value: asked[1] });
    },
    30_000,
  );

  const outliving = isLacking(spelling.restoring) ? spelling.restoring : spelling.keeping;
  lawOf(outliving, 'what is kept from run to run outlives the interpreter', async (keeping) => {
    await using session = await executor.createSession();
    await session.execute(keeping.first);
    await session.execute(keeping.failing);
    const told = await session.execute(stuck, {}, { timeoutMs: stuckMs });
    expect(told).toMatchObject({ isSandboxLost: true, restored: { missedRuns: 0 } });
    expect(await valueOf(session, keeping.asked[0])).toEqual(keeping.asked[1]);
  });

  lawOf(spelling.restoring, 'what is too large to be put aside is listed', async ({ leave }) => {
    await using narrow = open({ limits: { checkpointBytes: 10 } });
    await using session = await narrow.createSession();
    await session.execute(leave);
    const told = await session.execute(stuck, {}, { timeoutMs: stuckMs });
    expect(told.restored?.names).not.toContain('x');
    expect(told.restored?.lost).toContainEqual({ name: 'x', reason: expect.stringContaining('10 bytes') });
    const next = await session.execute(number(1));
    expect(next).toMatchObject({ type: 'returned', value: 1, restored: told.restored });
  });

  lawOf(spelling.restoring, 'with no bytes for it, nothing is put aside', async ({ leave }) => {
    await using forgetful = open({ limits: { checkpointBytes: 0 } });
    await using session = await forgetful.createSession();
    await session.execute(leave);
    const told = await session.execute(stuck, {}, { timeoutMs: stuckMs });
    expect(told.isSandboxLost).toBe(true);
    expect(told).not.toHaveProperty('restored');
  });

  test('disposal ends the run and those that wait as cancelled', async () => {
    const session = await executor.createSession();
    const onOutput = (): void => void session[Symbol.asyncDispose]();
    const runs = [session.execute(lines(say('1'), loop), {}, { onOutput }), session.execute(number(1))];
    expect(await Promise.all(runs)).toMatchObject([
      { type: 'cancelled', isSandboxLost: true },
      { type: 'cancelled' },
    ]);
    expect(await codeOf(session.execute(number(1)))).toBe('executor/disposed');
  });

  test('an interrupt with nothing running does nothing', async () => {
    await using session = await executor.createSession();
    session.interrupt();
    expect(await valueOf(session, spelling.longSum)).toBe(4999950000);
  });

  test('an interrupt ends a run that waits for a new interpreter', async () => {
    await using cold = open({ limits: { warmSandboxes: 0 } });
    await using session = await cold.createSession();
    await session.execute(stuck, {}, { timeoutMs: stuckMs });
    const waiting = session.execute(loop);
    const next = session.execute(number(2));
    session.interrupt();
    expect(await waiting).toMatchObject({ type: 'cancelled', isSandboxLost: true });
    expect(await next).toMatchObject({ type: 'returned', value: 2 });
  });
}
