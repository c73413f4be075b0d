import { expect, test } from 'vitest';
import { ActorSystem, inThreadRealm } from '../../actor/index.ts';
import { seededRandom, SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import { createHub } from '../../telemetry/index.ts';
import { defaultRuntimeLimits as limits } from '../limits.ts';
import { ModuleHost } from '../host/module-host.ts';
import { ModuleVersions } from '../version/module-versions.ts';
import type { ModuleEvent } from './registry-event.ts';
import { Watchers } from './registry-watch.ts';
import { ModuleRegistry } from './registry.ts';
import { registryModules } from './registry-test-modules.ts';
import { toKinds } from '../worker/serve.ts';

async function withRegistry(
  work: (registry: ModuleRegistry, clock: SimulatedClock, host: ModuleHost) => Promise<void>,
): Promise<void> {
  const clock = new SimulatedClock(100);
  const hub = createHub(clock);
  await using store = createMemoryStore();
  const createRealm = (): ReturnType<typeof inThreadRealm> => inThreadRealm(toKinds(registryModules));
  const system = new ActorSystem({ createRealm, isWatched: false, clock });
  const observer: ConstructorParameters<typeof ModuleHost>[0]['observer'] = {
    onCreate: (module) => registry.onCreate(module),
    onSwap: (module, news) => registry.onSwap(module, news),
    onStop: (module, outcome) => registry.onStop(module, outcome),
  };
  const versions = new ModuleVersions({ system, limits, random: seededRandom(1) });
  await using host = new ModuleHost({ system, store, hub, clock, limits, versions, observer });
  const watchers = new Watchers({ clock, hub, maxWatchers: 10 });
  const registry = new ModuleRegistry({ host, watchers, clock, limits, createId: () => 'minted' });
  try {
    await work(registry, clock, host);
  } finally {
    await registry.close();
    system.close();
  }
}

test('a swap is told and dated; a version that differs is told, too', async () => {
  await withRegistry(async (registry, clock) => {
    await registry.launch('counter', { id: 'c' });
    const heard: ModuleEvent[] = [];
    registry.watch('c', (event) => heard.push(event));
    await clock.advance(5);
    const [module, atMs] = ['c', 105];
    const c = { id: module };
    registry.onSwap(c, { fromKind: 'counter', toKind: 'echo', fromVersion: '1.2.0', toVersion: '2.1.0' });
    registry.onSwap(c, { fromKind: 'echo', toKind: 'echo', fromVersion: '2.1.0', toVersion: '2.1.0' });
    expect(heard).toEqual([
      { type: 'module-swap', module, fromKind: 'counter', toKind: 'echo', atMs },
      { type: 'module-version-change', module, from: '1.2.0', to: '2.1.0', atMs },
      { type: 'module-swap', module, fromKind: 'echo', toKind: 'echo', atMs },
    ]);
    expect(registry.get('c')).toMatchObject({
      kind: 'echo',
      version: '2.1.0',
      swappedAtMs: 105,
      status: 'running',
    });
  });
});

test('a module that is started again with another version says so', async () => {
  await withRegistry(async (registry) => {
    await registry.launch('counter', { id: 'c' });
    await registry.stop('c');
    const heard: ModuleEvent[] = [];
    registry.watch('c', (event) => heard.push(event));
    await registry.launch('echo', { id: 'c' });
    expect(heard.map(({ type }) => type)).toEqual(['module-start', 'module-version-change']);
    expect(registry.get('c')).toMatchObject({ kind: 'echo', version: '2.1.0' });
  });
});

test('what is hosted without the registry having been asked is registered', async () => {
  await withRegistry(async (registry, _, host) => {
    await host.start('sub', 'echo', {});
    expect(registry.get('sub')).toMatchObject({ kind: 'echo', status: 'running' });
  });
});
