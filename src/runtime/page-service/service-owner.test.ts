import { afterEach, expect, test, vi } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import type { Executor, Outcome, Session } from '../../executor/index.ts';
import { defaultPortLimits, Peer } from '../../port/index.ts';
import { Module } from '../../program/index.ts';
import type { Run } from '../../program/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import { executorService } from './executor-service.ts';
import { subModuleService } from '../module-protocol.ts';
import { traits } from './traits-test-scene.ts';

const ran: string[] = [];
let held: Promise<void> = Promise.resolve();
let isCancelled = false;

const run: Executor['execute'] = async (code, _, options = {}) => {
  ran.push(String(code));
  options.signal?.addEventListener('abort', () => (isCancelled = true));
  if (code === 'long') await held;
  const nothing = { output: [], durationMs: 0 };
  return { type: 'returned', value: null, variables: {}, ...nothing } as unknown as Outcome;
};

const session: Session = {
  id: 'inner' as Session['id'],
  execute: run,
  interrupt: () => void ran.push('interrupt'),
  [Symbol.asyncDispose]: async () => void ran.push('end'),
};

const executor: Executor = {
  ...traits,
  execute: run,
  createSession: async () => {
    ran.push('create');
    return session;
  },
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

class Part extends Module<null, string> {
  override forward(): Promise<string> {
    ran.push('part');
    return Promise.resolve('part');
  }
}

class Asks extends Module<string, string> {
  readonly part: Part = new Part();

  override async forward(what: string, { settings, signal }: Run): Promise<string> {
    if (what === 'part') return this.part.call(null);
    if (what === 'session') return (await settings.executor?.createSession())?.id ?? 'none';
    await settings.executor?.execute(what, {}, { signal });
    return 'done';
  }
}

const modules = { asks: Asks, part: Part };
const open: Runtime<typeof modules>[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  ran.length = 0;
  isCancelled = false;
  for (const runtime of open.splice(0)) await runtime.close();
});

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'resolved',
    (error: unknown) => (isCodedError(error) ? error.code : error),
  );

/** Two modules with workers of their own, and what either worker can ask the page. */
async function createScene(maxViolations = 100) {
  const call = vi.spyOn(Peer.prototype, 'call');
  const asked = (): { readonly peer: Peer; readonly body: Record<string, unknown> } => {
    const at = call.mock.calls.findLastIndex(([to]) => to === executorService || to === subModuleService);
    return {
      peer: call.mock.contexts[at] as Peer,
      body: call.mock.calls[at]?.[2] as Record<string, unknown>,
    };
  };
  const hub = createHub();
  const portLimits = { ...defaultPortLimits, maxViolations };
  const runtime = createRuntime({ modules, executor, hub, portLimits, poolSize: 1 });
  open.push(runtime);
  const options = {
    isolation: 'dedicated',
    actors: { part: { kind: 'part', isolation: 'dedicated', whenDown: 'fail' } },
  } as const;
  const victim = await runtime.start('asks', { id: 'victim', ...options });
  const other = await runtime.start('asks', { id: 'other', ...options });
  await other.call('1');
  const { peer, body: ofOther } = asked();
  ran.length = 0;
  return { runtime, victim, other, asked, peer, ofOther, sink: createMemorySink(hub) };
}

test('a worker cannot use a session, start code or ask a part in the name of a module of another worker', async () => {
  const { victim, asked, peer, sink } = await createScene();
  const id = await victim.call('session');
  await victim.call('long');
  const { body } = asked();
  const { incarnation } = body;
  await victim.call('part');
  const part = asked().body;
  ran.length = 0;
  const forged: readonly (readonly [string, string, object])[] = [
    [executorService, 'execute', body],
    [executorService, 'execute', { ...body, session: id }],
    [executorService, 'session-create', { owner: 'victim', incarnation }],
    [executorService, 'session-interrupt', { owner: 'victim', incarnation, session: id }],
    [executorService, 'session-end', { owner: 'victim', incarnation, session: id }],
    [subModuleService, 'forward', part],
  ];
  for (const [service, method, claim] of forged)
    expect(await codeOf(peer.call(service, method, claim))).toBe('runtime/service-owner-refused');
  expect(ran).toEqual([]);
  const notes = sink.ofType('note').map(({ text }) => text);
  expect(notes).toHaveLength(forged.length);
  expect(notes[0]).toMatch(/^worker .*: .*"executor" for "victim", which runs elsewhere$/u);
  // one that is over is late, and no offence
  expect(await codeOf(peer.call(executorService, 'execute', { ...body, owner: 'gone' }))).toBe(
    'actor/peer-died',
  );
  expect(sink.ofType('note')).toHaveLength(forged.length);
  expect(await victim.call('part')).toBe('part');
});

