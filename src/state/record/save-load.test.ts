import { describe, expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore } from '../backend/memory.ts';
import type { Store } from '../store.ts';
import { infoKey, stateKey } from './record-key.ts';
import { createRecords, loadRecord, saveRecord } from './records.ts';

const state = { weights: new Float64Array([1, 2.5]), seen: new Map([['a', 1n]]), note: 'x' };

describe('records', () => {
  test('each save is a version; any of them loads as it was saved', async () => {
    const store = createMemoryStore();
    const clock = new SimulatedClock(1000);
    const first = await saveRecord(store, 'm', state, { metadata: { by: 'test' }, clock });
    await saveRecord(store, 'm', { n: 2 }, { clock });
    expect(first).toMatchObject({
      id: 'm',
      sequence: 1,
      version: '1',
      atMs: 1000,
      metadata: { by: 'test' },
      state,
    });
    expect(first.checksum).toMatch(/^[0-9a-f]{64}$/);
    expect(await loadRecord(store, 'm', 1)).toEqual(first);
    expect(await loadRecord(store, 'm')).toMatchObject({ version: '2', state: { n: 2 } });
    const versions = await createRecords(store).versions('m');
    expect(versions.map(({ version, metadata }) => [version, metadata])).toEqual([
      ['1', { by: 'test' }],
      ['2', {}],
    ]);
    expect(versions[0]).not.toHaveProperty('state');
    expect((await createRecords(store).versions('m', { after: 1 })).map(({ version }) => version)).toEqual([
      '2',
    ]);
  });

  test('what is not there is undefined', async () => {
    const store = createMemoryStore();
    expect(await loadRecord(store, 'm')).toBeUndefined();
    await saveRecord(store, 'm', 1);
    for (const version of [0, -1, 2, 1.5, Number.NaN])
      expect(await loadRecord(store, 'm', version)).toBeUndefined();
    expect(await loadRecord(store, 'other')).toBeUndefined();
    expect(await createRecords(store).versions('other')).toEqual([]);
  });

  test('savers at once get a version each', async () => {
    const store = createMemoryStore();
    const saved = await Promise.all(Array.from({ length: 8 }, (_, index) => saveRecord(store, 'm', index)));
    expect(saved.map(({ sequence }) => sequence).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    for (const record of saved) expect(await loadRecord(store, 'm', record.version)).toEqual(record);
  });

  test('damage of any part is found, and the last good version named', async () => {
    const store = createMemoryStore();
    for (const n of [1, 2, 3, 4]) await saveRecord(store, 'm', { n });
    const info = (await store.get<object>(infoKey('m', 4)))?.value;
    await store.commit([
      { type: 'put', key: stateKey('m', 4), value: { n: 5 } },
      { type: 'delete', key: infoKey('m', 3) },
    ]);
    const failed = (version: number, lastGoodVersion: number | null): unknown =>
      expect.objectContaining({
        code: 'state/checksum-failed',
        fields: { id: 'm', version, lastGoodVersion },
      });
    await expect(loadRecord(store, 'm')).rejects.toThrow(failed(4, 2) as Error);
    await store.commit([{ type: 'put', key: stateKey('m', 4), value: { n: 4 } }]);
    expect(await loadRecord(store, 'm')).toMatchObject({ state: { n: 4 } });
    for (const change of [
      { atMs: 1 },
      { metadata: { forged: true } },
      { checksum: 'x' },
      { metadata: /not data/ },
    ]) {
      await store.commit([{ type: 'put', key: infoKey('m', 4), value: { ...info, ...change } }]);
      await expect(loadRecord(store, 'm', 4)).rejects.toThrow(failed(4, 2) as Error);
    }
    await store.commit([1, 2].map((version) => ({ type: 'delete', key: stateKey('m', version) })));
    await store.commit([{ type: 'delete', key: stateKey('m', 4) }]);
    await expect(loadRecord(store, 'm')).rejects.toThrow(failed(4, null) as Error);
    expect(await saveRecord(store, 'm', { n: 6 })).toMatchObject({ version: '5' });
    expect(await loadRecord(store, 'm')).toMatchObject({ state: { n: 6 } });
  });

  test('a saver whom others always overtake gives up after 16 attempts', async () => {
    const store = createMemoryStore();
    let commits = 0;
    const overtaken = Object.create(store, {
      get: { value: store.get.bind(store) },
      list: { value: store.list.bind(store) },
      commit: {
        value: () => {
          commits++;
          return Promise.reject(new CodedError('state/conflict', 'somebody was faster'));
        },
      },
    }) as Store;
    await expect(saveRecord(overtaken, 'm', 1)).rejects.toMatchObject({ code: 'state/conflict' });
    expect(commits).toBe(16);
  });

  test('the last good version is looked for among the 32 before, and no further', async () => {
    const store = createMemoryStore();
    for (let version = 1; version <= 34; version++) await saveRecord(store, 'm', version);
    const damage = (from: number, to: number): Promise<unknown> =>
      store.commit(
        Array.from({ length: to - from + 1 }, (_, index) => ({
          type: 'put',
          key: stateKey('m', from + index),
          value: 'damaged',
        })),
      );
    await damage(3, 34);
    await expect(loadRecord(store, 'm')).rejects.toMatchObject({ fields: { lastGoodVersion: 2 } });
    await damage(2, 2);
    await expect(loadRecord(store, 'm')).rejects.toMatchObject({ fields: { lastGoodVersion: null } });
    await expect(loadRecord(store, 'm', 33)).rejects.toMatchObject({ fields: { lastGoodVersion: 1 } });
  });

  test('what has no canonical bytes is refused, and the state is the one at the call', async () => {
    const store = createMemoryStore();
    await expect(saveRecord(store, 'm', /a/)).rejects.toThrow(
      expect.objectContaining({ code: 'state/not-encodable' }) as Error,
    );
    await expect(saveRecord(store, 'm', () => 1)).rejects.toThrow(
      expect.objectContaining({ code: 'state/not-cloneable' }) as Error,
    );
    const list = [1];
    const saving = saveRecord(store, 'm', list);
    list.push(2);
    await saving;
    expect((await loadRecord(store, 'm'))?.state).toEqual([1]);
  });
});
