import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore, exportSnapshot, takeSnapshot, withJournal } from '../../state/index.ts';
import type { Write } from '../../state/index.ts';
import { Counter } from '../runtime-test-modules.ts';
import { codeOf, runtimesOf } from '../runtime-test-scene.ts';
import { subModuleTestModules } from '../sub-module/sub-module-test-modules.ts';

const modules = { ...subModuleTestModules, counter: Counter };
const createRuntime = runtimesOf({ modules });

test('a snapshot has what was acknowledged at every level, is listed and told apart, and restores without a journal', async () => {
  const clock = new SimulatedClock();
  const runtime = createRuntime({ store: createMemoryStore({ clock }), clock });
  const counter = await runtime.start('counter', { id: 'c' });
  const tone = await runtime.shared('tone', { type: 'string', value: 'plain' });
  await counter.parameters.total.set(1);
  await counter.parameters.label.set('memory', { level: 'memory' });
  await tone.set('first');
  const info = await runtime.snapshot('one', { metadata: { by: 'ada' } });
  expect(info).toMatchObject({ name: 'one', metadata: { by: 'ada' } });
  await clock.advance(10);
  await counter.setParameters({ total: 2, label: 'later' });
  await counter.train();
  await tone.set('second');
  await runtime.snapshot('two');
  await takeSnapshot(runtime.store, 'of something else', { prefixes: [['module', 'c']] });
  expect((await runtime.snapshots()).map(({ name }) => name)).toEqual(['two', 'one']);

  const changes = [
    { what: 'mode', module: 'c', name: undefined, before: 'eval', after: 'train' },
    { what: 'parameter', module: 'c', name: 'label', before: 'memory', after: 'later' },
    { what: 'parameter', module: 'c', name: 'total', before: 1, after: 2 },
    { what: 'shared', module: undefined, name: 'tone', before: 'first', after: 'second' },
  ];
  expect(await runtime.diff('one', 'two')).toEqual({ changes, total: 4 });
  expect(await runtime.diff('one')).toEqual({ changes, total: 4 });
  expect(await runtime.diff('one', 'two', { maxChanges: 1 })).toEqual({
    changes: changes.slice(0, 1),
    total: 4,
  });
  expect(await runtime.diff('two')).toEqual({ changes: [], total: 0 });

  await runtime.restoreTo('one');
  expect([counter.parameters.total.value, counter.parameters.label.value, counter.mode, tone.value]).toEqual([
    1,
    'memory',
    'eval',
    'first',
  ]);
  expect((await runtime.diff('one')).total).toBe(0);
  expect(await codeOf(runtime.snapshot('one'))).toBe('state/snapshot-exists');
  expect(await codeOf(runtime.restoreTo('of something else'))).toBe('state/prefix-not-covered');
  expect(await codeOf(runtime.restoreTo(0))).toBe('state/not-journaled');
});

test('one file carries a runtime to another store', async () => {
  const from = createRuntime();
  const counter = await from.start('counter', { id: 'c' });
  await counter.parameters.total.set(7);
  const file = await from.export();
  expect(await from.snapshots()).toEqual([]);
  await from.snapshot('kept');

  const to = createRuntime();
  const running = await to.start('counter', { id: 'c' });
  const info = await to.import(file, { name: 'from the laptop' });
  expect((await to.snapshots()).map(({ name }) => name)).toEqual(['from the laptop']);
  await to.restoreTo(info.name);
  expect(await running.call({ by: 1 })).toEqual({ total: 8 });
  expect((await to.import(await from.export('kept'))).name).toBe('kept');
  expect(await codeOf(to.import(await from.export('kept')))).toBe('state/snapshot-exists');
});

test('a file that is no runtime, or is not what a runtime stores, is refused, and nothing of it is kept', async () => {
  const store = createMemoryStore();
  await store.commit([{ type: 'put', key: ['module', 'c', 'meta'], value: 'garbage' }]);
  const prefixes = [['module'], ['shared']];
  await takeSnapshot(store, 'garbage', { prefixes });
  await takeSnapshot(store, 'part', { prefixes: [['module']] });
  const runtime = createRuntime({ limits: { maxImportBytes: 2_000 } });
  const counter = await runtime.start('counter', { id: 'c' });
  await counter.parameters.total.set(7);
  for (const [file, code] of [
    [await exportSnapshot(store, 'garbage'), 'program/state-invalid'],
    [await exportSnapshot(store, 'part'), 'state/prefix-not-covered'],
    [new Blob(['{}']), 'state/format-unknown'],
    [new Blob([new Uint8Array(3_000)]), 'state/snapshot-too-large'],
  ] as const) {
    expect(await codeOf(runtime.import(file))).toBe(code);
  }
  const cut = await (await runtime.export()).arrayBuffer();
  expect(await codeOf(runtime.import(new Uint8Array(cut.slice(0, -1))))).toBe('state/checksum-failed');
  expect(await runtime.snapshots()).toEqual([]);
  expect(counter.parameters.total.value).toBe(7);
});

