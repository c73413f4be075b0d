import { afterEach, expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import {
  closeRegistryRuntimes,
  createRegistryRuntime,
  failNext,
  settled,
  turn,
} from './registry-test-modules.ts';
import type { ModuleSpec } from '../runtime-options.ts';
import {
  closeRuntimes,
  createTestRuntime,
  judge,
  startPipeline,
} from '../sub-module/sub-module-test-scene.ts';

afterEach(closeRegistryRuntimes);
afterEach(closeRuntimes);

const idsOf = (modules: readonly { readonly id: string }[]): string[] => modules.map(({ id }) => id);
const actorsOf = (runtime: ReturnType<typeof createRegistryRuntime>): string[] =>
  runtime.inspect().workers.flatMap(({ actors }) => actors);

test('a module is registered, looked up and found before it ever ran', () => {
  const clock = new SimulatedClock(1_000);
  const runtime = createRegistryRuntime({ clock });
  const metadata = { owner: 'ada', tags: ['fast'] };
  const registered = runtime.register({ id: 'team.echo', kind: 'echo', metadata });
  metadata.tags.push('changed');
  expect(registered).toEqual({
    id: 'team.echo',
    kind: 'echo',
    status: 'stopped',
    metadata: { owner: 'ada', tags: ['fast'] },
    dependencies: [],
    downDependencies: [],
    dependents: [],
    restarts: 0,
    registeredAtMs: 1_000,
  });
  expect(Object.isFrozen(registered) && Object.isFrozen(registered.metadata['tags'])).toBe(true);
  runtime.register({ id: 'team/counter', kind: 'counter' });
  const minted = runtime.register({ kind: 'echo' });
  expect(minted.id).toMatch(/^module_[\da-f]{16}$/);
  const { registry } = runtime;
  expect(idsOf(registry.list())).toEqual(['team.echo', 'team/counter', minted.id]);
  expect(idsOf(registry.discover('team?*'))).toEqual([]);
  expect(idsOf(registry.discover('team**'))).toEqual(['team.echo', 'team/counter']);
  expect(idsOf(registry.discover('team.*'))).toEqual(['team.echo']);
  expect(idsOf(registry.discover('team.echo'))).toEqual(['team.echo']);
  expect([registry.size, registry.has('team.echo'), registry.has('echo')]).toEqual([3, true, false]);
  expect(() => registry.get('echo')).toThrow(
    expect.objectContaining({
      code: 'runtime/module-not-found',
      fields: { module: 'echo', known: ['team.echo', 'team/counter', minted.id] },
    }) as Error,
  );
});

test('it is started, stopped and started again by its id, with what it was registered with', async () => {
  const clock = new SimulatedClock(1_000);
  const runtime = createRegistryRuntime({ clock });
  runtime.register({ id: 'c', kind: 'counter', restart: 'temporary', metadata: { a: 1 } });
  await clock.advance(10);
  const handle = await runtime.registry.start('c');
  expect(await handle.call({ by: 2 } as never)).toEqual({ total: 2 });
  expect(runtime.registry.get('c')).toMatchObject({
    status: 'running',
    version: '1.2.0',
    worker: handle.worker,
    startedAtMs: 1_010,
  });
  await clock.advance(5);
  expect(await runtime.registry.stop('c')).toEqual({ how: 'graceful' });
  expect(runtime.registry.get('c')).toMatchObject({ status: 'stopped', endedAtMs: 1_015, version: '1.2.0' });
  expect(await runtime.registry.stop('c')).toEqual({ how: 'not-running' });
  await runtime.registry.start('c');
  expect(runtime.registry.get('c')).not.toHaveProperty('endedAtMs');
  // temporary, as it was registered: it does not come back
  runtime.killWorkerOf('c');
  await turn();
  expect(runtime.registry.get('c')).toMatchObject({ status: 'crashed', crash: { reason: 'worker-lost' } });
});

test('what was started without being registered is registered, and stays when it has ended', async () => {
  const runtime = createRegistryRuntime();
  const { id } = await runtime.start('echo', { metadata: { by: 'start' } });
  expect(runtime.registry.get(id)).toMatchObject({
    kind: 'echo',
    status: 'running',
    metadata: { by: 'start' },
  });
  await runtime.module(id).stop();
  expect(runtime.registry.get(id)).toMatchObject({ status: 'stopped' });
  await expect(runtime.start('echo', { id, metadata: { by: 'again' } })).resolves.toBeDefined();
  expect(runtime.registry.get(id).metadata).toEqual({ by: 'again' });
  const { registered, modules } = runtime.inspect();
  expect(registered).toEqual(runtime.registry.list());
  expect(modules).toHaveLength(1);
});

test('what start is given goes before what was registered; another kind is refused', async () => {
  const runtime = createRegistryRuntime();
  runtime.register({ id: 'e', kind: 'echo', metadata: { by: 'register' }, dependencies: [{ id: 'c' }] });
  runtime.register({ id: 'c', kind: 'counter' });
  await expect(runtime.start('counter', { id: 'e' })).rejects.toMatchObject({
    code: 'runtime/module-already-registered',
    fields: { module: 'e', kind: 'echo' },
  });
  await runtime.start('echo', { id: 'e', metadata: { by: 'start' } });
  expect(runtime.registry.get('e')).toMatchObject({
    metadata: { by: 'start' },
    dependencies: [{ id: 'c', whenDown: 'wait' }],
  });
  await runtime.registry.unregister('e');
  await expect(runtime.start('counter', { id: 'e' })).resolves.toMatchObject({ kind: 'counter' });
});

test('why a start failed can be read, and the module can be started again', async () => {
  const runtime = createRegistryRuntime();
  failNext(1);
  await expect(runtime.start('flaky', { id: 'f' })).rejects.toMatchObject({ code: 'runtime/asked-to-throw' });
  expect(runtime.registry.get('f')).toMatchObject({
    status: 'crashed',
    crash: { code: 'runtime/asked-to-throw', message: 'not yet', reason: 'start-failed' },
  });
  await runtime.registry.start('f');
  const again = runtime.registry.get('f');
  expect(again.status).toBe('running');
  expect(again).not.toHaveProperty('crash');
  await expect(runtime.start('broken', { id: 'b' })).rejects.toMatchObject({
    code: 'runtime/module-load-failed',
  });
  expect(runtime.registry.get('b')).toMatchObject({
    status: 'crashed',
    crash: { message: 'this class cannot be made' },
  });
  await expect(runtime.start('missing' as 'echo', { id: 'm' })).rejects.toMatchObject({
    code: 'actor/kind-not-found',
  });
  expect(actorsOf(runtime)).toEqual(['f']);
});

test('a restart is counted and dated, and what ended the actor can be read while it runs again', async () => {
  const runtime = createRegistryRuntime();
  const handle = await runtime.start('counter', { id: 'c' });
  const { startedAtMs } = runtime.registry.get('c');
  runtime.killWorkerOf('c');
  await handle.call({ by: 1 });
  const { restartedAtMs, ...after } = runtime.registry.get('c');
  expect(after).toMatchObject({
    status: 'running',
    restarts: 1,
    startedAtMs,
    crash: { reason: 'worker-lost' },
  });
  expect(restartedAtMs).toBeGreaterThanOrEqual(startedAtMs as number);
});

test('a supervisor that gives up leaves crashed modules that say so', async () => {
  const runtime = createRegistryRuntime({ restartLimits: { maxRestarts: 0, maxSeconds: 5 } });
  await runtime.start('echo', { id: 'e' });
  runtime.killWorkerOf('e');
  await turn();
  expect(runtime.registry.get('e')).toMatchObject({
    status: 'crashed',
    crash: { code: 'actor/supervisor-gave-up' },
  });
  await runtime.registry.start('e');
  expect(runtime.registry.get('e').status).toBe('running');
});

test('a stop ends what runs and says so, to everybody who asked for it', async () => {
  const runtime = createRegistryRuntime();
  const obedient = await runtime.start('obedient', { id: 'o' });
  const stubborn = await runtime.start('stubborn', { id: 's', shutdownMs: 20 });
  const calls = [settled(obedient.call(null)), settled(stubborn.call(null))];
  await turn();
  const stops = [runtime.registry.stop('o'), runtime.registry.stop('s'), runtime.registry.stop('s')];
  expect(runtime.registry.get('s').status).toBe('stopped');
  const [one, other, twice] = await Promise.all(stops);
  expect(one).toEqual({ how: 'graceful' });
  expect(other).toMatchObject({ how: 'killed', error: { code: 'runtime/stop-timeout' } });
  expect(twice).toBe(other);
  for (const outcome of await Promise.all(calls)) expect(outcome).toMatchObject({ code: 'actor/peer-died' });
  expect(actorsOf(runtime)).toEqual([]);
  await expect(runtime.registry.stop('nobody')).rejects.toMatchObject({ code: 'runtime/module-not-found' });
});

test('during a stop: nothing of it can be registered or started, and others can', async () => {
  const runtime = createRegistryRuntime();
  const stubborn = await runtime.start('stubborn', { id: 's', shutdownMs: 20 });
  void settled(stubborn.call(null));
  await turn();
  const stopping = runtime.registry.stop('s');
  expect(() => runtime.register({ id: 's', kind: 'echo' })).toThrow('registered already');
  await expect(runtime.registry.start('s')).rejects.toMatchObject({ code: 'runtime/module-already-running' });
  await expect(runtime.start('stubborn', { id: 's' })).rejects.toMatchObject({
    code: 'runtime/module-already-running',
  });
  runtime.register({ id: 'e', kind: 'echo' });
  await runtime.registry.start('e');
  await stopping;
  await runtime.registry.start('s');
  expect(runtime.registry.get('s').status).toBe('running');
});

test('what is unregistered is stopped first and forgotten; its id is free for any kind', async () => {
  const runtime = createRegistryRuntime();
  await runtime.start('echo', { id: 'e' });
  await Promise.all([runtime.registry.unregister('e'), runtime.registry.unregister('e')]);
  expect(runtime.registry.has('e')).toBe(false);
  expect(actorsOf(runtime)).toEqual([]);
  await expect(runtime.registry.unregister('e')).rejects.toMatchObject({ code: 'runtime/module-not-found' });
  expect(runtime.register({ id: 'e', kind: 'counter' }).kind).toBe('counter');
});

test('a closed runtime registers and starts nothing; what was there can be looked at', async () => {
  const runtime = createRegistryRuntime();
  await runtime.start('echo', { id: 'e' });
  await runtime.close();
  expect(runtime.registry.get('e').status).toBe('stopped');
  const refusals = [runtime.start('echo'), runtime.registry.start('e')];
  for (const refused of refusals) await expect(refused).rejects.toMatchObject({ code: 'runtime/closed' });
  expect(() => runtime.register({ kind: 'echo' })).toThrow('closed');
});

test('ended modules are kept in a bounded number; the oldest end goes first, what was registered by itself stays', async () => {
  const runtime = createRegistryRuntime({ limits: { maxEndedModules: 2 } });
  runtime.register({ id: 'own', kind: 'echo' });
  await runtime.registry.start('own');
  await runtime.registry.stop('own');
  for (const id of ['a', 'b', 'c', 'd']) await runtime.start('echo', { id });
  // b is wanted by somebody
  runtime.register({ id: 'user', kind: 'echo', dependencies: [{ id: 'b' }] });
  for (const id of ['b', 'c', 'a', 'd']) await runtime.registry.stop(id);
  expect(idsOf(runtime.registry.list())).toEqual(['own', 'b', 'd', 'user']);
  // one that runs again is not an old one
  await runtime.registry.start('b');
  await runtime.start('echo', { id: 'e' });
  await runtime.registry.stop('e');
  expect(idsOf(runtime.registry.list())).toEqual(['own', 'b', 'd', 'user', 'e']);
});

test('an id that a sub-module has is refused, told, and free when the sub-module is gone', async () => {
  const runtime = createTestRuntime();
  const pipeline = await startPipeline(runtime);
  runtime.register({ id: 'p/critic', kind: 'critic' });
  await expect(runtime.registry.start('p/critic')).rejects.toMatchObject({
    code: 'runtime/module-already-running',
  });
  expect(runtime.registry.get('p/critic')).toMatchObject({
    status: 'crashed',
    crash: { code: 'runtime/module-already-running', reason: 'start-failed' },
  });
  expect(await judge(pipeline)).toBeDefined();
  await pipeline.stop();
  await runtime.registry.start('p/critic');
  expect(idsOf(runtime.registry.list())).toEqual(['p', 'p/critic']);
});

test('a sub-module that is an actor is found by its id and in its place, and is no entry of the registry', async () => {
  const runtime = createTestRuntime();
  const told: string[] = [];
  runtime.registry.watch('**', ({ module }) => told.push(module));
  const pipeline = await startPipeline(runtime);
  const critic = runtime.module('p/critic');
  expect([critic.id, critic.status]).toEqual([pipeline.subModule('critic').id, 'running']);
  const { modules } = runtime.inspect();
  expect(modules.find(({ id }) => id === 'p/critic')).toMatchObject({ around: 'p', status: 'running' });
  expect(modules.find(({ id }) => id === 'p')?.parts).toMatchObject([{ path: 'critic', id: 'p/critic' }]);
  const { registry } = runtime;
  expect([registry.has('p/critic'), idsOf(registry.discover('p/**')), new Set(told)]).toEqual([
    false,
    [],
    new Set(['p']),
  ]);
  const refused = {
    code: 'runtime/module-not-found',
    fields: { module: 'p/critic', around: 'p', path: 'critic' },
  };
  expect(() => registry.get('p/critic')).toThrow(expect.objectContaining(refused) as Error);
  await expect(registry.start('p/critic')).rejects.toMatchObject(refused);
  await expect(registry.stop('p/critic')).rejects.toMatchObject(refused);
  // who depends on it depends on the program around it
  await expect(runtime.start('critic', { dependencies: [{ id: 'p/critic' }] })).rejects.toMatchObject({
    code: 'runtime/dependency-failed',
    cause: refused,
  });
  await critic.stop();
  expect(critic.status).toBe('stopped');
});

test('a full registry refuses, after it has forgotten what it may forget', async () => {
  const runtime = createRegistryRuntime({ limits: { maxRegisteredModules: 2 } });
  await (await runtime.start('echo', { id: 'gone' })).stop();
  runtime.register({ id: 'a', kind: 'echo' });
  runtime.register({ id: 'b', kind: 'echo' });
  expect(idsOf(runtime.registry.list())).toEqual(['a', 'b']);
  expect(() => runtime.register({ id: 'c', kind: 'echo' })).toThrow(
    expect.objectContaining({ code: 'runtime/registry-full', fields: { allowed: 2 } }) as Error,
  );
  await expect(runtime.start('echo')).rejects.toMatchObject({ code: 'runtime/registry-full' });
  await expect(runtime.start('echo', { id: 'a' })).resolves.toBeDefined();
});

test('a thousand modules are registered, found, started and stopped', async () => {
  const runtime = createRegistryRuntime();
  const startedMs = performance.now();
  for (let at = 0; at < 1_000; at++) runtime.register({ id: `team-${at % 10}.m${at}`, kind: 'echo' });
  expect(runtime.registry.discover('team-3.*')).toHaveLength(100);
  expect(runtime.registry.discover('**7')).toHaveLength(100);
  await Promise.all(runtime.registry.discover('team-3.*').map(({ id }) => runtime.registry.start(id)));
  expect(runtime.registry.list().filter(({ status }) => status === 'running')).toHaveLength(100);
  await runtime.close();
  expect(runtime.registry.list().filter(({ status }) => status === 'stopped')).toHaveLength(1_000);
  expect(performance.now() - startedMs).toBeLessThan(10_000);
});

const circular: Record<string, unknown> = {};
circular['self'] = circular;
const throwing = Object.defineProperty({}, 'a', {
  enumerable: true,
  get: () => {
    throw new Error('hostile');
  },
});

test.each([
  ['no spec', undefined, 'spec'],
  ['no kind', {}, 'kind'],
  ['an empty kind', { kind: '' }, 'kind'],
  ['an id that is no text', { kind: 'echo', id: 7 }, 'id'],
  ['a restart type', { kind: 'echo', restart: 'always' }, 'restart'],
  ['limits that are none', { kind: 'echo', restartLimits: 3 }, 'restartLimits'],
  [
    'restarts below 0',
    { kind: 'echo', restartLimits: { maxRestarts: -1, maxSeconds: 5 } },
    'restartLimits.maxRestarts',
  ],
  [
    'no time',
    { kind: 'echo', restartLimits: { maxRestarts: 1, maxSeconds: Number.NaN } },
    'restartLimits.maxSeconds',
  ],
  ['an isolation', { kind: 'echo', isolation: 'frame' }, 'isolation'],
  ['a time that is none', { kind: 'echo', shutdownMs: Number.NaN }, 'shutdownMs'],
  ['a time below 0', { kind: 'echo', shutdownMs: -1 }, 'shutdownMs'],
  ['metadata that is an array', { kind: 'echo', metadata: [] }, 'metadata'],
  ['metadata with a function', { kind: 'echo', metadata: { f: () => 1 } }, 'metadata'],
  ['metadata with a cycle', { kind: 'echo', metadata: circular }, 'metadata'],
  ['metadata that throws', { kind: 'echo', metadata: throwing }, 'metadata'],
  ['metadata that is too large', { kind: 'echo', metadata: { text: 'x'.repeat(70_000) } }, 'metadata'],
  ['dependencies that are no array', { kind: 'echo', dependencies: 'a' }, 'dependencies'],
  [
    'too many dependencies',
    { kind: 'echo', dependencies: Array.from({ length: 101 }, (_, at) => ({ id: `m${at}` })) },
    'dependencies',
  ],
  ['a dependency that is no object', { kind: 'echo', dependencies: ['a'] }, 'dependencies[0]'],
  ['a dependency without id', { kind: 'echo', dependencies: [{ id: 'a' }, {}] }, 'dependencies[1].id'],
  ['a dependency twice', { kind: 'echo', dependencies: [{ id: 'a' }, { id: 'a' }] }, 'dependencies[1].id'],
  ['a whenDown', { kind: 'echo', dependencies: [{ id: 'a', whenDown: 'x' }] }, 'dependencies[0].whenDown'],
])('%s is refused, by name, and nothing is registered', async (_, spec, field) => {
  const runtime = createRegistryRuntime();
  const error = expect.objectContaining({
    code: 'runtime/module-spec-invalid',
    fields: expect.objectContaining({ field, expectation: expect.any(String) as string }) as object,
  }) as Error;
  expect(() => runtime.register(spec as ModuleSpec<'echo'>)).toThrow(error);
  expect(runtime.registry.size).toBe(0);
});

test('a start is refused for the same reasons, before anything is registered', async () => {
  const runtime = createRegistryRuntime();
  await expect(runtime.start('echo', { metadata: circular as never })).rejects.toMatchObject({
    code: 'runtime/module-spec-invalid',
    fields: { field: 'metadata' },
  });
  await expect(runtime.start('echo', { shutdownMs: -1 })).rejects.toMatchObject({
    fields: { field: 'shutdownMs', value: -1 },
  });
  expect(runtime.registry.size).toBe(0);
});

test.each([
  ['an id with a space', { kind: 'echo' as const, id: 'a b' }, 'runtime/module-id-invalid'],
  [
    'a dependency with such an id',
    { kind: 'echo' as const, dependencies: [{ id: '*' }] },
    'runtime/module-id-invalid',
  ],
  ['a kind that nobody serves', { kind: 'toString' as 'echo' }, 'actor/kind-not-found'],
  ['an id that is taken', { kind: 'echo' as const, id: 'taken' }, 'runtime/module-already-registered'],
])('%s is refused', (_, spec, code) => {
  const runtime = createRegistryRuntime();
  runtime.register({ id: 'taken', kind: 'echo' });
  const refused = (): unknown => runtime.register(spec);
  expect(refused).toThrow(expect.objectContaining({ code }) as Error);
  expect(runtime.registry.size).toBe(1);
});

test('a runtime that has only a worker finds out about kinds when it starts one', () => {
  const runtime = createRegistryRuntime({ modules: undefined as never });
  expect(runtime.register({ kind: 'unheard-of' as 'echo' }).kind).toBe('unheard-of');
});
