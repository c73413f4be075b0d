import { expect, test } from 'vitest';
import type { ActorRef } from '../../actor/index.ts';
import { CodedError } from '../../base/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { createGroupCommitter, createMemoryStore } from '../../state/index.ts';
import { createHub, createSpan } from '../../telemetry/index.ts';
import { callForward } from '../handle/forward-call.ts';
import { HostedModuleRecord } from './hosted.ts';
import { defaultRuntimeLimits } from '../limits.ts';
import type { ForwardBody } from '../module-protocol.ts';
import { ModuleJournal } from '../journal/module-journal.ts';

const echo: ActorRef = {
  actor: 'm',
  worker: 'worker-1',
  call: (_, body, options) =>
    options?.signal?.aborted
      ? Promise.reject(new CodedError('port/cancelled', 'late'))
      : Promise.resolve(body),
  send: () => undefined,
};

function createModule(clock: SimulatedClock, maxWaitingCalls = 2): HostedModuleRecord {
  const limits = { ...defaultRuntimeLimits, maxWaitingCalls };
  const store = createMemoryStore();
  const committer = createGroupCommitter(store);
  const journal = new ModuleJournal({
    module: 'm',
    kind: 'k',
    store,
    committer,
    limits,
    clock,
    onFailure: () => undefined,
  });
  return new HostedModuleRecord('m', 'k', journal, { clock, limits });
}

const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.catch((error: unknown) => (error as CodedError).code);

test('calls wait for a restart, in a bounded number, and go on when it has come', async () => {
  const module = createModule(new SimulatedClock());
  const waiting = [module.call('echo', 1), module.call('echo', 2)];
  await Promise.resolve();
  expect(await codeOf(module.call('echo', 3))).toBe('runtime/module-restarting');
  module.attach(echo);
  expect(await Promise.all(waiting)).toEqual([1, 2]);
});

test('a call that gave up waiting leaves its place to another', async () => {
  const clock = new SimulatedClock();
  const module = createModule(clock);
  const controller = new AbortController();
  const gone = [
    codeOf(module.call('echo', 1, { timeoutMs: 10 })),
    codeOf(module.call('echo', 2, { signal: controller.signal })),
  ];
  await clock.advance(10);
  controller.abort();
  expect(await Promise.all(gone)).toEqual(['port/timeout', 'port/cancelled']);
  const waiting = [module.call('echo', 3), module.call('echo', 4)];
  await Promise.resolve();
  module.attach(echo);
  expect(await Promise.all(waiting)).toEqual([3, 4]);
});

test('whoever waits hears when the module does not come back; it cannot come back after that', async () => {
  const module = createModule(new SimulatedClock());
  const waiting = codeOf(module.call('echo', 1));
  await Promise.resolve();
  module.end('crashed', new CodedError('actor/supervisor-gave-up', 'too often'));
  expect(await waiting).toBe('actor/supervisor-gave-up');
  module.attach(echo);
  module.detach();
  module.end('stopped', new CodedError('runtime/module-stopped', 'late'));
  expect(module.status).toBe('crashed');
  expect(await codeOf(module.call('echo', 2))).toBe('actor/supervisor-gave-up');
});

test('a status listener that throws hinders no restart and no other listener', async () => {
  const module = createModule(new SimulatedClock());
  const heard: string[] = [];
  module.onStatus(() => {
    throw new Error('broken');
  });
  const leave = module.onStatus((status) => heard.push(status));
  const waiting = module.call('echo', 1);
  await Promise.resolve();
  module.attach(echo);
  module.detach();
  leave();
  module.attach(echo);
  expect(await waiting).toBe(1);
  expect(heard).toEqual(['running', 'restarting']);
});

test('what a status listener changes is heard by the others once, as it is then', async () => {
  const module = createModule(new SimulatedClock());
  module.onStatus((status) => {
    if (status === 'running') module.stand('degraded', [{ id: 'base', whenDown: 'degrade' }]);
  });
  const heard: string[] = [];
  module.onStatus((status) => heard.push(status));
  module.attach(echo);
  expect(heard).toEqual(['degraded']);
  expect(await module.call('echo', 1)).toBe(1);
});

test('forward is told what is left of its time when it is sent, after the wait, and once more in each attempt', async () => {
  const clock = new SimulatedClock();
  const module = createModule(clock);
  const leftMs: (number | undefined)[] = [];
  const answer = (body: unknown): Promise<unknown> => {
    leftMs.push((body as ForwardBody).run.remainingMs);
    const isLost = leftMs.length === 1;
    return isLost ? Promise.reject(new CodedError('actor/peer-died', 'gone')) : Promise.resolve('done');
  };
  const run = { span: createSpan(), path: '', depth: 0, isTraced: false, values: {}, remainingMs: 1_000 };
  const host = { clock, hub: createHub(), pageContext: () => ({}) };
  const options = { timeoutMs: 1_000, isIdempotent: true };
  const call = callForward(module, host, { input: null, run, method: 'forward', options });
  await clock.advance(600);
  module.attach({ ...echo, call: (_, body) => answer(body) });
  await expect.poll(() => leftMs).toEqual([400]);
  await clock.advance(100);
  expect(await call).toBe('done');
  expect(leftMs).toEqual([400, 400]);
});