test.each([
  [['module', 'c', 'meta'], { kind: 'counter' }],
  [['module', 'c', 'meta'], { state: {} }],
  [['module', 'c', 'parameter', 'total'], { state: null }],
  [['module', 'c', 'history', 'total'], {}],
  [['module', 'c', 'previous'], []],
  [['shared', 'tone'], 'loud'],
])('a restore of %j = %j is refused before it begins', async (key, value) => {
  const store = createMemoryStore();
  const runtime = createRuntime({ store });
  const counter = await runtime.start('counter', { id: 'c' });
  await counter.parameters.total.set(7);
  await store.commit([{ type: 'put', key, value }]);
  await takeSnapshot(store, 'garbage', { prefixes: [['module'], ['shared']] });
  expect(await codeOf(runtime.restoreTo('garbage'))).toBe('program/state-invalid');
  expect([counter.parameters.total.value, await counter.parameters.total.get()]).toEqual([7, 7]);
});

test('a fork begins where the other is, or was, with the actors inside it', async () => {
  const clock = new SimulatedClock();
  const store = await withJournal(createMemoryStore({ clock }), { clock });
  const runtime = createRuntime({ store });
  const actors = { critic: { kind: 'critic', whenDown: 'fail' } } as const;
  const program = await runtime.start('pipeline', { id: 'p', actors });
  await program.parameters.rounds.set(2);
  await program.parameters['critic.limit'].set(50);
  const then = clock.now();
  await clock.advance(10);
  await program.parameters.rounds.set(3, { level: 'memory' });

  await runtime.fork('p', 'now');
  await runtime.fork('p', 'then', { at: then });
  const now = await runtime.start('pipeline', { id: 'now', actors });
  expect([now.parameters.rounds.value, now.parameters['critic.limit'].value]).toEqual([3, 50]);
  const past = await runtime.start('pipeline', { id: 'then', actors });
  expect([past.parameters.rounds.value, past.parameters['critic.limit'].value]).toEqual([2, 50]);
  await past.parameters.rounds.set(1);
  expect(program.parameters.rounds.value).toBe(3);

  expect(await codeOf(runtime.fork('p', 'now'))).toBe('runtime/module-already-running');
  await now.stop();
  expect(await codeOf(runtime.fork('p', 'now'))).toBe('state/prefix-occupied');
  expect(await codeOf(runtime.fork('none', 'new'))).toBe('runtime/module-not-found');
  expect(await codeOf(runtime.fork('p', 'not an id'))).toBe('runtime/module-id-invalid');
});

test('a fork leaves out a module of its own whose id looks like one inside, and takes nested actors, also from a fork', async () => {
  const store = createMemoryStore();
  const runtime = createRuntime({ store });
  const actors = { critic: { kind: 'critic', whenDown: 'fail' } } as const;
  const program = await runtime.start('pipeline', { id: 'team', actors });
  const other = await runtime.start('pipeline', { id: 'team/x', actors });
  for (const each of [program, other]) await each.parameters['critic.limit'].set(30);
  await other.parameters.rounds.set(2);
  const idsUnder = async (root: string): Promise<unknown> => {
    const entries = await store.list(['module']);
    const ids = new Set(entries.map(({ key }) => key[1] as string));
    return [...ids].filter((id) => id.startsWith(root)).toSorted();
  };
  await runtime.fork('team', 'second');
  expect(await idsUnder('second')).toEqual(['second/critic']);
  await runtime.fork('second', 'third');
  expect(await idsUnder('third')).toEqual(['third/critic']);
  await runtime.fork('team/x', 'fourth');
  expect(await idsUnder('fourth')).toEqual(['fourth', 'fourth/critic']);
  const third = await runtime.start('pipeline', { id: 'third', actors });
  expect(third.parameters['critic.limit'].value).toBe(30);
});

test('of what does not say what it is inside of, a fork takes what has an id of an actor inside, and nothing else', async () => {
  const store = createMemoryStore();
  const runtime = createRuntime({ store });
  const stored = (id: string): Write => {
    const { parameters: _, ...state } = new Counter().dumpState();
    return { type: 'put', key: ['module', id, 'meta'], value: { kind: 'counter', state } };
  };
  await store.commit(
    ['team', 'team/critic', 'team/critic/x', 'teammate', 'team-2/critic', 'a/team/critic'].map(stored),
  );
  await runtime.fork('team', 'second');
  const ids = (await store.list(['module'])).map(({ key }) => key[1] as string);
  expect(ids.filter((id) => id.includes('second')).toSorted()).toEqual([
    'second',
    'second/critic',
    'second/critic/x',
  ]);
});
