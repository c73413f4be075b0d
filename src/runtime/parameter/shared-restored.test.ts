/** A shared value that one tab has set in memory, and another tab that restores: what came last is stored. */
import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { createHub } from '../../telemetry/index.ts';
import { Counter } from '../runtime-test-modules.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';
import { createHookedStore, writeFailed } from '../store-test-scene.ts';
import type { SharedDefinition } from './shared-parameter.ts';

const createRuntime = runtimesOf({ modules: { counter: Counter } });
const definition: SharedDefinition<number> = { type: 'number', value: 1 };

function createScene() {
  const clock = new SimulatedClock();
  const hooked = createHookedStore(clock);
  const { store } = hooked;
  const notes: string[] = [];
  const hub = createHub();
  hub.subscribe((event) => void (event.type === 'note' && notes.push(event.text)));
  const open = async (isHeard = false) => {
    const runtime = createRuntime({ store, clock, ...(isHeard ? { hub } : {}) });
    return { runtime, limit: await runtime.shared('limit', definition) };
  };
  const there = createRuntime({ store, clock });
  const stored = async (): Promise<unknown> =>
    (await store.get<{ value: unknown }>(['shared', 'limit']))?.value.value;
  const tick = (): Promise<void> => clock.advance(1);
  return { clock, hooked, store, notes, open, there, stored, tick };
}

type Scene = ReturnType<typeof createScene>;

/** What leads to a snapshot called `then`; the tab that sets in memory, and what the snapshot holds. */
const pasts: Readonly<Record<string, (scene: Scene) => Promise<Opened>>> = {
  'an older value': async ({ open, there, tick }) => {
    const { limit } = await open();
    await limit.set(5);
    await there.snapshot('then');
    await tick();
    await limit.set(6);
    return { ...(await open(true)), restored: 5 };
  },
  nothing: async ({ open, there, tick }) => {
    await there.snapshot('then');
    await tick();
    await (await open()).limit.set(6);
    return { ...(await open(true)), restored: undefined };
  },
  'nothing, where there was nothing': async ({ open, there }) => {
    await there.snapshot('then');
    return { ...(await open(true)), restored: undefined };
  },
  'something, where there was nothing': async ({ open, there, tick }) => {
    const here = await open(true);
    await tick();
    await (await open()).limit.set(6);
    await there.snapshot('then');
    return { ...here, restored: 6 };
  },
  'what was there': async ({ open, there }) => {
    await (await open()).limit.set(6);
    await there.snapshot('then');
    return { ...(await open(true)), restored: 6 };
  },
  'what the tab had last written itself': async ({ open, there }) => {
    const here = await open(true);
    await here.limit.set(6);
    await there.snapshot('then');
    return { ...here, restored: 6 };
  },
  'what was set after that': async ({ open, there, tick }) => {
    const here = await open(true);
    await here.limit.set(6);
    await tick();
    await (await open()).limit.set(7);
    await there.snapshot('then');
    return { ...here, restored: 7 };
  },
};

type Opened = Awaited<ReturnType<Scene['open']>> & { readonly restored: number | undefined };

const cases = Object.entries(pasts);

test.each(cases)('what another tab has restored since stays: %s', async (_, begin) => {
  const scene = createScene();
  const { runtime, limit, restored } = await begin(scene);
  await scene.tick();
  await limit.set(9, { level: 'memory' });
  await scene.tick();
  await scene.there.restoreTo('then');
  await runtime.close();
  expect([await scene.stored(), scene.notes]).toEqual([restored, [expect.stringContaining('another tab')]]);
});

test.each(cases)('what was set in memory after a restore goes over: %s', async (_, begin) => {
  const scene = createScene();
  const { runtime, limit } = await begin(scene);
  await scene.tick();
  await scene.there.restoreTo('then');
  await scene.tick();
  await limit.set(9, { level: 'memory' });
  await runtime.close();
  expect([await scene.stored(), scene.notes]).toEqual([9, []]);
});

test('a restore between what is read and what is written is noticed', async () => {
  const scene = createScene();
  const { hooked, there, open, stored, tick } = scene;
  await there.snapshot('then');
  const { runtime, limit } = await open(true);
  await limit.set(9, { level: 'memory' });
  await tick();
  hooked.now = async (_, commit) => {
    hooked.now = undefined;
    await there.restoreTo('then');
    return commit();
  };
  await runtime.close();
  expect([hooked.now, await stored(), scene.notes.length]).toEqual([undefined, undefined, 1]);
});

test('a restore that was refused keeps nothing out, though the store had it for a moment', async () => {
  const scene = createScene();
  const { hooked, there, open, stored, tick } = scene;
  const { runtime, limit } = await open(true);
  await limit.set(6);
  await there.snapshot('then');
  await tick();
  await limit.set(9, { level: 'memory' });
  await tick();
  hooked.now = async (_, commit) => {
    hooked.now = undefined;
    await commit();
    throw writeFailed();
  };
  expect(await codeOf(there.restoreTo('then'))).toBe('state/write-failed');
  await runtime.close();
  expect([await stored(), scene.notes]).toEqual([9, []]);
});

test('what is set, or restored, to what it is already came last all the same', async () => {
  const scene = createScene();
  const { there, open, stored, tick } = scene;
  await there.shared('limit', definition);
  const counter = await there.start('counter', { id: 'a', shared: { total: 'limit' } });
  const { runtime, limit } = await open(true);
  await counter.parameters.total.set(6);
  const checkpoint = await counter.checkpoint();
  for (const again of [() => counter.restore(checkpoint), () => counter.setParameters({ total: 6 })]) {
    await limit.set(6);
    await tick();
    await counter.parameters.total.set(6);
    await tick();
    await limit.set(9, { level: 'memory' });
    await tick();
    await again();
    await runtime.snapshot(`after ${scene.notes.length}`);
    expect(await stored()).toBe(6);
  }
  expect(scene.notes.length).toBe(2);
});

test('whoever restores goes on from there at once', async () => {
  const scene = createScene();
  const { open, stored } = scene;
  const { runtime, limit } = await open(true);
  await limit.set(6);
  await runtime.snapshot('then');
  await runtime.restoreTo('then');
  await limit.set(9, { level: 'memory' });
  await runtime.close();
  expect([await stored(), scene.notes]).toEqual([9, []]);
});
