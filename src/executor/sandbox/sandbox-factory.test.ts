import { expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { python } from '../language/python/python.ts';
import { resolveLimits } from '../limits.ts';
import type { SandboxHost, SandboxWatcher } from './sandbox-host.ts';
import { SandboxFactory } from './sandbox-factory.ts';
import { TrustDomain } from './trust-domain.ts';
import type { CreateHost } from './trust-domain.ts';

function createFactory(createHost: CreateHost) {
  const clock = new SimulatedClock();
  const hub = createHub(clock);
  const sink = createMemorySink(hub);
  const settings = { fileBytes: 0, memoryBytes: 0, mailboxBytes: 0, isStripped: true, own: {} };
  const limits = resolveLimits({ bootTimeoutMs: 1000 });
  const fetchFiles = () => Promise.resolve({ worker: '', assets: [] });
  const domain = new TrustDomain({ createHost, fetchFiles, clock, hub, bootTimeoutMs: limits.bootTimeoutMs });
  const factory = new SandboxFactory({ language: python, domain, settings, limits, clock, hub });
  return { factory, clock, sink };
}

test('a start that fails is told to the hub, each one once', async () => {
  const { factory, sink } = createFactory(() =>
    Promise.reject(new CodedError('executor/frame-unavailable', 'no page')),
  );
  for (const attempt of [1, 2]) {
    await expect(factory.open()).rejects.toMatchObject({ code: 'executor/frame-unavailable' });
    expect(sink.ofType('sandbox-fail')).toHaveLength(attempt);
  }
  const error = { code: 'executor/frame-unavailable', message: 'no page' };
  expect(sink.events[0]).toMatchObject({ type: 'sandbox-fail', language: 'python', durationMs: 0, error });
});

test('a start that takes too long is told with how long it took', async () => {
  const { factory, clock, sink } = createFactory(() => new Promise(() => undefined));
  const opening = factory.open().catch((error: unknown) => error);
  await clock.advance(1000);
  expect(await opening).toMatchObject({ code: 'executor/boot-failed' });
  const error = { code: 'executor/boot-failed' };
  expect(sink.events).toMatchObject([{ type: 'sandbox-fail', durationMs: 1000, error }]);
});

test('a worker that fails in its start is ended', async () => {
  const closed: string[] = [];
  let watcher: SandboxWatcher | undefined;
  const { port1, port2 } = new MessageChannel();
  const host = {
    isIsolated: true,
    isLost: false,
    watch: <T>(work: Promise<T>) => work,
    load: () => ({ kind: 1, ready: Promise.resolve() }),
    open: (_id: string, _settings: unknown, given: SandboxWatcher) => ((watcher = given), port1),
    close: (id: string) => void closed.push(id),
  };
  const { factory, sink } = createFactory(() => Promise.resolve(host as unknown as SandboxHost));
  const opening = factory.open().catch((error: unknown) => error);
  await expect.poll(() => watcher).toBeDefined();
  watcher?.fail('no memory');
  expect(await opening).toMatchObject({ code: 'executor/boot-failed' });
  expect(closed).toHaveLength(1);
  expect(sink.events.map(({ type }) => type)).toEqual(['sandbox-kill', 'sandbox-fail']);
  port2.close();
});

test('disposal during a start is no failure', async () => {
  const { factory, sink } = createFactory(() => new Promise(() => undefined));
  const opening = factory.open().catch((error: unknown) => error);
  factory.dispose();
  expect(await opening).toMatchObject({ code: 'executor/disposed' });
  expect(sink.events).toEqual([]);
});

test('a realm where nothing can be interrupted is told of, once', async () => {
  const { port1, port2 } = new MessageChannel();
  let watcher: SandboxWatcher | undefined;
  const host = {
    isIsolated: false,
    isLost: false,
    watch: <T>(work: Promise<T>) => work,
    load: () => ({ kind: 1, ready: Promise.resolve() }),
    open: (_id: string, _settings: unknown, given: SandboxWatcher) => ((watcher = given), port1),
    close: () => undefined,
  };
  const { factory, sink } = createFactory(() => Promise.resolve(host as unknown as SandboxHost));
  for (let start = 0; start < 2; start++) {
    watcher = undefined;
    const opening = factory.open().catch(() => undefined);
    await expect.poll(() => watcher).toBeDefined();
    (watcher as unknown as SandboxWatcher).fail('as asked');
    await opening;
  }
  expect(sink.ofType('platform-degrade')).toMatchObject([
    { what: 'interrupt', from: 'shared-memory', to: 'termination' },
  ]);
  port2.close();
});
