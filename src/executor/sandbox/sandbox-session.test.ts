import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { resolveLimits } from '../limits.ts';
import type { LostName, Outcome } from '../outcome.ts';
import { python } from '../language/python/python.ts';
import { SandboxPool } from './pool.ts';
import { resolvePolicy } from '../policy/policy.ts';
import type { RunEnd, RunWatcher, Sandbox } from './sandbox.ts';
import { SandboxSession } from './sandbox-session.ts';
import type { SavedSession } from './saved-session.ts';

/** An interpreter as the page sees it: what it answers, and when, is the test's to say. */
class ScriptedSandbox {
  readonly id: string;
  readonly canInterrupt = true;
  readonly runs: string[] = [];
  isAlive = true;
  /** A frame that has crashed: nobody answers. */
  isSilent = false;
  isSaving = false;
  #endSave: (() => void) | undefined;
  saved: SavedSession | undefined;
  missedRuns = 0;
  endCause: string | undefined;
  /** What it answers when it is to become another one; without an answer it never does. */
  restoring: readonly LostName[] | undefined = [];
  #endRestore: ((lost: undefined) => void) | undefined;
  #end: ((end: RunEnd) => void) | undefined;

  constructor(id: string) {
    this.id = id;
  }

  keepSession(_bounds: unknown, saved: SavedSession | undefined): void {
    this.saved = saved;
    this.missedRuns = saved?.missedRuns ?? 0;
  }

  whenSaved(): Promise<void> {
    return this.isSaving
      ? new Promise((resolve) => {
          this.#endSave = resolve;
        })
      : Promise.resolve();
  }

  restore(): Promise<readonly LostName[] | undefined> {
    if (this.restoring) return Promise.resolve(this.restoring);
    return new Promise((resolve) => {
      this.#endRestore = resolve;
    });
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
        isStateLost: code === 'losing',
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
    this.endCause ??= cause;
    this.#endRestore?.(undefined);
    this.#endSave?.();
    this.#end?.({ type: 'dead', cause: cause as never, message: cause });
  }
}

