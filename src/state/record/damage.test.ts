import { describe, expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore } from '../backend/memory.ts';
import type { Key } from '../key.ts';
import type { Entry, Store, Write } from '../store.ts';
import { headKey, idKey, infoKey, stateKey } from './record-key.ts';
import { createRecords } from './records.ts';
import type { Records } from './records.ts';

type Path = readonly (string | number)[];

const versions = ['1.0.0', '1.1.0', '2.0.0'];

/** Two records alike in shape, so that the parts of one could pass for the other's. */
async function savedEntries(): Promise<readonly Entry[]> {
  const store = createMemoryStore();
  const records = createRecords(store, { versioning: 'semantic', clock: new SimulatedClock(1000) });
  for (const id of ['r', 's']) {
    for (const [index, version] of versions.entries()) {
      const state = { id, n: index, list: [1, { deep: 'x' }], bytes: new Uint8Array([1, 2]) };
      await records.save(id, state, {
        version,
        metadata: { by: id, nested: { flag: true } },
        isPinned: index === 0,
      });
    }
  }
  return store.list([]);
}

async function storeWith(entries: readonly Entry[]): Promise<Store> {
  const store = createMemoryStore();
  await store.commit(entries.map(({ key, value }): Write => ({ type: 'put', key, value })));
  return store;
}

const isBranch = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** Every place in a value, the value itself first. */
function pathsOf(value: unknown, at: Path = []): readonly Path[] {
  if (!isBranch(value)) return [at];
  return [at, ...Object.entries(value).flatMap(([key, part]) => pathsOf(part, [...at, key]))];
}

function flipped(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string') return `${value.slice(0, -1)}${value.endsWith('0') ? '1' : '0'}`;
  return value === null ? 1 : null;
}

function withFlip(value: unknown, [step, ...rest]: Path): unknown {
  if (step === undefined) return flipped(value);
  const copy = structuredClone(value) as Record<string | number, unknown>;
  copy[step] = withFlip(copy[step], rest);
  return copy;
}

/** What a reader gives; errors must be the two that say that something is wrong with what is stored. */
async function outcomeOf(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    if (isCodedError(error, 'state/checksum-failed') || isCodedError(error, 'state/version-too-new'))
      return error;
    throw error;
  }
}

const readers: Readonly<Record<string, (records: Records) => Promise<unknown>>> = {
  latest: (records) => records.load('r'),
  listing: (records) => records.versions('r'),
  ...Object.fromEntries(
    [1, 2, 3, ...versions].map((version) => [
      String(version),
      (records: Records) => records.load('r', version),
    ]),
  ),
};

/** Which readers notice; each of the others must give what it gave before the damage. */
async function whoNotices(store: Store, before: ReadonlyMap<string, unknown>): Promise<string[]> {
  const records = createRecords(store);
  const given = new Map<string, unknown>();
  const noticing: string[] = [];
  for (const [name, read] of Object.entries(readers)) {
    const outcome = await outcomeOf(read(records));
    if (!isCodedError(outcome)) given.set(name, outcome);
    else noticing.push(name);
    const good = isCodedError(outcome, 'state/checksum-failed') && outcome.fields.lastGoodVersion;
    // what is offered can be had
    if (typeof good === 'number') given.set(String(good), await records.load('r', good));
  }
  expect(Object.fromEntries(given)).toEqual(
    Object.fromEntries([...given.keys()].map((name) => [name, before.get(name)])),
  );
  return noticing;
}

async function expectRepaired(store: Store, lostAtMost: number): Promise<void> {
  const records = createRecords(store, { versioning: 'semantic' });
  const dropped = await records.repair('r');
  expect(dropped.length).toBeLessThanOrEqual(lostAtMost);
  const left = versions.length - dropped.length;
  expect(await records.verify('r')).toEqual({ wholeCount: left, damaged: [], isHeadWhole: true });
  expect(await records.versions('r')).toHaveLength(left);
  const { sequence } = await records.save('r', 'next', { version: '3.0.0' });
  expect(sequence).toBeGreaterThan(versions.length);
  expect(await records.load('r')).toMatchObject({ state: 'next' });
  expect(await records.delete('r')).toBe(true);
  const remains = (await store.list([])).filter(({ key }) => key[1] === 'r');
  // sequence numbers are not given twice: the head stays
  expect(remains.map(({ key }) => key[0])).toEqual(['record']);
}