test('a worker cannot cancel what runs for another, also when it knows its name', async () => {
  const { victim, asked, peer, ofOther } = await createScene();
  let letGo = (): void => undefined;
  held = new Promise((resolve) => (letGo = resolve));
  const running = victim.call('long');
  await expect.poll(() => ran).toEqual(['long']);
  const { body } = asked();
  const { execution } = body;
  await peer.call(executorService, 'execution-cancel', { execution });
  // nor take its name, so that it cannot be cancelled any more
  await peer.call(executorService, 'execute', { ...ofOther, code: 'x', execution });
  expect(isCancelled).toBe(false);
  const controller = new AbortController();
  const cancelled = codeOf(victim.call('long', { signal: controller.signal }));
  await expect.poll(() => ran).toEqual(['long', 'x', 'long']);
  controller.abort();
  expect(await cancelled).toBe('port/cancelled');
  await expect.poll(() => isCancelled).toBe(true);
  letGo();
  expect(await running).toBe('done');
});

test('a worker that goes on like this is ended, and its neighbours in other workers are not', async () => {
  const { victim, other, asked, peer } = await createScene(3);
  const { body } = asked();
  for (let tries = 0; tries < 3; tries++)
    await peer.call(executorService, 'execute', { ...body, owner: 'victim' }).catch(() => undefined);
  await expect.poll(() => other.metrics.restarts).toBe(1);
  expect(victim.metrics.restarts).toBe(0);
  expect([await other.call('1'), await victim.call('1')]).toEqual(['done', 'done']);
});

test('what a stopped module asked is late, and no offence, also when its id runs in another worker by then', async () => {
  const { runtime, other, victim, asked, peer, ofOther, sink } = await createScene(3);
  const moved = await runtime.start('asks', { id: 'moved' });
  await moved.call('1');
  const { peer: first, body } = asked();
  await moved.stop();
  const again = await runtime.start('asks', { id: 'moved', isolation: 'dedicated' });
  await again.call('1');
  const { peer: second, body: now } = asked();
  expect(second).not.toBe(first);
  ran.length = 0;
  const late: readonly (readonly [string, object])[] = [
    ['execute', body],
    ['session-create', { owner: 'moved', incarnation: body['incarnation'] }],
    ['execute', body],
    ['execute', body],
  ];
  for (const [method, claim] of late)
    expect(await codeOf(first.call(executorService, method, claim))).toBe('actor/peer-died');
  expect(ran).toEqual([]);
  expect(sink.ofType('note')).toEqual([]);
  // in the name of the one that runs now it is forged, and so is what another worker says
  expect(await codeOf(first.call(executorService, 'execute', now))).toBe('runtime/service-owner-refused');
  expect(await codeOf(peer.call(executorService, 'execute', body))).toBe('runtime/service-owner-refused');
  expect(sink.ofType('note')).toHaveLength(2);
  expect(ofOther['incarnation']).not.toBe(body['incarnation']);
  expect([await again.call('1'), await victim.call('1'), await other.call('1')]).toEqual(
    Array(3).fill('done'),
  );
});

test('what a module asked before it was started again in the same worker is not done for the one that runs now', async () => {
  const { runtime, asked, sink } = await createScene();
  const first = await runtime.start('asks', { id: 'again' });
  await first.call('1');
  const { peer, body } = asked();
  await first.stop();
  const second = await runtime.start('asks', { id: 'again' });
  await second.call('1');
  expect(asked().peer).toBe(peer);
  ran.length = 0;
  const { owner, incarnation } = body;
  const late = peer.call(executorService, 'session-create', { owner, incarnation });
  expect(await codeOf(late)).toBe('actor/peer-died');
  expect(ran).toEqual([]);
  expect(sink.ofType('note')).toEqual([]);
});

test('modules of one worker are one program to each other: one can speak for its neighbour, and for nobody elsewhere', async () => {
  const { runtime, asked, peer, ofOther } = await createScene();
  const poor = await runtime.start('asks', { id: 'poor' });
  await poor.call('1');
  const { peer: shared, body } = asked();
  ran.length = 0;
  expect(await codeOf(shared.call(executorService, 'execute', { ...body, code: 'in its name' }))).toBe(
    'resolved',
  );
  expect(ran).toEqual(['in its name']);
  for (const [from, claim] of [
    [peer, body],
    [shared, ofOther],
  ] as const)
    expect(await codeOf(from.call(executorService, 'execute', claim))).toBe('runtime/service-owner-refused');
  expect(ran).toEqual(['in its name']);
});
