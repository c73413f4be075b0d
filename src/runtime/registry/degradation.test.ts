import { afterEach, expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore, openPageStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { closeRegistryRuntimes, createRegistryRuntime } from './registry-test-modules.ts';

afterEach(closeRegistryRuntimes);

const steps = (degradations: readonly { what: string; from: string; to: string }[]): string[] =>
  degradations.map(({ what, from, to }) => `${what}: ${from} → ${to}`);

test('no worker: told by an event, and to be seen by whoever comes later', () => {
  const clock = new SimulatedClock(5);
  const hub = createHub(clock);
  const sink = createMemorySink(hub);
  const runtime = createRegistryRuntime({ hub, clock });
  const [degradation] = runtime.inspect().degradations;
  expect(degradation).toEqual({
    type: 'platform-degrade',
    what: 'host',
    from: 'worker',
    to: 'page',
    reason: 'no worker was given to createRuntime',
    atMs: 5,
  });
  expect(sink.ofType('platform-degrade')).toEqual([degradation]);
  const wanted = createRegistryRuntime({ worker: () => undefined as unknown as Worker });
  expect(wanted.inspect().degradations).toMatchObject([{ reason: 'the platform has no Worker' }]);
});

test('no IndexedDB: told once, also when whoever opened the store had no hub', async () => {
  await using untold = await openPageStore({ name: 'untold' });
  const runtime = createRegistryRuntime({ store: untold });
  expect(steps(runtime.inspect().degradations)).toEqual(['host: worker → page', 'store: indexeddb → memory']);
  const hub = createHub();
  const sink = createMemorySink(hub);
  await using told = await openPageStore({ name: 'told', hub });
  const second = createRegistryRuntime({ store: told, hub });
  expect(steps(second.inspect().degradations)).toEqual(['store: indexeddb → memory', 'host: worker → page']);
  expect(sink.ofType('platform-degrade')).toHaveLength(2);
  // a store that was wanted as it is is no step down
  await using wanted = createMemoryStore();
  expect(steps(createRegistryRuntime({ store: wanted }).inspect().degradations)).toEqual([
    'host: worker → page',
  ]);
});

test('no locks: told when a store is shared with other tabs, once', async () => {
  const memory = createMemoryStore();
  const capabilities = { ...memory.capabilities, sharedAcrossRealms: true };
  const store: Store = new Proxy(memory, {
    get: (target, name) => {
      const value: unknown = name === 'capabilities' ? capabilities : Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  const hub = createHub();
  const sink = createMemorySink(hub);
  const runtime = createRegistryRuntime({ store, hub });
  await runtime.start('echo');
  await runtime.start('echo');
  expect(steps(runtime.inspect().degradations)).toEqual(['host: worker → page', 'locks: web-locks → none']);
  expect(sink.ofType('platform-degrade')).toHaveLength(2);
});