async function before(): Promise<{ entries: readonly Entry[]; outcomes: ReadonlyMap<string, unknown> }> {
  const entries = await savedEntries();
  const records = createRecords(await storeWith(entries));
  const outcomes = new Map<string, unknown>();
  for (const [name, read] of Object.entries(readers)) outcomes.set(name, await read(records));
  return { entries, outcomes };
}

const kindOf = (key: Key): string => String(key.length === 3 ? `${key[0]}-part` : key[0]);
/** Their values say nothing: the keys do. */
const withoutValue = new Set(['record-id', 'record-version']);

describe('what is stored is not what was saved', () => {
  test('without damage every reader is content', async () => {
    const { entries, outcomes } = await before();
    expect(await whoNotices(await storeWith(entries), outcomes)).toEqual([]);
    expect(outcomes.get('latest')).toMatchObject({ version: '2.0.0', state: { n: 2 } });
  });

  test('a flip of any field of any part is noticed, and nobody gets anything wrong', async () => {
    const { entries, outcomes } = await before();
    let flips = 0;
    for (const [index, entry] of entries.entries()) {
      if (entry.key[1] !== 'r') continue;
      for (const path of pathsOf(entry.value)) {
        const value = withFlip(entry.value, path);
        const store = await storeWith(entries.with(index, { ...entry, value }));
        const noticing = await whoNotices(store, outcomes);
        flips++;
        const place = `${entry.key.join('/')}: ${path.join('.')}`;
        const mustNotice = !withoutValue.has(String(entry.key[0]));
        expect({ place, isNoticed: noticing.length > 0 }).toEqual({ place, isNoticed: mustNotice });
        const isTooNew = kindOf(entry.key) === 'record' && path[0] === 'format';
        if (!isTooNew) await expectRepaired(store, 1);
      }
    }
    expect(flips).toBeGreaterThan(80);
  }, 60_000);

  test('a part that is lost is noticed or not needed', async () => {
    const { entries, outcomes } = await before();
    const noticed: Record<string, number> = {};
    for (const entry of entries.filter(({ key }) => key[1] === 'r')) {
      const store = await storeWith(entries.filter((each) => each !== entry));
      const noticing = await whoNotices(store, outcomes).catch((error: unknown) => {
        // a listing tells of a lost part by what is missing from it
        if (kindOf(entry.key) !== 'record-info-part') throw error;
        return ['listing'];
      });
      noticed[kindOf(entry.key)] = (noticed[kindOf(entry.key)] ?? 0) + Number(noticing.length > 0);
      await expectRepaired(store, 1);
    }
    expect(noticed).toEqual({
      record: 1,
      'record-part': 3,
      'record-info-part': 3,
      'record-version': 0,
      'record-id': 0,
    });
  });

  test('a part in the place of another is noticed', async () => {
    const { entries, outcomes } = await before();
    const valueOf = (key: Key): unknown =>
      entries.find((each) => each.key.join('/') === key.join('/'))?.value;
    const swaps: readonly (readonly [Key, Key])[] = [
      [headKey('r'), headKey('s')],
      [infoKey('r', 2), infoKey('r', 1)],
      [infoKey('r', 2), infoKey('s', 2)],
      [stateKey('r', 3), stateKey('s', 3)],
      [stateKey('r', 3), stateKey('r', 1)],
    ];
    for (const [to, from] of swaps) {
      const store = await storeWith(entries);
      await store.commit([{ type: 'put', key: to, value: valueOf(from) }]);
      const place = `${to.join('/')} from ${from.join('/')}`;
      expect({ place, count: (await whoNotices(store, outcomes)).length }).not.toEqual({ place, count: 0 });
      await expectRepaired(store, 1);
    }
  });

  test('nothing is saved on top of a damaged head; what is left loads, and repair makes it the record again', async () => {
    const store = await storeWith(await savedEntries());
    await store.commit([{ type: 'put', key: headKey('r'), value: { sequence: 1 } }]);
    const records = createRecords(store, { versioning: 'semantic' });
    const failed = { code: 'state/checksum-failed', fields: { id: 'r', version: null, lastGoodVersion: 3 } };
    await expect(records.load('r')).rejects.toMatchObject(failed);
    await expect(records.save('r', 1)).rejects.toMatchObject(failed);
    await expect(records.delete('r')).rejects.toMatchObject(failed);
    expect(await records.loadLastGood('r')).toMatchObject({ version: '2.0.0' });
    expect(await records.verify('r')).toEqual({ wholeCount: 3, damaged: [], isHeadWhole: false });
    expect(await records.repair('r')).toEqual([]);
    expect(await records.load('r')).toMatchObject({ version: '2.0.0', state: { n: 2 } });
    expect((await records.versions('r')).map(({ isPinned }) => isPinned)).toEqual([true, false, false]);
    expect(await records.save('r', 4)).toMatchObject({ sequence: 4, version: '2.0.1' });
  });

  test('the last good version is loaded instead, if there is one', async () => {
    const store = await storeWith(await savedEntries());
    const records = createRecords(store);
    const damage = (sequence: number): Promise<unknown> =>
      store.commit([{ type: 'put', key: stateKey('r', sequence), value: 'damaged' }]);
    expect(await records.loadLastGood('r')).toMatchObject({ sequence: 3 });
    await damage(3);
    expect(await records.loadLastGood('r')).toMatchObject({ sequence: 2 });
    await damage(2);
    await damage(1);
    expect(await records.loadLastGood('r')).toBeUndefined();
    expect(await records.loadLastGood('never saved')).toBeUndefined();
    expect(await records.repair('r')).toEqual([1, 2, 3]);
    expect(await records.load('r')).toBeUndefined();
    expect(await records.ids()).toEqual(['s']);
  });

  test('a version that goes while it is read is gone, not damaged', async () => {
    const store = createMemoryStore();
    const records = createRecords(store, { retention: { maxVersions: 1 } });
    const loads: Promise<unknown>[] = [];
    for (let n = 1; n <= 60; n++) {
      const saving = records.save('r', n);
      loads.push(...[n, n - 1, n - 2, 'latest'].map((version) => outcomeOf(records.load('r', version))));
      await saving;
    }
    for (const outcome of await Promise.all(loads)) expect(isCodedError(outcome)).toBe(false);
  });

  test('what a newer version wrote is left alone', async () => {
    const store = await storeWith(await savedEntries());
    const head = (await store.get<object>(headKey('r')))?.value;
    await store.commit([{ type: 'put', key: headKey('r'), value: { ...head, format: 2, more: true } }]);
    const records = createRecords(store);
    const failed = { code: 'state/version-too-new', fields: { id: 'r', format: 2, expected: 1 } };
    await expect(records.load('r')).rejects.toMatchObject(failed);
    await expect(records.save('r', 1)).rejects.toMatchObject(failed);
    await expect(records.repair('r')).rejects.toMatchObject(failed);
    await expect(records.delete('r')).rejects.toMatchObject(failed);
  });
});

