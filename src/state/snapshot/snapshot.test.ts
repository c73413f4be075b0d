import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { sha256Hex, SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore } from '../backend/memory.ts';
import type { Key } from '../key.ts';
import type { Store, Write } from '../store.ts';
import { diffSnapshots } from './diff.ts';
import { withJournal } from './journal.ts';
import { stateAt } from './point-in-time.ts';
import { forkSnapshot, restoreTo } from './restore.ts';
import { exportSnapshot, importSnapshot } from './snapshot-file.ts';
import { deleteSnapshot, listSnapshots, takeSnapshot } from './snapshot.ts';

const put = (key: Key, value: unknown): Write => ({ type: 'put', key, value });

async function filled(): Promise<Store> {
  const store = createMemoryStore();
  const map = new Map<string, unknown>([['one', 1n]]);
  await store.commit([
    put(['m', 'a'], { list: [1, 2, 3], at: new Date(5), map }),
    put(['m', 'b'], new Float64Array([1, Number.NaN])),
    put(['m', 'c'], undefined),
    put(['n'], 'beside'),
  ]);
  return store;
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => (isCodedError(error) ? error.code : String(error)),
  );

describe('snapshots', () => {
  test('are listed with what is known of them, read, restored and deleted', async () => {
    const store = await filled();
    const info = await takeSnapshot(store, 'first', { prefixes: [['m']], metadata: { why: 'test' } });
    expect(info).toMatchObject({ name: 'first', prefixes: [['m']], metadata: { why: 'test' }, keys: 3 });
    expect(await listSnapshots(store)).toEqual([info]);
    const before = await stateAt(store, 'first', ['m']);
    await store.commit([
      put(['m', 'a'], 'lost'),
      { type: 'delete', key: ['m', 'c'] },
      put(['m', 'new'], 1),
      put(['n'], 'new'),
    ]);
    expect(await stateAt(store, 'first', ['m'])).toEqual(before);
    expect(await restoreTo(store, 'first', { prefix: ['m'] })).toMatchObject({ puts: 2, deletes: 1 });
    expect((await store.list(['m'])).map(({ key, value }) => ({ key, value }))).toEqual(before.entries);
    expect((await store.get(['n']))?.value).toBe('new');
    // equal states have equal checksums
    expect((await takeSnapshot(store, 'second', { prefixes: [['m']] })).checksum).toBe(info.checksum);
    await deleteSnapshot(store, 'first');
    expect((await listSnapshots(store)).map(({ name }) => name)).toEqual(['second']);
    await deleteSnapshot(store, 'second');
    expect((await store.list([])).length).toBe(4);
  });

  test('of any size keep to the bounds of one value', async () => {
    const limits = { maxValueBytes: 5000 };
    const store = createMemoryStore({ limits });
    for (let index = 0; index < 300; index++)
      await store.commit([put(['k', String(index)], 'x'.repeat(100) + index)]);
    await takeSnapshot(store, 's', { limits: { partBytes: 4000 } });
    await store.commit([put(['k', '7'], 0)]);
    expect(await restoreTo(store, 's')).toMatchObject({ puts: 1, deletes: 0 });
    const size = codeOf(takeSnapshot(store, 'big', { limits: { maxSnapshotBytes: 20_000 } }));
    expect(await size).toBe('state/snapshot-too-large');
    expect((await listSnapshots(store)).map(({ name }) => name)).toEqual(['s']);
  });

  test('of one moment are taken while others write, without a journal too', async () => {
    const store = createMemoryStore();
    const keys = Array.from({ length: 1500 }, (_, index) => ['k', String(index).padStart(4, '0')]);
    await store.commit(keys.map((key) => put(key, 0)));
    let round = 0;
    // every commit writes the first and the last key: a torn snapshot shows two different values
    const write = async (): Promise<void> => {
      round++;
      await store.commit([put(keys[0] ?? [], round), put(keys.at(-1) ?? [], round)]);
    };
    const busy = (async () => {
      for (let index = 0; index < 20; index++) {
        await write();
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    })();
    await takeSnapshot(store, 's');
    await busy;
    const { entries } = await stateAt<number>(store, 's');
    expect(entries.length).toBe(1500);
    expect(entries[0]?.value).toBe(entries.at(-1)?.value);
    const restless: Store = Object.assign(Object.create(store) as Store, {
      capabilities: store.capabilities,
      name: store.name,
      get: store.get.bind(store),
      commit: store.commit.bind(store),
      list: async (...args: Parameters<Store['list']>) => {
        await write();
        return store.list(...args);
      },
    });
    expect(await codeOf(takeSnapshot(restless, 't'))).toBe('state/snapshot-contended');
  });

  test('of one moment are taken from a journal while others write without rest', async () => {
    const inner = createMemoryStore();
    const writer = await withJournal(inner);
    const keys = Array.from({ length: 1500 }, (_, index) => ['k', String(index).padStart(4, '0')]);
    await writer.commit(keys.map((key) => put(key, 0)));
    let round = 0;
    let isRestless = false;
    const restless: Store = Object.assign(Object.create(inner) as Store, {
      capabilities: inner.capabilities,
      name: inner.name,
      get: inner.get.bind(inner),
      commit: inner.commit.bind(inner),
      list: async (...args: Parameters<Store['list']>) => {
        round++;
        const writes = [
          put(keys[0] ?? [], round),
          { type: 'delete', key: keys[round] ?? [] } as const,
          put(keys.at(-1) ?? [], round),
        ];
        // the scan needs a hundred reads; the journal is read to its end, which must come
        if (isRestless && round < 100) await writer.commit(writes);
        return inner.list(...args);
      },
    });
    const journaled = await withJournal(restless);
    isRestless = true;
    round = 0;
    await takeSnapshot(journaled, 's');
    const { entries } = await stateAt<number>(journaled, 's');
    const last = entries.at(-1)?.value ?? 0;
    expect(last).toBeGreaterThan(3);
    expect(entries[0]?.value).toBe(last);
    expect(entries.length).toBe(1500 - last);
  });

  test('that are damaged are never restored', async () => {
    const store = await filled();
    await takeSnapshot(store, 's');
    const part = (await store.list<Uint8Array>([])).find(({ key }) => key[1] === 'part');
    const bytes = part?.value ?? new Uint8Array();
    for (const value of [
      bytes.slice(1),
      'none',
      bytes.map((byte, index) => (index === 9 ? byte ^ 4 : byte)),
    ]) {
      await store.commit([put(part?.key ?? [], value)]);
      expect(await codeOf(restoreTo(store, 's'))).toBe('state/checksum-failed');
      expect(await codeOf(exportSnapshot(store, 's'))).toBe('state/checksum-failed');
    }
  });

  test('bad names, prefixes, metadata and bounds are refused', async () => {
    const store = await filled();
    await takeSnapshot(store, 's', { prefixes: [['m']] });
    const cyclic = 'x'.repeat(20_000);
    expect(
      await Promise.all([
        codeOf(takeSnapshot(store, '')),
        codeOf(takeSnapshot(store, 'x'.repeat(201))),
        codeOf(takeSnapshot(store, 's')),
        codeOf(takeSnapshot(store, 't', { prefixes: [] })),
        codeOf(takeSnapshot(store, 't', { prefixes: [['']] })),
        codeOf(takeSnapshot(store, 't', { prefixes: [['\uffffz']] })),
        codeOf(takeSnapshot(store, 't', { metadata: { cyclic } })),
        codeOf(takeSnapshot(store, 't', { limits: { maxSnapshots: 1 } })),
        codeOf(stateAt(store, 'none')),
        codeOf(stateAt(store, 's', ['n'])),
        codeOf(stateAt(store, 1)),
        codeOf(stateAt(store, Number.NaN)),
        codeOf(deleteSnapshot(store, 'none')),
        codeOf(diffSnapshots(store, 's', 's', { prefix: ['m'], maxKeys: 0 })),
      ]),
    ).toEqual([
      'state/snapshot-invalid',
      'state/snapshot-invalid',
      'state/snapshot-exists',
      'state/snapshot-invalid',
      'state/key-invalid',
      'state/key-invalid',
      'state/snapshot-invalid',
      'state/snapshot-limit',
      'state/snapshot-not-found',
      'state/prefix-not-covered',
      'state/not-journaled',
      'state/snapshot-invalid',
      'state/snapshot-not-found',
      'state/snapshot-invalid',
    ]);
  });

  test('a restore that does not fit one commit is not begun', async () => {
    const store = createMemoryStore({ limits: { maxCommitWrites: 20 } });
    for (let index = 0; index < 30; index++) await store.commit([put(['k', String(index)], index)]);
    await takeSnapshot(store, 's');
    for (let index = 0; index < 30; index++) await store.commit([put(['k', String(index)], -index)]);
    const error: unknown = await restoreTo(store, 's').catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'state/restore-too-large',
      fields: { writes: 30, limit: 20, unit: 'writes' },
    });
    expect((await store.get(['k', '7']))?.value).toBe(-7);
    await restoreTo(store, 's', { prefix: ['k', '7'] });
    expect((await store.get(['k', '7']))?.value).toBe(7);
  });

  test('a restore that others overtake is made again, on what they wrote; without end it says so', async () => {
    const store = createMemoryStore();
    await store.commit([put(['a'], 1), put(['b'], 1)]);
    await takeSnapshot(store, 's');
    await store.commit([put(['a'], 2)]);
    let overtaken = 0;
    const racing = (times: number): Store =>
      Object.assign(Object.create(store) as Store, {
        name: store.name,
        get: store.get.bind(store),
        list: store.list.bind(store),
        commit: async (...args: Parameters<Store['commit']>) => {
          if (overtaken++ < times) await store.commit([put(['a'], `overtaken ${overtaken}`), put(['c'], 1)]);
          return store.commit(...args);
        },
      });
    expect(await restoreTo(racing(3), 's')).toMatchObject({ puts: 1, deletes: 1 });
    const restored = [await store.get(['a']), await store.get(['b']), await store.get(['c'])];
    expect(restored.map((entry) => entry?.value)).toEqual([1, 1, undefined]);
    overtaken = 0;
    await store.commit([put(['a'], 3)]);
    expect(await codeOf(restoreTo(racing(Infinity), 's'))).toBe('state/snapshot-contended');
  });

  test('a commit that relies on what a restore undoes is before it, or refused', async () => {
    const inner = createMemoryStore({ limits: { maxCommitWrites: 20 } });
    await inner.commit([put(['p', 'same'], 1), put(['p', 'other'], 1)]);
    await takeSnapshot(inner, 's', { prefixes: [['p']] });
    const [changed] = await inner.commit([put(['p', 'other'], 2)]);
    const relying: Write[] = [
      { type: 'check', key: ['p', 'other'], expectedRevision: changed?.revision ?? 0 },
      put(['p', 'same'], 2),
    ];
    let commits = 0;
    const store = Object.assign(Object.create(inner) as Store, {
      name: inner.name,
      get: inner.get.bind(inner),
      list: inner.list.bind(inner),
      commit: async (...args: Parameters<Store['commit']>) => {
        if (commits++ === 0) await inner.commit(relying);
        return inner.commit(...args);
      },
    });
    expect(await restoreTo(store, 's', { prefix: ['p'] })).toMatchObject({ puts: 2 });
    expect((await inner.list(['p'])).map(({ value }) => value)).toEqual([1, 1]);
    expect(await codeOf(inner.commit(relying))).toBe('state/conflict');
    // what is the same may be more than a commit takes
    for (let index = 0; index < 30; index++) await inner.commit([put(['q', String(index)], index)]);
    await takeSnapshot(inner, 'many', { prefixes: [['q']] });
    await inner.commit([put(['q', '7'], 'new')]);
    expect(await restoreTo(inner, 'many', { prefix: ['q'] })).toMatchObject({ puts: 1, deletes: 0 });
    expect((await inner.get(['q', '7']))?.value).toBe(7);
  });

  test('a commit that comes between two pages of a restore is not torn by it', async () => {
    const inner = createMemoryStore();
    const keys = Array.from({ length: 40 }, (_, index) => ['k', String(index).padStart(2, '0')]);
    await inner.commit(keys.map((key) => put(key, 'past')));
    await takeSnapshot(inner, 's', { prefixes: [['k']] });
    let pages = 0;
    const store = Object.assign(Object.create(inner) as Store, {
      name: inner.name,
      get: inner.get.bind(inner),
      commit: inner.commit.bind(inner),
      async list(...[prefix, options]: Parameters<Store['list']>) {
        if (options?.after && prefix[0] === 'k' && pages++ === 0) {
          await inner.commit([put(keys[0] ?? [], 'theirs'), put(keys[39] ?? [], 'theirs')]);
        }
        // in pages of some entries, as if they were large
        return inner.list(prefix, { ...options, maxBytes: 100 });
      },
    });
    await restoreTo(store, 's', { prefix: ['k'] });
    const values = new Set((await inner.list(['k'])).map(({ value }) => value));
    expect([pages > 0, [...values]]).toEqual([true, ['past']]);
  });

  test('a fork is a second state beside the first', async () => {
    const store = await filled();
    await takeSnapshot(store, 's', { prefixes: [['m']] });
    expect(await forkSnapshot(store, 's', ['copy', 'of'])).toBe(3);
    const values = (await store.list(['copy'])).map(({ key, value }) => [key.slice(2), value]);
    expect(values).toEqual((await store.list(['m'])).map(({ key, value }) => [key.slice(1), value]));
    expect(await codeOf(forkSnapshot(store, 's', ['copy', 'of']))).toBe('state/prefix-occupied');
    expect(await codeOf(forkSnapshot(store, 's', Array(8).fill('deep') as Key))).toBe('state/key-invalid');
    await takeSnapshot(store, 'both', { prefixes: [['m', 'a'], ['n']] });
    expect(await forkSnapshot(store, 'both', ['all'])).toBe(2);
    expect((await store.list(['all'])).map(({ key }) => key)).toEqual([
      ['all', 'm', 'a'],
      ['all', 'n'],
    ]);
  });
});

