import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../backend/memory.ts';
import { stateKey } from '../record/record-key.ts';
import { createRecords } from '../record/records.ts';
import type { Records, RecordsOptions } from '../record/records.ts';
import type { Store } from '../store.ts';
import { defineMigrations } from './define-migrations.ts';
import { migrateRecord } from './migrate-record.ts';

const notes = defineMigrations({
  name: 'note',
  steps: [
    {
      from: 1,
      to: 2,
      up: ({ name }: { name: string }) => ({ title: name }),
      down: ({ title }: { title: string }) => ({ name: title }),
    },
    { from: 2, to: 3, up: ({ title }: { title: string }) => ({ title, words: title.split(' ') }) },
  ],
});

async function withNote(options: RecordsOptions = {}): Promise<{ store: Store; records: Records }> {
  const store = createMemoryStore();
  const records = createRecords(store, options);
  await records.save('n', { name: 'to do' }, { metadata: { by: 'ann', ...notes.stamp(1) } });
  return { store, records };
}

describe('migrateRecord', () => {
  test('saves the next version, and says what it came from', async () => {
    const { records } = await withNote();
    const first = await records.load('n');
    const migrated = await migrateRecord(records, 'n', notes);
    expect(migrated).toMatchObject({
      isSaved: true,
      state: { title: 'to do', words: ['to', 'do'] },
      path: [
        { from: 1, to: 2 },
        { from: 2, to: 3 },
      ],
    });
    const latest = await records.load('n');
    expect(latest).toEqual(migrated?.record);
    expect(latest).toMatchObject({
      sequence: 2,
      state: { title: 'to do', words: ['to', 'do'] },
      metadata: {
        by: 'ann',
        schema: { name: 'note', version: 3 },
        migratedFrom: {
          version: '1',
          sequence: 1,
          checksum: first?.checksum as string,
          schemaVersion: 1,
          path: ['1 → 2', '2 → 3'],
        },
      },
    });
    expect(await records.load('n', 1)).toEqual(first);
  });

  test('goes down too, and saves nothing where nothing is to be done', async () => {
    const { records } = await withNote();
    await migrateRecord(records, 'n', notes, { to: 2 });
    expect(await migrateRecord(records, 'n', notes, { to: 2 })).toMatchObject({
      isSaved: false,
      path: [],
      record: { sequence: 2 },
    });
    await migrateRecord(records, 'n', notes, { to: 1 });
    expect(await records.load('n')).toMatchObject({ sequence: 3, state: { name: 'to do' } });
    expect(await migrateRecord(records, 'other', notes)).toBeUndefined();
  });

  test('dry, it says what would come of it', async () => {
    const { store, records } = await withNote();
    const before = await store.list([]);
    expect(await migrateRecord(records, 'n', notes, { isDryRun: true })).toMatchObject({
      isSaved: false,
      state: { title: 'to do' },
      path: [{ to: 2 }, { to: 3 }],
      record: { sequence: 1, state: { name: 'to do' } },
    });
    expect(await store.list([])).toEqual(before);
  });

  test('whatever fails leaves what is stored as it was', async () => {
    const { store, records } = await withNote();
    const before = await store.list([]);
    const failing = defineMigrations({
      name: 'note',
      steps: [
        { from: 1, to: 2, up: () => ({ title: 'x' }) },
        { from: 2, to: 3, up: () => Promise.reject(new Error('no')) },
      ],
    });
    const unstorable = defineMigrations({
      name: 'note',
      // a store takes it, a checksum cannot be made of it
      steps: [{ from: 1, to: 2, up: () => /a/ }],
    });
    await expect(migrateRecord(records, 'n', failing)).rejects.toMatchObject({
      code: 'state/migration-failed',
    });
    await expect(migrateRecord(records, 'n', unstorable)).rejects.toMatchObject({
      code: 'state/not-encodable',
    });
    await expect(migrateRecord(records, 'n', notes, { to: 9 })).rejects.toMatchObject({
      code: 'state/migration-path-not-found',
    });
    await expect(migrateRecord(records, 'n', notes, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'port/cancelled',
    });
    expect(await store.list([])).toEqual(before);
  });

  test('a record that says nothing, or speaks of other migrations, needs to be told', async () => {
    const records = createRecords(createMemoryStore());
    for (const metadata of [
      {},
      { schema: 3 },
      { schema: { name: 'other', version: 1 } },
      { schema: { name: 'note' } },
    ]) {
      await records.save('n', { name: 'x' }, { metadata });
      await expect(migrateRecord(records, 'n', notes)).rejects.toMatchObject({
        code: 'state/migration-path-not-found',
        fields: { from: null, known: [1, 2, 3] },
      });
    }
    expect(await migrateRecord(records, 'n', notes, { from: 1 })).toMatchObject({ isSaved: true });
  });

  test('a damaged record is not migrated', async () => {
    const { store, records } = await withNote();
    await store.commit([{ type: 'put', key: stateKey('n', 1), value: { name: 'forged' } }]);
    await expect(migrateRecord(records, 'n', notes)).rejects.toMatchObject({ code: 'state/checksum-failed' });
  });

  test('who saves meanwhile loses nothing: their state is migrated', async () => {
    const { records } = await withNote();
    let saves = 0;
    const meddling: Pick<Records, 'load' | 'save'> = {
      load: (id) => records.load(id),
      save: async (id, state, options) => {
        if (saves++ < 2) await records.save(id, { name: `later ${saves}` }, { metadata: notes.stamp(1) });
        return records.save(id, state, options);
      },
    };
    await migrateRecord(meddling, 'n', notes);
    expect(await records.load('n')).toMatchObject({ sequence: 4, state: { title: 'later 2' } });
    const { records: other } = await withNote();
    const always: Pick<Records, 'load' | 'save'> = {
      load: (id) => other.load(id),
      save: async (id, state, options) => {
        await other.save(id, { name: 'again' }, { metadata: notes.stamp(1) });
        return other.save(id, state, options);
      },
    };
    await expect(migrateRecord(always, 'n', notes, { to: 2 })).rejects.toMatchObject({
      code: 'state/conflict',
    });
  });

  test('many at once make one migrated version', async () => {
    const { records } = await withNote();
    const all = await Promise.all(Array.from({ length: 10 }, () => migrateRecord(records, 'n', notes)));
    expect(all.filter((each) => each?.isSaved).length).toBe(1);
    expect(await records.versions('n')).toHaveLength(2);
  });

  test('content that is kept already is stamped all the same, so that it is not migrated again', async () => {
    const records = createRecords(createMemoryStore(), { versioning: 'content-hash' });
    const same = defineMigrations({
      name: 'same',
      steps: [{ from: 1, to: 2, up: (state: object) => ({ ...state }) }],
    });
    await records.save('n', { a: 1 }, { metadata: { by: 'ann', ...same.stamp(1) } });
    const migrated = await migrateRecord(records, 'n', same, { isPinned: true });
    const expected = {
      sequence: 1,
      isPinned: true,
      metadata: { by: 'ann', schema: { name: 'same', version: 2 } },
    };
    expect(migrated).toMatchObject({ isSaved: true, record: expected });
    expect(await records.load('n')).toMatchObject(expected);
    expect(await migrateRecord(records, 'n', same)).toMatchObject({ isSaved: false, path: [] });
  });

  test('records may call their versions what they like', async () => {
    for (const versioning of ['timestamp', 'semantic', 'content-hash'] as const) {
      const { records } = await withNote({ versioning });
      await migrateRecord(records, 'n', notes);
      expect(await records.load('n')).toMatchObject({ sequence: 2, metadata: { schema: { version: 3 } } });
    }
  });
});