test('ids are listed by prefix, page by page, while they have a version', async () => {
  const store = createMemoryStore();
  const records = createRecords(store);
  for (const id of ['b', 'a/2', 'a/1', 'a', 'a\u0000', 'ab']) await records.save(id, 1);
  expect(await records.ids()).toEqual(['a', 'a\u0000', 'a/1', 'a/2', 'ab', 'b']);
  expect(await records.ids({ prefix: 'a/' })).toEqual(['a/1', 'a/2']);
  expect(await records.ids({ prefix: 'a', limit: 2 })).toEqual(['a', 'a\u0000']);
  expect(await records.ids({ prefix: 'a', limit: 2, after: 'a\u0000' })).toEqual(['a/1', 'a/2']);
  expect(await records.ids({ prefix: 'a', after: 'a/2' })).toEqual(['ab']);
  await records.delete('a/1');
  await records.delete('a/2', 1);
  expect(await records.ids({ prefix: 'a/' })).toEqual([]);
  await records.save('a/1', 2);
  expect(await records.ids({ prefix: 'a/' })).toEqual(['a/1']);
  for (const limit of [0, 1001, 1.5]) {
    await expect(records.ids({ limit })).rejects.toMatchObject({ code: 'state/limit-invalid' });
    await expect(records.versions('b', { limit })).rejects.toMatchObject({ code: 'state/limit-invalid' });
  }
  expect(await store.get(idKey('a/2'))).toBeUndefined();
});

