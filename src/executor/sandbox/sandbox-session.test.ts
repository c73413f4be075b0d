import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { silentHub } from '../../telemetry/index.ts';
import { resolveLimits } from '../limits.ts';
import type { Outcome } from '../outcome.ts';
import { python } from '../language/python/python.ts';
import { SandboxPool } from './pool.ts';
import { resolvePolicy } from '../policy/policy.ts';
import type { RunEnd, RunWatcher, Sandbox } from './sandbox.ts';
import { SandboxSession } from './sandbox-session.ts';

/** An interpreter as the page sees it: what it answers, and when, is the test's to say. */
class ScriptedSandbox {
  readonly id: string;
  readonly canInterrupt = true;
  readonly runs: string[] = [];
  isAlive = true;
  /** A frame that has crashed: nobody answers. */
  isSilent = false;
  #end: ((end: RunEnd) => void) | undefined;

  constructor(id: string) {
    this.id = id;
  }

  isReachable(): Promise<boolean> {
    return this.isSilent ? new Promise(() => undefined) : Promise.resolve(this.isAlive);
  }

  run({ request }: { readonly request: Uint8Array }, _watcher: RunWatcher): Promise<RunEnd> {
    const { code } = JSON.parse(new TextDecoder().decode(request)) as { code: string };
    this.runs.push(code);
    if (code !== 'stuck')
      return Promise.resolve({
        type: 'result',
        isStateLost: false,
        result: { type: 'returned', value: code, variables: {} },
      });
    return new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  interrupt(): Promise<void> {
    if (this.isSilent) return new Promise(() => undefined);
    const error = { type: 'KeyboardInterrupt', message: '', traceback: '', line: null };
    this.#end?.({ type: 'result', isStateLost: false, result: { type: 'threw', error } });
    return Promise.resolve();
  }

  kill(cause: string): void {
    this.isAlive = false;
    this.#end?.({ type: 'dead', cause: cause as never, message: cause });
  }
}

/** A session whose first interpreter is `first`; the next ones start when they are told to. */
function createSession() {
  const first = new ScriptedSandbox('first');
  const clock = new SimulatedClock();
  const limits = resolveLimits();
  const starts: (() => void)[] = [];
  const second = new ScriptedSandbox('second');
  const start = (): Promise<Sandbox> =>
    new Promise((resolve) => starts.push(() => resolve(second as unknown as Sandbox)));
  const session = new SandboxSession(first as unknown as Sandbox, {
    pool: new SandboxPool(start, 0),
    rules: { limits, policy: resolvePolicy(), language: python },
    dependencies: {
      clock,
      hub: silentHub,
      limits,
      packages: { isOpen: false, serve: () => Promise.resolve(null), supply: (run) => Promise.resolve(run) },
    },
    bootFailure: (error) => ({ type: 'failed', message: String(error) }) as Outcome,
    onDispose: () => undefined,
  });
  return { session, first, second, starts, clock };
}

test('an interrupt while the interpreter starts ends the run that waits for it, and no other', async () => {
  const { session, first, second, starts } = createSession();
  first.isAlive = false;
  const waiting = session.execute('waiting');
  const next = session.execute('next');
  await expect.poll(() => starts).toHaveLength(1);
  session.interrupt();
  expect(await waiting).toMatchObject({ type: 'cancelled', isSandboxLost: true });
  // the next one asks for what is being started
  await new Promise((resolve) => setTimeout(resolve, 0));
  starts[0]?.();
  expect(await next).toMatchObject({ type: 'returned', value: 'next' });
  expect(second.runs).toEqual(['next']);
  expect(starts).toHaveLength(1);
});

test('an interrupt right after the call ends it', async () => {
  const { session, first } = createSession();
  const run = session.execute('never');
  session.interrupt();
  expect(await run).toMatchObject({ type: 'cancelled', isSandboxLost: false });
  expect(await session.execute('next')).toMatchObject({ type: 'returned' });
  expect(first.runs).toEqual(['next']);
});

test('an interrupt hits the run in progress, not those behind it, and with none does nothing', async () => {
  const { session, first } = createSession();
  session.interrupt();
  const stuck = session.execute('stuck');
  const next = session.execute('next');
  await expect.poll(() => first.runs).toEqual(['stuck']);
  session.interrupt();
  expect(await stuck).toMatchObject({ type: 'cancelled', isSandboxLost: false });
  expect(await next).toMatchObject({ type: 'returned', value: 'next' });
});

// time stands still in these: nothing but the abort can end the wait
test('an abort is heard at once while a silent frame is waited for', async () => {
  const { session, first } = createSession();
  first.isSilent = true;
  const controller = new AbortController();
  const run = session.execute('1', {}, { signal: controller.signal });
  await new Promise((resolve) => setTimeout(resolve, 0));
  controller.abort();
  expect(await run).toMatchObject({ type: 'cancelled' });
  expect(first.runs).toEqual([]);
});

test('an abort in a run whose frame is silent takes the grace and no more', async () => {
  const { session, first, clock } = createSession();
  const controller = new AbortController();
  const run = session.execute('stuck', {}, { signal: controller.signal });
  await expect.poll(() => first.runs).toEqual(['stuck']);
  first.isSilent = true;
  controller.abort();
  await clock.advance(resolveLimits().interruptGraceMs);
  expect(await run).toMatchObject({ type: 'cancelled', isSandboxLost: true });
});

test('disposal ends a run that waits for its interpreter at once', async () => {
  const { session, first, starts } = createSession();
  first.isAlive = false;
  const run = session.execute('1');
  await expect.poll(() => starts).toHaveLength(1);
  await session[Symbol.asyncDispose]();
  expect(await run).toMatchObject({ type: 'cancelled', isSandboxLost: true });
});
