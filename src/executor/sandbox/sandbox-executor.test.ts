import { expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { cancellation, SimulatedClock } from '../../platform/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import type { PackageLoader } from '../language/package-loading.ts';
import { python } from '../language/python/python.ts';
import { resolveLimits } from '../limits.ts';
import type { ExecutorLimits } from '../limits.ts';
import { resolvePolicy } from '../policy/policy.ts';
import { SandboxExecutor } from './sandbox-executor.ts';
import { TrustDomain } from './trust-domain.ts';
import type { CreateHost } from './trust-domain.ts';

const noFrame = new CodedError('executor/frame-unavailable', 'no page');
const failToStart: CreateHost = () => Promise.reject(noFrame);

interface Scene {
  readonly createHost?: CreateHost;
  readonly limits?: Partial<ExecutorLimits>;
}

/** An executor without a page: whoever comes as far as to need an interpreter ends as `failed`. Its packages come when they are told to. */
function createExecutor({ createHost = failToStart, limits: asked = {} }: Scene = {}) {
  const clock = new SimulatedClock();
  const hub = createHub(clock);
  const sink = createMemorySink(hub);
  const limits = resolveLimits({ warmSandboxes: 0, ...asked });
  const seen = { loads: 0, ended: 0, starts: 0 };
  const arrivals: (() => void)[] = [];
  const loader: PackageLoader = {
    load: (_requests, { signal }) => {
      seen.loads += 1;
      return new Promise((resolve, reject) => {
        arrivals.push(() => resolve({ header: new Uint8Array(), content: new Uint8Array(), packages: [] }));
        signal.addEventListener('abort', () => {
          seen.ended += 1;
          reject(cancellation(signal));
        });
      });
    },
  };
  const counting: CreateHost = (signal) => {
    seen.starts += 1;
    return createHost(signal);
  };
  const fetchFiles = () => Promise.resolve({ worker: '', assets: [] });
  const { bootTimeoutMs } = limits;
  const executor = new SandboxExecutor({
    language: { ...python, loadPackages: () => Promise.resolve(loader) },
    domain: new TrustDomain({ createHost: counting, fetchFiles, clock, hub, bootTimeoutMs }),
    ownsDomain: true,
    isStripped: true,
    limits,
    policy: resolvePolicy({ environment: [] }),
    clock,
    hub,
  });
  return { executor, sink, seen, arrivals, clock };
}

const packages = { packages: ['six'] };

test('disposal ends the runs that wait for their packages, and the fetches', async () => {
  const { executor, seen } = createExecutor();
  const controller = new AbortController();
  const runs = [
    executor.execute('1', packages),
    executor.execute('2', packages, { signal: controller.signal }),
  ];
  await expect.poll(() => seen.loads).toBe(2);
  await executor[Symbol.asyncDispose]();
  expect(await Promise.all(runs)).toMatchObject([{ type: 'cancelled' }, { type: 'cancelled' }]);
  expect(seen).toEqual({ loads: 2, ended: 2, starts: 0 });
});

test('a signal ends one of the runs that wait for their packages, and no other', async () => {
  const { executor, seen, arrivals } = createExecutor();
  const controller = new AbortController();
  const leaving = executor.execute('1', packages, { signal: controller.signal });
  const staying = executor.execute('2', packages);
  await expect.poll(() => seen.loads).toBe(2);
  controller.abort();
  expect(await leaving).toMatchObject({ type: 'cancelled' });
  for (const arrive of arrivals) arrive();
  expect(await staying).toMatchObject({ type: 'failed', code: 'executor/frame-unavailable' });
  expect(seen.ended).toBe(1);
});

test('runs that wait for their packages take no place from the others', async () => {
  const { executor, seen } = createExecutor({ limits: { concurrentExecutions: 2, queuedExecutions: 0 } });
  const waiting = [executor.execute('1', packages), executor.execute('2', packages)];
  await expect.poll(() => seen.loads).toBe(2);
  await expect(executor.execute('3', packages)).rejects.toMatchObject({ code: 'executor/queue-full' });
  expect(await executor.execute('4')).toMatchObject({ code: 'executor/frame-unavailable' });
  await executor[Symbol.asyncDispose]();
  expect(await Promise.all(waiting)).toMatchObject([{ type: 'cancelled' }, { type: 'cancelled' }]);
});

test('who has its packages waits for a place, however many wait already; only so many do', async () => {
  let refuse = (_error: Error): void => undefined;
  const createHost: CreateHost = () => new Promise((_resolve, reject) => (refuse = reject));
  const { executor, seen, arrivals } = createExecutor({
    createHost,
    limits: { concurrentExecutions: 1, queuedExecutions: 1 },
  });
  const running = executor.execute('1');
  await expect.poll(() => seen.starts).toBe(1);
  const queued = executor.execute('2');
  const packed = executor.execute('3', packages);
  const next = executor.execute('4', packages);
  await expect.poll(() => seen.loads).toBe(1);
  arrivals[0]?.();
  await new Promise((resolve) => setTimeout(resolve, 0));
  // the next one fetches nothing as long as that one waits
  expect(seen.loads).toBe(1);
  await expect(executor.execute('5')).rejects.toMatchObject({ code: 'executor/queue-full' });
  refuse(noFrame);
  expect(await running).toMatchObject({ type: 'failed' });
  await executor[Symbol.asyncDispose]();
  expect(await Promise.all([queued, packed, next])).toMatchObject(
    Array.from({ length: 3 }, () => ({ type: 'cancelled' })),
  );
});

test('what the policy does not let be handed over is denied before anything is started or fetched', async () => {
  const { executor, seen } = createExecutor();
  const context = { ...packages, environment: { SECRET: '1' } };
  expect(await executor.execute('1', context)).toMatchObject({
    type: 'denied',
    permission: 'environment',
    name: 'SECRET',
    isSandboxLost: false,
  });
  expect(seen).toEqual({ loads: 0, ended: 0, starts: 0 });
});

test('the hub hears of every call how it ended, also of those that reach no interpreter', async () => {
  const { executor, seen, sink, arrivals, clock } = createExecutor({
    limits: { concurrentExecutions: 1, queuedExecutions: 1 },
  });
  await executor.execute('1', { environment: { SECRET: '1' } });
  await executor.execute('2');
  const controller = new AbortController();
  const packed = executor.execute('3', packages);
  await expect.poll(() => seen.loads).toBe(1);
  const queued = executor.execute('4', packages, { signal: controller.signal });
  await expect(executor.execute('5', packages)).rejects.toMatchObject({ code: 'executor/queue-full' });
  controller.abort();
  await queued;
  await clock.advance(1000);
  arrivals[0]?.();
  await packed;
  await expect(executor.execute('')).resolves.toMatchObject({ type: 'failed' });
  await expect(executor.execute('6', { variables: { 'no name': 1 } })).rejects.toThrow('variable');

  const reached = { language: 'python', durationMs: 0 };
  const failed = { ...reached, outcome: 'failed', code: 'executor/frame-unavailable' };
  expect(sink.ofType('execution-end')).toMatchObject([
    { ...reached, outcome: 'denied', code: 'executor/denied', waitMs: 0 },
    { ...failed, waitMs: 0 },
    { ...reached, outcome: 'refused', code: 'executor/queue-full' },
    { ...reached, outcome: 'cancelled' },
    { ...failed, waitMs: 1000 },
    failed,
  ]);
  for (const event of sink.ofType('execution-end')) expect(event).not.toHaveProperty('sandbox');
  const names = (type: 'execution-start' | 'execution-end') =>
    sink.ofType(type).map(({ execution }) => execution);
  expect(new Set(names('execution-start'))).toEqual(new Set(names('execution-end')));
  expect(new Set(names('execution-start')).size).toBe(6);
});