/** A session whose first interpreter is `first`; the next ones start when they are told to. */
function createSession() {
  const first = new ScriptedSandbox('first');
  const clock = new SimulatedClock();
  const hub = createHub(clock);
  const sink = createMemorySink(hub);
  const limits = resolveLimits();
  const starts: (() => void)[] = [];
  const second = new ScriptedSandbox('second');
  const successors = [second, new ScriptedSandbox('third')];
  const start = (): Promise<Sandbox> =>
    new Promise((resolve) => starts.push(() => resolve(successors.shift() as unknown as Sandbox)));
  const session = new SandboxSession(first as unknown as Sandbox, {
    pool: new SandboxPool(start, 0),
    rules: { limits, policy: resolvePolicy({ environment: [] }), language: python },
    dependencies: {
      clock,
      hub,
      limits,
      packages: { isOpen: false, serve: () => Promise.resolve(null), supply: (run) => Promise.resolve(run) },
    },
    bootFailure: (error) => ({ type: 'failed', message: String(error) }) as Outcome,
    onDispose: () => undefined,
  });
  return { session, first, second, successors, starts, clock, sink };
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

const saved: SavedSession = {
  run: 3,
  missedRuns: 0,
  parts: [new ArrayBuffer(8)],
  names: ['x', 'y'],
  lost: [{ name: 'file', reason: 'it is open' }],
};

/** A session whose interpreter has put something aside, and is ended by its next run. */
async function loseInterpreter() {
  const parts = createSession();
  const { session, first, clock } = parts;
  Object.assign(first, { saved, missedRuns: 1 });
  const run = session.execute('stuck');
  await expect.poll(() => first.runs).toEqual(['stuck']);
  first.isSilent = true;
  session.interrupt();
  await clock.advance(resolveLimits().interruptGraceMs);
  first.isSilent = false;
  return { ...parts, told: await run };
}

test('what was put aside is told with the loss, and as it came back with the next run alone', async () => {
  const { session, starts, second, told } = await loseInterpreter();
  expect(told).toMatchObject({ isSandboxLost: true, restored: { names: ['x', 'y'], missedRuns: 1 } });
  second.restoring = [{ name: 'y', reason: 'it cannot be read' }];
  const next = session.execute('next');
  await expect.poll(() => starts).toHaveLength(1);
  starts[0]?.();
  expect(await next).toMatchObject({
    type: 'returned',
    restored: { names: ['x'], lost: [{ name: 'file' }, { name: 'y' }], missedRuns: 1 },
  });
  expect(await session.execute('last')).not.toHaveProperty('restored');
});

test('what is denied beforehand needs no interpreter, and leaves what was put aside to the next run', async () => {
  const { session, starts } = await loseInterpreter();
  const denied = session.execute('no', { environment: { SECRET: '1' } });
  expect(await denied).toMatchObject({ type: 'denied', name: 'SECRET' });
  expect(await denied).not.toHaveProperty('restored');
  expect(starts).toEqual([]);
  const next = session.execute('next');
  await expect.poll(() => starts).toHaveLength(1);
  starts[0]?.();
  expect(await next).toMatchObject({ value: 'next', restored: { names: ['x', 'y'] } });
});

test('an interpreter that never becomes the other one is ended in time, and a third one starts afresh', async () => {
  const { session, starts, second, clock } = await loseInterpreter();
  second.restoring = undefined;
  const next = session.execute('next');
  await expect.poll(() => starts).toHaveLength(1);
  starts[0]?.();
  await new Promise((resolve) => setTimeout(resolve, 0));
  await clock.advance(resolveLimits().restoreMs);
  await expect.poll(() => starts).toHaveLength(2);
  starts[1]?.();
  expect(await next).toMatchObject({ restored: { names: [], lost: [{}, { name: 'x' }, { name: 'y' }] } });
  expect(second.runs).toEqual([]);
});

test('an abort while it becomes the other one loses nothing: the next run tries again', async () => {
  const { session, starts, second } = await loseInterpreter();
  second.restoring = undefined;
  const waiting = session.execute('waiting');
  const next = session.execute('next');
  await expect.poll(() => starts).toHaveLength(1);
  starts[0]?.();
  await new Promise((resolve) => setTimeout(resolve, 0));
  session.interrupt();
  expect(await waiting).toMatchObject({ type: 'cancelled', restored: { names: ['x', 'y'] } });
  await expect.poll(() => starts).toHaveLength(2);
  starts[1]?.();
  expect(await next).toMatchObject({ type: 'returned', restored: { names: ['x', 'y'], missedRuns: 1 } });
});

test('a frame that goes down again while it becomes the other one loses nothing: the next frame has it', async () => {
  const { session, starts, second } = await loseInterpreter();
  second.restoring = undefined;
  const next = session.execute('next');
  await expect.poll(() => starts).toHaveLength(1);
  starts[0]?.();
  await new Promise((resolve) => setTimeout(resolve, 0));
  second.kill('frame-lost');
  await expect.poll(() => starts).toHaveLength(2);
  starts[1]?.();
  expect(await next).toMatchObject({ type: 'returned', restored: { names: ['x', 'y'], missedRuns: 1 } });
});

test('a frame that goes down each time is not brought back to without end', async () => {
  const scene = await loseInterpreter();
  const next = scene.session.execute('next');
  const killed: ScriptedSandbox[] = [scene.second];
  scene.second.restoring = undefined;
  for (let start = 0; start < 4; start++) {
    await expect.poll(() => scene.starts).toHaveLength(start + 1);
    scene.starts[start]?.();
    await new Promise((resolve) => setTimeout(resolve, 0));
    const now = killed.at(-1) as ScriptedSandbox;
    const successor = new ScriptedSandbox(`more-${start}`);
    successor.restoring = undefined;
    killed.push(successor);
    scene.successors.unshift(successor);
    now.kill('frame-lost');
  }
  await expect.poll(() => scene.starts).toHaveLength(5);
  scene.starts[4]?.();
  expect(await next).toMatchObject({ value: 'next', restored: { names: [] } });
});

test('a guest that never ends to be put aside is ended, and has a successor with what was put aside before', async () => {
  const { session, first, second, starts, clock } = createSession();
  Object.assign(first, { saved, missedRuns: 1, isSaving: true });
  const run = session.execute('next');
  await new Promise((resolve) => setTimeout(resolve, 0));
  await clock.advance(2 * resolveLimits().checkpointMs);
  await expect.poll(() => starts).toHaveLength(1);
  starts[0]?.();
  expect(await run).toMatchObject({ value: 'next', restored: { names: ['x', 'y'], missedRuns: 1 } });
  expect([first.runs, second.runs]).toEqual([[], ['next']]);
});

test('the hub hears of each run, which interpreter it reached, and how it ended', async () => {
  const { session, sink } = createSession();
  await session.execute('1');
  const stuck = session.execute('stuck');
  const waiting = session.execute('never');
  await session[Symbol.asyncDispose]();
  await Promise.all([stuck, waiting]);
  expect(sink.ofType('execution-start')).toHaveLength(3);
  const ends = sink.ofType('execution-end');
  expect(ends).toHaveLength(3);
  expect(ends[0]).toMatchObject({ language: 'python', sandbox: 'first', outcome: 'returned' });
  expect(ends.slice(1).map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled']);
});

test('an interpreter that has lost its state has a successor with what was put aside, though it could go on', async () => {
  const { session, first, second, starts } = createSession();
  expect(await session.execute('losing')).toMatchObject({ isSandboxLost: true });
  expect(first.isAlive).toBe(true);
  Object.assign(first, { saved, missedRuns: 0 });
  const told = await session.execute('losing');
  expect(told).toMatchObject({ isSandboxLost: true, restored: { names: ['x', 'y'] } });
  const next = session.execute('next');
  await expect.poll(() => starts).toHaveLength(1);
  starts[0]?.();
  expect(await next).toMatchObject({ value: 'next', restored: { names: ['x', 'y'] } });
  expect(second.runs).toEqual(['next']);
});
