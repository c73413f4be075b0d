import { expect, test } from 'vitest';
import { createRuntime } from '../../runtime/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore, watchQuota, withJournal } from '../../state/index.ts';
import type { StorageView } from '../../elements/index.ts';
import { StorageControl } from './storage-control.ts';
import { ViewState } from './view-state.ts';

class Poet extends Module {
  readonly tone: Parameter<string> = new Parameter({ type: 'string', value: 'calm' });
}

async function open({ isDurable = false, isPromised = true } = {}) {
  const clock = new SimulatedClock();
  const room = { usageBytes: 10, quotaBytes: 100, isPersisted: false };
  let asked = 0;
  const memory = createMemoryStore({ clock });
  const kept = Object.assign(memory, { capabilities: { ...memory.capabilities, durable: isDurable } });
  const quota = watchQuota(kept, { clock, estimate: () => Promise.resolve(room) });
  const journal = await withJournal(quota.store, { clock, prefixes: [['module'], ['shared']] });
  const runtime = createRuntime({ modules: { poet: Poet }, store: journal });
  const poet = await runtime.start('poet', { id: 'poet' });
  const state = new ViewState(() => undefined);
  const saved: { readonly name: string; readonly file: Blob }[] = [];
  const control = new StorageControl(state, {
    runtime,
    store: journal,
    journal,
    quota,
    persist: () => (asked++, Promise.resolve((room.isPersisted = isPromised))),
    save: (file, name) => void saved.push({ file, name }),
    now: () => clock.now(),
  });
  await control.refresh();
  const view = (): StorageView => state.current.storage;
  return { runtime, poet, control, view, saved, room, clock, asked: () => asked };
}

test('a snapshot is taken, compared in words, restored and deleted', async () => {
  const { runtime, poet, control, view } = await open();
  await using _ = runtime;
  await poet.parameters.tone.set('loud');
  await control.act({ act: 'take', name: 'loud one' });
  expect(view()).toMatchObject({ isBusy: false, news: 'Snapshot “loud one” taken.' });
  expect(view().snapshots.map(({ name }) => name)).toEqual(['loud one']);
  await poet.parameters.tone.set('x'.repeat(300));
  await control.act({ act: 'preview', source: 'loud one' });
  expect(view().preview).toEqual({
    source: 'loud one',
    changes: [{ what: 'tone of poet', present: `${'x'.repeat(200)}…`, past: 'loud' }],
    total: 1,
  });
  await control.act({ act: 'cancel' });
  expect(view()).not.toHaveProperty('preview');
  await control.act({ act: 'restore', source: 'loud one' });
  expect(poet.parameters.tone.value).toBe('loud');
  await control.act({ act: 'take', name: 'loud one' });
  expect(view().error).toMatchObject({ code: 'state/snapshot-exists' });
  await control.act({ act: 'delete', name: 'loud one' });
  expect([view().snapshots, view().error]).toEqual([[], undefined]);
});

test('a file goes out and comes in under a name of its own, and is shown before it changes anything', async () => {
  const { runtime, poet, control, view, saved } = await open();
  await using _ = runtime;
  await poet.parameters.tone.set('loud');
  await control.act({ act: 'export-now' });
  const [{ file, name } = { file: new Blob(), name: '' }] = saved;
  expect(name).toMatch(/^vivarium-[\d-]+T[\d-]+\.vivarium$/u);
  await poet.parameters.tone.set('soft');
  for (let time = 0; time < 2; time++)
    await control.act({ act: 'import', file: new File([file], 'mine.vivarium') });
  expect(
    view()
      .snapshots.map((each) => each.name.slice(0, 5))
      .toSorted(),
  ).toEqual(['mine', 'mine ']);
  expect([view().preview?.total, poet.parameters.tone.value]).toEqual([1, 'soft']);
  await control.act({ act: 'import', file: new File(['{}'], 'no.vivarium') });
  expect(view().error).toMatchObject({ code: 'state/format-unknown' });
});

test('the room is shown as it is, and what was asked of the browser too', async () => {
  const { runtime, control, view, room } = await open();
  await using _ = runtime;
  expect(view()).toMatchObject({ level: 'ample', usageBytes: 10, quotaBytes: 100, isPersisted: false });
  room.usageBytes = 90;
  await control.refresh();
  expect(view().level).toBe('low');
  await control.act({ act: 'persist' });
  expect(view()).toMatchObject({ isPersisted: true, news: 'The browser promised to keep it.' });
});

test('asks once that what is stored stays, and shows the answer', async () => {
  for (const isPromised of [true, false]) {
    const { runtime, control, view, asked } = await open({ isDurable: true, isPromised });
    await using _ = runtime;
    expect(asked()).toBe(0);
    await Promise.all([control.keep(), control.keep()]);
    await control.keep();
    expect([asked(), view().isPersisted]).toEqual([1, isPromised]);
  }
});

test('what is kept in memory only is not asked for', async () => {
  const { runtime, control, asked } = await open();
  await using _ = runtime;
  await control.keep();
  expect(asked()).toBe(0);
});
