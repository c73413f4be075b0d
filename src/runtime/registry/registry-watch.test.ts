import { afterEach, expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { createHub } from '../../telemetry/index.ts';
import type { StampedEvent } from '../../telemetry/index.ts';
import type { ModuleEvent } from './registry-event.ts';
import {
  closeRegistryRuntimes,
  createRegistryRuntime,
  failNext,
  settled,
  turn,
} from './registry-test-modules.ts';
import { Watchers } from './registry-watch.ts';

afterEach(closeRegistryRuntimes);

const short = ({ type, module }: ModuleEvent): string => `${type} ${module}`;

test('a module is heard of through its whole life, when each thing has happened, and telemetry hears the same', async () => {
  const hub = createHub();
  const telemetry: StampedEvent[] = [];
  hub.subscribe((event) => telemetry.push(event));
  const runtime = createRegistryRuntime({ hub });
  const heard: ModuleEvent[] = [];
  const seen: unknown[] = [];
  runtime.registry.watch('c', (event) => {
    heard.push(event);
    seen.push(runtime.registry.has('c') && runtime.registry.get('c').status);
  });
  runtime.register({ id: 'c', kind: 'counter' });
  const handle = await runtime.start('counter', { id: 'c' });
  runtime.killWorkerOf('c');
  await handle.call({ by: 1 });
  await runtime.registry.stop('c');
  await runtime.registry.unregister('c');
  const [atMs, module] = [expect.any(Number) as number, 'c'];
  const error = { code: 'actor/worker-lost', message: expect.any(String) as string };
  expect(heard).toEqual([
    { type: 'module-register', module, kind: 'counter', atMs },
    { type: 'module-start', module, kind: 'counter', atMs },
    { type: 'module-crash', module, error, willRestart: true, atMs },
    { type: 'module-restart', module, restarts: 1, atMs },
    { type: 'module-stop', module, how: 'graceful', atMs },
    { type: 'module-unregister', module, atMs },
  ]);
  expect(seen).toEqual(['stopped', 'running', 'restarting', 'running', 'stopped', false]);
  expect(telemetry.filter((event) => event.type.startsWith('module-'))).toEqual(heard);
});

test('a start that fails is a crash without a restart; one that was overtaken by a stop is a stop', async () => {
  const runtime = createRegistryRuntime();
  const heard: string[] = [];
  runtime.registry.watch('**', (event) =>
    heard.push(
      event.type === 'module-crash'
        ? `${short(event)} ${event.error.code} ${event.willRestart}`
        : short(event),
    ),
  );
  failNext(1);
  await settled(runtime.start('flaky', { id: 'f' }));
  const starting = settled(runtime.start('echo', { id: 'e' }));
  await runtime.registry.stop('e');
  expect(await starting).toMatchObject({ code: 'runtime/module-stopped' });
  expect(heard).toEqual([
    'module-register f',
    'module-crash f runtime/asked-to-throw false',
    'module-register e',
    'module-stop e',
  ]);
});

test('a pattern chooses the modules; the returned function ends it', async () => {
  const runtime = createRegistryRuntime();
  const heard: string[] = [];
  const leave = runtime.registry.watch('team.*', (event) => heard.push(short(event)));
  for (const id of ['team.a', 'team.b.c', 'other', 'team.d']) runtime.register({ id, kind: 'echo' });
  leave();
  leave();
  runtime.register({ id: 'team.e', kind: 'echo' });
  expect(heard).toEqual(['module-register team.a', 'module-register team.d']);
  expect(() => runtime.registry.watch('', () => undefined)).toThrow('pattern');
});

test('a listener that throws breaks nothing and nobody', async () => {
  const runtime = createRegistryRuntime();
  const heard: string[] = [];
  runtime.registry.watch('**', () => {
    throw new CodedError('runtime/asked-to-throw', 'as asked');
  });
  runtime.registry.watch('**', (event) => heard.push(event.type));
  const handle = await runtime.start('counter', { id: 'c' });
  runtime.killWorkerOf('c');
  expect(await handle.call({ by: 1 })).toEqual({ total: 1 });
  await handle.stop();
  expect(heard).toEqual(['module-register', 'module-start', 'module-crash', 'module-restart', 'module-stop']);
});

test('a crash can be answered with a new start, from within its event', async () => {
  const runtime = createRegistryRuntime({ restartLimits: { maxRestarts: 0, maxSeconds: 5 } });
  let again: Promise<unknown> | undefined;
  runtime.registry.watch('e', ({ type, module }) => {
    if (type === 'module-crash') again = runtime.registry.start(module);
  });
  await runtime.start('echo', { id: 'e' });
  runtime.killWorkerOf('e');
  await turn();
  await again;
  expect(runtime.registry.get('e').status).toBe('running');
});

function createWatchers(maxWatchers = 10): Watchers {
  return new Watchers({ clock: new SimulatedClock(7), hub: createHub(), maxWatchers });
}

test('events that a listener causes come after the one it hears, to everybody', () => {
  const watchers = createWatchers();
  const heard: string[] = [];
  watchers.add('**', ({ module }) => {
    if (module === 'a') watchers.tell({ type: 'module-unregister', module: 'b' });
    heard.push(`one ${module}`);
  });
  watchers.add('**', ({ module, atMs }) => heard.push(`two ${module} ${atMs}`));
  watchers.tell({ type: 'module-unregister', module: 'a' });
  expect(heard).toEqual(['one a', 'two a 7', 'one b', 'two b 7']);
});

test('whoever begins or ceases to watch within an event does so for the next, and for this one', () => {
  const watchers = createWatchers();
  const heard: string[] = [];
  watchers.add('**', ({ module }) => {
    leave();
    if (module === 'a') watchers.add('**', (event) => heard.push(`new ${event.module}`));
  });
  const leave = watchers.add('**', ({ module }) => heard.push(`left ${module}`));
  watchers.tell({ type: 'module-unregister', module: 'a' });
  watchers.tell({ type: 'module-unregister', module: 'b' });
  expect(heard).toEqual(['new b']);
});

test('watchers are bounded; one that leaves makes room', () => {
  const watchers = createWatchers(2);
  const leave = watchers.add('a', () => undefined);
  watchers.add('**', () => undefined);
  expect(() => watchers.add('b', () => undefined)).toThrow(
    expect.objectContaining({ code: 'runtime/too-many-watchers', fields: { allowed: 2 } }) as Error,
  );
  leave();
  watchers.add('b', () => undefined);
  expect(watchers.size).toBe(2);
});