describe('a diff', () => {
  test('tells keys, and paths inside values', async () => {
    const clock = new SimulatedClock();
    const store = await withJournal(createMemoryStore({ clock }), { clock });
    await store.commit([
      put(['a'], { list: [1, { x: 1, y: 2 }], gone: true, map: new Map([['k', 1]]), same: new Set([1]) }),
      put(['b'], 1),
      put(['c'], new Uint8Array([1])),
    ]);
    await takeSnapshot(store, 'before');
    await clock.advance(5);
    await store.commit([
      put(['a'], { list: [1, { x: 1, y: 3 }, 4], map: new Map([['k', 2]]), same: new Set([1]) }),
      { type: 'delete', key: ['b'] },
      put(['c'], new Uint8Array([2])),
      put(['d'], 'new'),
    ]);
    const diff = await diffSnapshots(store, 'before', clock.now());
    expect(diff).toMatchObject({ added: 1, removed: 1, changed: 2 });
    expect(diff.changes).toMatchObject([
      {
        type: 'changed',
        key: ['a'],
        isTruncated: false,
        changes: [
          { type: 'changed', path: ['list', 1, 'y'], before: 2, after: 3 },
          { type: 'added', path: ['list', 2], after: 4 },
          { type: 'removed', path: ['gone'], before: true },
          { type: 'changed', path: ['map', 'k'], before: 1, after: 2 },
        ],
      },
      { type: 'removed', key: ['b'], before: 1 },
      { type: 'changed', key: ['c'], changes: [{ type: 'changed', path: [] }] },
      { type: 'added', key: ['d'], after: 'new' },
    ]);
    expect(await diffSnapshots(store, 'before', 'before')).toEqual({
      changes: [],
      added: 0,
      removed: 0,
      changed: 0,
    });
  });

  test('is bounded, and stands values that hold themselves', async () => {
    const store = createMemoryStore();
    const cyclic: Record<string, unknown> = { n: 1 };
    cyclic['self'] = cyclic;
    await store.commit([put(['a'], Array(500).fill(0)), put(['b'], cyclic), put(['c'], 1)]);
    await takeSnapshot(store, 'before');
    await store.commit([put(['a'], Array(500).fill(1)), put(['b'], { ...cyclic, n: 2 }), put(['c'], 2)]);
    await takeSnapshot(store, 'after');
    const { changes, changed } = await diffSnapshots(store, 'before', 'after', { maxKeys: 2, maxPaths: 10 });
    expect([changes.length, changed]).toEqual([2, 3]);
    expect(changes[0]).toMatchObject({ isTruncated: true });
    expect(changes[1]).toMatchObject({
      key: ['b'],
      changes: expect.arrayContaining([expect.objectContaining({ path: ['n'] })]) as unknown,
    });
  });
});