test('versions are listed in both orders, page by page', async () => {
  const records = createRecords(createMemoryStore());
  for (let n = 1; n <= 40; n++) await records.save('r', n);
  for (let n = 3; n <= 37; n++) await records.delete('r', n);
  const page = async (options: object): Promise<number[]> =>
    (await records.versions('r', options)).map(({ sequence }) => sequence);
  expect(await page({})).toEqual([1, 2, 38, 39, 40]);
  expect(await page({ limit: 2, after: 2 })).toEqual([38, 39]);
  expect(await page({ order: 'newest-first' })).toEqual([40, 39, 38, 2, 1]);
  expect(await page({ order: 'newest-first', limit: 2 })).toEqual([40, 39]);
  expect(await page({ order: 'newest-first', limit: 2, after: 39 })).toEqual([38, 2]);
  expect(await page({ order: 'newest-first', limit: 2, after: 1 })).toEqual([]);
});

test('a deletion that was stopped half way leaves a record that is gone; the next one frees the room', async () => {
  const store = createMemoryStore();
  const records = createRecords(store);
  for (let n = 1; n <= 900; n++) await records.save('r', n);
  let commits = 0;
  const dying = new Proxy(store, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (property === 'commit' && ++commits > 2)
        return () => Promise.reject(new Error('the tab was closed'));
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  await expect(createRecords(dying).delete('r')).rejects.toThrow('the tab was closed');
  expect((await store.list(['record-info', 'r'])).length).toBe(500);
  expect(await records.load('r')).toBeUndefined();
  expect(await records.load('r', 900)).toBeUndefined();
  expect(await records.versions('r')).toEqual([]);
  expect(await records.versions('r', { order: 'newest-first' })).toEqual([]);
  expect(await records.ids()).toEqual([]);
  expect(await records.pin('r', 900)).toBe(false);
  // a save brings the record back, and frees some of the room
  expect(await records.save('r', 'new')).toMatchObject({ sequence: 901 });
  expect((await store.list(['record-info', 'r'])).length).toBe(500 - 16 + 1);
  expect((await records.versions('r')).map(({ sequence }) => sequence)).toEqual([901]);
  expect(await records.delete('r')).toBe(true);
  expect((await store.list([])).map(({ key }) => key)).toEqual([['record', 'r']]);
  expect(await records.delete('r')).toBe(false);
}, 30_000);

test('metadata and expectations that are none are refused', async () => {
  const records = createRecords(createMemoryStore());
  const invalid = { code: 'state/option-invalid' };
  for (const metadata of [[], null, 'x', { a: Number.NaN }, { a: undefined }, { a: 'x'.repeat(65_536) }]) {
    await expect(records.save('r', 1, { metadata: metadata as never })).rejects.toMatchObject(invalid);
  }
  for (const expectedVersion of [1.5, {}, true]) {
    await expect(records.save('r', 1, { expectedVersion: expectedVersion as never })).rejects.toMatchObject(
      invalid,
    );
  }
  await expect(records.save('', 1)).rejects.toMatchObject({ code: 'state/key-invalid' });
  await expect(records.save('x'.repeat(513), 1)).rejects.toMatchObject({ code: 'state/key-invalid' });
  expect(await records.ids()).toEqual([]);
});