async function sealed(bytes: Uint8Array): Promise<Uint8Array> {
  const body = bytes.slice(0, -32);
  const hex = await sha256Hex(body);
  return new Uint8Array([
    ...body,
    ...Array.from({ length: 32 }, (_, index) => parseInt(hex.slice(2 * index, 2 * index + 2), 16)),
  ]);
}

/** What an import comes to, and whether it left anything. */
async function importCode(bytes: Uint8Array): Promise<string> {
  const store = createMemoryStore();
  const code = await codeOf(importSnapshot(store, bytes));
  return (await store.list([])).length === 0 || code === 'done' ? code : `${code}, and something was stored`;
}

describe('a snapshot file', () => {
  test('gives in another store what it was made of, to the byte', async () => {
    const store = await filled();
    const info = await takeSnapshot(store, 's', { metadata: { n: [1] } });
    const file = await exportSnapshot(store, 's');
    const other = createMemoryStore();
    expect(await importSnapshot(other, file)).toEqual(info);
    expect(await exportSnapshot(other, 's')).toEqual(file);
    await restoreTo(other, 's');
    const listed = (await other.list([])).filter(({ key }) => key[0] !== '\uffffvivarium');
    expect(listed.map(({ key, value }) => ({ key, value }))).toEqual((await stateAt(store, 's')).entries);
    expect(await codeOf(importSnapshot(other, file))).toBe('state/snapshot-exists');
    expect((await importSnapshot(other, file, { name: 'again' })).name).toBe('again');
  });

  test('may be compressed, and inflates no further than it may', async () => {
    const store = createMemoryStore();
    await store.commit([put(['zeros'], new Uint8Array(300_000))]);
    await takeSnapshot(store, 's');
    const file = await exportSnapshot(store, 's', { compression: 'gzip' });
    expect(file.length).toBeLessThan(2000);
    const other = createMemoryStore();
    await importSnapshot(other, file);
    expect(await exportSnapshot(other, 's')).toEqual(await exportSnapshot(store, 's'));
    const limits = { maxSnapshotBytes: 200_000 };
    expect(await codeOf(importSnapshot(other, file, { name: 'bomb', limits }))).toBe(
      'state/snapshot-too-large',
    );
    const broken = file.map((byte, index) => (index > 20 && index < 40 ? 0x55 : byte));
    expect(await importCode(await sealed(broken))).toBe('state/bytes-damaged');
    const flagged = file.map((byte, index) => (index === 10 ? 2 : byte));
    expect(await importCode(await sealed(flagged))).toBe('state/format-unknown');
  });

  test('of any values gives them back', { timeout: 60_000 }, async () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      maxDepth: 3,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anything, { maxLength: 5 }), async (values) => {
        const [store, other] = [createMemoryStore(), createMemoryStore()];
        await store.commit(values.map((value, index) => put(['v', String(index)], value)));
        await takeSnapshot(store, 's', { prefixes: [['v']] });
        await importSnapshot(other, await exportSnapshot(store, 's'));
        await restoreTo(other, 's', { prefix: ['v'] });
        expect((await other.list(['v'])).map(({ value }) => value)).toEqual(
          (await store.list(['v'])).map(({ value }) => value),
        );
      }),
      { numRuns: 30 },
    );
  });

  test(
    'cut off anywhere, or with one bit turned, is refused, and nothing of it is stored',
    { timeout: 60_000 },
    async () => {
      const store = await filled();
      await takeSnapshot(store, 's', { prefixes: [['m', 'a']] });
      const file = await exportSnapshot(store, 's');
      const codes = new Set<string>();
      for (let length = 0; length < file.length; length++) codes.add(await importCode(file.slice(0, length)));
      for (let bit = 0; bit < 8 * file.length; bit++) {
        const turned = file.slice();
        turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        codes.add(await importCode(turned));
      }
      expect([...codes].toSorted()).toEqual([
        'state/bytes-damaged',
        'state/checksum-failed',
        'state/format-unknown',
        'state/version-too-new',
      ]);
    },
  );

  /** The same file with a key that anybody may write, and with one that is ours alone. */
  async function reservedFile(): Promise<Record<'harmless' | 'hostile', Uint8Array>> {
    const store = createMemoryStore();
    await store.commit([put(['abcvivarium', 'marker', 'z'], null)]);
    await takeSnapshot(store, 's', { prefixes: [[]] });
    const harmless = await exportSnapshot(store, 's');
    const text = new TextDecoder('latin1').decode(harmless);
    const hostile = harmless.slice();
    hostile.set(new TextEncoder().encode('\uffff'), text.indexOf('abcvivarium'));
    return { harmless, hostile: await sealed(hostile) };
  }

  test('that somebody made on purpose is refused too', { timeout: 60_000 }, async () => {
    const store = await filled();
    await takeSnapshot(store, 's', { prefixes: [['m', 'a']] });
    const file = await exportSnapshot(store, 's');
    const codes = new Set<string>();
    // with a right checksum, every byte of the body in turn is something else
    for (let index = 11; index < file.length - 32; index++) {
      for (const value of [0, 0xff, 0x61]) {
        const changed = file.slice();
        changed[index] = value;
        codes.add(await importCode(await sealed(changed)));
      }
    }
    expect([...codes].toSorted()).toEqual(['done', 'state/bytes-damaged']);
    const reserved = await reservedFile();
    expect([await importCode(reserved.harmless), await importCode(reserved.hostile)]).toEqual([
      'done',
      'state/bytes-damaged',
    ]);
    const newer = file.slice();
    newer[8] = 2;
    expect(await importCode(newer)).toBe('state/version-too-new');
    expect(await importCode(new TextEncoder().encode('{"name":"s"}'))).toBe('state/format-unknown');
    const deep = [...file.slice(0, 11), 0xff, 0xff, 3, ...Array<number>(65_535).fill(0x61)];
    expect(await importCode(await sealed(new Uint8Array([...deep, ...Array<number>(32).fill(0)])))).toBe(
      'state/bytes-damaged',
    );
    const big = new Uint8Array(2000);
    big.set(file.slice(0, 11));
    expect(await codeOf(importSnapshot(store, big, { limits: { maxSnapshotBytes: 1000 } }))).toBe(
      'state/snapshot-too-large',
    );
  });
});
