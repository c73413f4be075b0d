/* oxlint-disable vitest/no-standalone-expect, vitest/expect-expect, vitest/valid-title -- laws are run by describeStore and by tests of broken stores */
/** The laws of `Store`: what every implementation must pass. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCodedError } from '../base/index.ts';
import type { CodedError } from '../base/index.ts';
import { compareKeys } from './key.ts';
import type { Key } from './key.ts';
import type { Change, Store, Write } from './store.ts';

/** Opens an empty store; the law closes it. */
export type OpenStore = () => Promise<Store>;

export interface StoreLaw {
  readonly name: string;
  /** Rejects when the store breaks the law. */
  check(open: OpenStore): Promise<void>;
}

const put = (key: Key, value: unknown, expectedRevision?: number): Write =>
  expectedRevision === undefined
    ? { type: 'put', key, value }
    : { type: 'put', key, value, expectedRevision };

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return isCodedError(error) ? error.code : `not a coded error: ${String(error)}`;
}

async function errorOf(work: Promise<unknown>): Promise<CodedError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isCodedError(error)) throw new Error(`expected a coded error, got ${String(error)}`);
  return error;
}

function law(name: string, check: (store: Store) => Promise<void>): StoreLaw {
  return {
    name,
    async check(open) {
      const store = await open();
      try {
        await check(store);
      } finally {
        await store.close();
      }
    },
  };
}

const basicLaws: readonly StoreLaw[] = [
  law('what was put is there, with revision and time', async (store) => {
    const [committed] = await store.commit([put(['a', 'b'], { n: 1 })]);
    expect(committed).toMatchObject({ key: ['a', 'b'], revision: 1 });
    const entry = await store.get(['a', 'b']);
    expect(entry).toEqual({ key: ['a', 'b'], value: { n: 1 }, revision: 1, atMs: committed?.atMs });
    expect(await store.get(['a'])).toBeUndefined();
    expect(await store.get(['a', 'b', 'c'])).toBeUndefined();
  }),
  law('an empty commit is no error', async (store) => {
    expect(await store.commit([])).toEqual([]);
    expect(await store.commitEach([])).toEqual([]);
    expect(await store.commitEach([[]])).toEqual([{ ok: true, value: [] }]);
  }),
  law('revisions rise by one with each write, over deletes too', async (store) => {
    const key = ['k'];
    const revisions: (number | undefined)[] = [];
    for (const write of [
      put(key, 1),
      put(key, 2),
      { type: 'delete', key } as const,
      put(key, 3, 0),
      put(key, 4),
    ]) {
      revisions.push((await store.commit([write]))[0]?.revision);
    }
    expect(revisions).toEqual([1, 2, 3, 4, 5]);
    expect((await store.get(key))?.revision).toBe(5);
  }),
  law('deleting what is not there changes nothing', async (store) => {
    expect((await store.commit([{ type: 'delete', key: ['k'] }]))[0]?.revision).toBe(0);
    await store.commit([put(['k'], 1)]);
    await store.commit([{ type: 'delete', key: ['k'] }]);
    expect((await store.commit([{ type: 'delete', key: ['k'] }]))[0]?.revision).toBe(2);
    expect(await store.get(['k'])).toBeUndefined();
    expect(await store.list([])).toEqual([]);
  }),
  law('both durabilities commit', async (store) => {
    await store.commit([put(['r'], 1)], { durability: 'relaxed' });
    await store.commit([put(['s'], 2)], { durability: 'strict' });
    expect((await store.list([])).map(({ value }) => value)).toEqual([1, 2]);
  }),
  law('an undefined value is a value', async (store) => {
    await store.commit([put(['u'], undefined)]);
    expect(await store.get(['u'])).toMatchObject({ revision: 1 });
    expect((await store.list([])).length).toBe(1);
  }),
];

const casLaws: readonly StoreLaw[] = [
  law('a write with the wrong revision is refused and says what is there', async (store) => {
    await store.commit([put(['k'], 'first')]);
    const error = await errorOf(store.commit([put(['k'], 'second', 7)]));
    expect(error.code).toBe('state/conflict');
    expect(error.fields).toMatchObject({ key: ['k'], expected: 7, actual: 1, index: 0 });
    expect((await store.get(['k']))?.value).toBe('first');
  }),
  law('revision 0 means that the key must not exist, never or no more', async (store) => {
    await store.commit([put(['k'], 1, 0)]);
    expect(await codeOf(store.commit([put(['k'], 2, 0)]))).toBe('state/conflict');
    await store.commit([{ type: 'delete', key: ['k'], expectedRevision: 1 }]);
    expect(await codeOf(store.commit([put(['k'], 3, 2)]))).toBe('state/conflict');
    expect((await store.commit([put(['k'], 3, 0)]))[0]?.revision).toBe(3);
  }),
  law('a delete compares too', async (store) => {
    await store.commit([put(['k'], 1)]);
    expect(await codeOf(store.commit([{ type: 'delete', key: ['k'], expectedRevision: 9 }]))).toBe(
      'state/conflict',
    );
    expect((await store.get(['k']))?.value).toBe(1);
  }),
  law('one conflict among many writes applies none of them', async (store) => {
    await store.commit([put(['taken'], 1)]);
    const writes = [
      put(['a'], 1),
      put(['taken'], 2, 0),
      put(['b'], 1),
      { type: 'delete', key: ['taken'] } as const,
    ];
    const error = await errorOf(store.commit(writes));
    expect(error).toMatchObject({ code: 'state/conflict', fields: { index: 1 } });
    expect((await store.list([])).map(({ key, revision }) => [key, revision])).toEqual([[['taken'], 1]]);
    // nothing half-done is left behind either: the refused keys begin at 1
    expect((await store.commit([put(['a'], 1)]))[0]?.revision).toBe(1);
  }),
  law('later writes of a commit see the earlier ones', async (store) => {
    const committed = await store.commit([
      put(['k'], 1, 0),
      put(['k'], 2, 1),
      { type: 'delete', key: ['k'], expectedRevision: 2 },
      put(['k'], 3, 0),
    ]);
    expect(committed.map(({ revision }) => revision)).toEqual([1, 2, 3, 4]);
    expect(await store.get(['k'])).toMatchObject({ value: 3, revision: 4 });
  }),
  law('groups fail each for itself and see each other in order', async (store) => {
    await store.commit([put(['k'], 0)]);
    const outcomes = await store.commitEach([
      [put(['k'], 1, 1)],
      [put(['x'], 'torn'), put(['k'], 2, 1)],
      [put(['k'], 3, 2), put(['y'], 1)],
      [put(['x'], 'whole', 0)],
    ]);
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, true, true]);
    expect((await store.list([])).map(({ key, value }) => [...key, value])).toEqual([
      ['k', 3],
      ['x', 'whole'],
      ['y', 1],
    ]);
  }),
];

const listLaws: readonly StoreLaw[] = [
  law('list keeps to its prefix, segment by segment', async (store) => {
    const keys = [['a'], ['a', 'b'], ['a', 'b', 'c'], ['ab'], ['a\u0000'], ['a\u0001', 'x'], ['b']];
    await store.commit(keys.map((key) => put(key, 0)));
    const listed = async (prefix: Key): Promise<Key[]> => (await store.list(prefix)).map(({ key }) => key);
    expect(await listed(['a'])).toEqual([['a'], ['a', 'b'], ['a', 'b', 'c']]);
    expect(await listed(['a', 'b'])).toEqual([
      ['a', 'b'],
      ['a', 'b', 'c'],
    ]);
    expect(await listed(['c'])).toEqual([]);
    expect(await listed([])).toEqual(keys.toSorted(compareKeys));
  }),
  law('pages join to the whole', async (store) => {
    const keys = Array.from({ length: 25 }, (_, index) => ['page', String(index).padStart(2, '0')]);
    await store.commit([...keys.toReversed().map((key) => put(key, 0)), put(['other'], 0)]);
    const found: Key[] = [];
    for (let after: Key | undefined; ;) {
      const page = await store.list(['page'], after ? { limit: 10, after } : { limit: 10 });
      found.push(...page.map(({ key }) => key));
      after = page.at(-1)?.key;
      if (page.length < 10) break;
    }
    expect(found).toEqual(keys);
    expect(await store.list(['page'], { after: ['zzz'] })).toEqual([]);
    expect((await store.list(['page'], { after: ['aaa'] })).length).toBe(25);
  }),
  law('any keys come back in the order of keys', async (store) => {
    const segment = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 });
    const wild = fc.constantFrom('\u0000', '\u0001', '\u0001\u0001', '\uffff', '~', '😀', '\u0000\u0001');
    const keys = fc.uniqueArray(fc.array(fc.oneof(segment, wild), { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 12,
      selector: (key) => JSON.stringify(key),
    });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(keys, async (some) => {
        const root = `round-${round++}`;
        await store.commit(some.map((key) => put([root, ...key], key)));
        const listed = (await store.list([root])).map(({ value }) => value);
        expect(listed).toEqual(some.toSorted(compareKeys));
      }),
      { numRuns: 20 },
    );
  }),
];

class Point {
  readonly x = 1;
}

const valueLaws: readonly StoreLaw[] = [
  law('structured values round trip', async (store) => {
    const cyclic: { self?: unknown; readonly name: string } = { name: 'cycle' };
    cyclic.self = cyclic;
    const values: unknown[] = [
      null,
      true,
      -0,
      Number.NaN,
      Infinity,
      'text \u0000 \ud800 😀',
      12345678901234567890n,
      new Date(86_400_000),
      [1, [2, [3]]],
      { deep: { er: [{}] } },
      new Map<unknown, unknown>([
        ['a', 1],
        [{ k: 1 }, new Set([1, 2])],
      ]),
      new Set(['x', 1n]),
      new Float64Array([1.5, Number.NaN, -0]),
      new Uint8Array([1, 2, 255]).buffer,
      new BigInt64Array([-1n]),
      /a+/giu,
      cyclic,
    ];
    await store.commit(values.map((value, index) => put(['v', String(index).padStart(2, '0')], value)));
    const listed = await store.list(['v']);
    expect(listed.map(({ value }) => value)).toEqual(values);
    expect(Object.is(listed[2]?.value, -0)).toBe(true);
    expect((await store.get<Map<unknown, unknown>>(['v', '10']))?.value).toEqual(values[10]);
  }),
  law('any JSON-like value round trips', async (store) => {
    await fc.assert(
      fc.asyncProperty(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          maxDepth: 3,
        }),
        async (value) => {
          await store.commit([put(['any'], value)]);
          expect((await store.get(['any']))?.value).toEqual(structuredClone(value));
        },
      ),
      { numRuns: 40 },
    );
  }),
  law('what the caller changes after the call is not stored', async (store) => {
    const value = { list: [1] };
    const key = ['k'];
    const committing = store.commit([put(key, value)]);
    value.list.push(2);
    key[0] = 'moved';
    await committing;
    expect((await store.get(['k']))?.value).toEqual({ list: [1] });
    expect(await store.get(['moved'])).toBeUndefined();
  }),
  law('what the reader changes is not stored', async (store) => {
    await store.commit([put(['k'], { list: [1], map: new Map([['a', 1]]) })]);
    for (const entry of [
      await store.get<{ list: number[]; map: Map<string, number> }>(['k']),
      (await store.list<{ list: number[]; map: Map<string, number> }>([]))[0],
    ]) {
      entry?.value.list.push(2);
      entry?.value.map.set('b', 2);
    }
    expect((await store.get(['k']))?.value).toEqual({ list: [1], map: new Map([['a', 1]]) });
  }),
  law('an instance comes back as plain data', async (store) => {
    await store.commit([put(['k'], new Point())]);
    expect(Object.getPrototypeOf((await store.get<object>(['k']))?.value)).toBe(Object.prototype);
  }),
];

function deep(levels: number): unknown {
  let value: unknown = 0;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

const hostileLaws: readonly StoreLaw[] = [
  law('what cannot be stored is refused, and nothing beside it is stored', async (store) => {
    const shared = new SharedArrayBuffer(8);
    const throwing = Object.defineProperty({}, 'trap', {
      enumerable: true,
      get: () => {
        throw new Error('sprung');
      },
    });
    const values: unknown[] = [
      () => 1,
      Symbol('s'),
      { nested: [() => 1] },
      new WeakMap(),
      new Proxy({}, {}),
      Promise.resolve(),
      throwing,
      shared,
      new Uint8Array(shared),
      new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])),
    ];
    for (const value of values) {
      expect(await codeOf(store.commit([put(['beside'], 1), put(['k'], value)]))).toBe('state/not-cloneable');
    }
    expect(await store.list([])).toEqual([]);
  }),
  law('values and commits beyond the bounds are refused', async (store) => {
    const MiB = 2 ** 20;
    const big = new Uint8Array(17 * MiB);
    const error = await errorOf(store.commit([put(['k'], { big })]));
    expect(error).toMatchObject({ code: 'state/value-too-large', fields: { scope: 'value' } });
    const many = Array.from({ length: 5 }, (_, index) => put(['k', String(index)], new Uint8Array(15 * MiB)));
    expect(await errorOf(store.commit(many))).toMatchObject({
      code: 'state/value-too-large',
      fields: { scope: 'commit' },
    });
    const crowd = Array.from({ length: 10_001 }, () => put(['k'], 0));
    expect(await errorOf(store.commit(crowd))).toMatchObject({
      code: 'state/value-too-large',
      fields: { scope: 'commit', unit: 'writes' },
    });
    expect(await codeOf(store.commit([put(['k'], deep(300))]))).toBe('state/value-too-large');
    expect(await codeOf(store.commit([put(['k'], deep(100_000))]))).toMatch(
      /^state\/(value-too-large|not-cloneable)$/,
    );
    expect(await codeOf(store.commit([put(['k'], 'x'.repeat(9 * MiB))]))).toBe('state/value-too-large');
    expect(await store.list([])).toEqual([]);
    await store.commit([put(['k'], 'well')]);
  }),
  law('bad keys are refused in every method', async (store) => {
    const hole: string[] = [];
    hole[1] = 'b';
    const keys: unknown[] = [
      undefined,
      null,
      'text',
      7,
      {},
      [''],
      ['a', ''],
      [1],
      [null],
      hole,
      ['\ud800'],
      ['x'.repeat(513)],
      ['a'.repeat(400), 'b'.repeat(400), 'c'.repeat(400)],
      Array(9).fill('a'),
    ];
    for (const bad of keys as Key[]) {
      expect(await codeOf(store.get(bad))).toBe('state/key-invalid');
      expect(await codeOf(store.list(bad))).toBe('state/key-invalid');
      expect(await codeOf(store.commit([put(['good'], 1), put(bad, 1)]))).toBe('state/key-invalid');
      expect(() => store.watch(bad, () => undefined)).toThrow(
        expect.objectContaining({ code: 'state/key-invalid' }) as Error,
      );
    }
    expect(await codeOf(store.get([]))).toBe('state/key-invalid');
    expect(await store.list([])).toEqual([]);
    await store.commit([put(['__proto__'], 1), put(['constructor', 'prototype'], 2)]);
    expect((await store.get(['__proto__']))?.value).toBe(1);
  }),
  law('bad writes and limits are refused', async (store) => {
    for (const expectedRevision of [-1, 1.5, Number.NaN, '1' as unknown as number]) {
      expect(await codeOf(store.commit([put(['k'], 1, expectedRevision)]))).toBe('state/write-invalid');
    }
    expect(await codeOf(store.commit([{ type: 'increment', key: ['k'] } as unknown as Write]))).toBe(
      'state/write-invalid',
    );
    for (const limit of [0, -1, 1.5, Number.NaN, 10_001]) {
      expect(await codeOf(store.list([], { limit }))).toBe('state/limit-invalid');
    }
  }),
];

/** What clients do at once: each reads a counter and writes it back plus one, only if nobody was faster. */
async function incrementWithRetry(store: Store, key: Key): Promise<void> {
  for (;;) {
    const entry = await store.get<number>(key);
    const write = put(key, (entry?.value ?? 0) + 1, entry?.revision ?? 0);
    const code = await store.commit([write]).then(
      () => 'done',
      (error: unknown) => (isCodedError(error) ? error.code : String(error)),
    );
    if (code === 'done') return;
    expect(code).toBe('state/conflict');
  }
}

const concurrencyLaws: readonly StoreLaw[] = [
  law('racing writers lose no update', async (store) => {
    await Promise.all(Array.from({ length: 8 }, () => incrementWithRetry(store, ['counter'])));
    expect(await store.get(['counter'])).toMatchObject({ value: 8, revision: 8 });
  }),
  law('concurrent commits are linearizable per key', async (store) => {
    const step = fc.record({
      keys: fc.uniqueArray(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 3 }),
      type: fc.constantFrom('put' as const, 'put' as const, 'delete' as const),
      expected: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
      pause: fc.boolean(),
    });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
        const root = `round-${round++}`;
        const pending = [];
        for (const [id, { keys, type, expected, pause }] of steps.entries()) {
          const writes = keys.map(
            (key): Write =>
              ({
                type,
                key: [root, String(key)],
                ...(type === 'put' ? { value: id } : {}),
                ...(expected === undefined ? {} : { expectedRevision: expected }),
              }) as Write,
          );
          const commit = store.commit(writes).then(
            (committed) => ({ ok: true as const, writes, id, committed }),
            (error: unknown) => ({ ok: false as const, error }),
          );
          pending.push(commit);
          if (pause) await commit;
        }
        const outcomes = await Promise.all(pending);
        for (const outcome of outcomes)
          if (!outcome.ok) expect(outcome.error).toMatchObject({ code: 'state/conflict' });
        for (let key = 0; key <= 2; key++) await checkHistory(store, [root, String(key)], outcomes);
      }),
      { numRuns: 30 },
    );
  }),
];

interface Outcome {
  readonly ok: boolean;
  readonly id?: number;
  readonly writes?: readonly Write[];
  readonly committed?: readonly { readonly revision: number }[];
}

type Acknowledged = ReadonlyMap<number, { readonly write: Write; readonly id: number }>;

/** The acknowledged changes of one key by revision; a delete of what was gone repeats a revision and changes nothing. */
function historyOf(key: Key, outcomes: readonly Outcome[]): Acknowledged {
  const history = new Map<number, { readonly write: Write; readonly id: number }>();
  const acknowledged = outcomes.flatMap(({ writes = [], committed = [], id = -1 }) =>
    writes.map((write, index) => ({ write, id, revision: committed[index]?.revision ?? 0 })),
  );
  for (const { write, id, revision } of acknowledged) {
    if (revision === 0 || compareKeys(write.key, key) !== 0) continue;
    const known = history.get(revision)?.write.type;
    // two puts cannot have made the same revision
    if (write.type === 'put') expect(known).not.toBe('put');
    if (write.type === 'put' || known === undefined) history.set(revision, { write, id });
  }
  return history;
}

/** Acknowledged changes must be one history: no gap, every comparison true, the last one stored. */
async function checkHistory(store: Store, key: Key, outcomes: readonly Outcome[]): Promise<void> {
  const history = historyOf(key, outcomes);
  let isLive = false;
  for (let revision = 1; revision <= history.size; revision++) {
    const write = history.get(revision)?.write;
    expect(write, `revision ${revision} of ${history.size}`).toBeDefined();
    const found = isLive ? revision - 1 : 0;
    isLive = write?.type === 'put';
    if (isLive) expect(write?.expectedRevision ?? found).toBe(found);
  }
  const stored = await store.get(key);
  if (isLive) expect(stored).toMatchObject({ revision: history.size, value: history.get(history.size)?.id });
  else expect(stored).toBeUndefined();
}

const lifeLaws: readonly StoreLaw[] = [
  law('watchers hear committed changes under their prefix, in order', async (store) => {
    if (!store.capabilities.watch) return;
    const heard: Change[] = [];
    const stop = store.watch(['a'], (change) => heard.push(change));
    store.watch(['a'], () => {
      throw new Error('a broken listener');
    });
    const late: Change[] = [];
    store.watch(['a', 'x'], (change) => late.push(change));
    await store.commit([put(['a', 'x'], 1), put(['b'], 1)]);
    await codeOf(store.commit([put(['a', 'x'], 2, 0)]));
    await store.commit([put(['a', 'x'], 3), put(['a', 'x'], 4), put(['a', 'y'], 1)]);
    await store.commit([{ type: 'delete', key: ['a', 'x'] }]);
    await store.commit([{ type: 'delete', key: ['a', 'never'] }]);
    stop();
    await store.commit([put(['a', 'x'], 5)]);
    expect(heard.map(({ type, key, revision, isLocal }) => [type, key[1], revision, isLocal])).toEqual([
      ['put', 'x', 1, true],
      ['put', 'x', 3, true],
      ['put', 'y', 1, true],
      ['delete', 'x', 4, true],
    ]);
    expect(late.length).toBe(4);
  }),
  law('watchers are bounded', async (store) => {
    if (!store.capabilities.watch) return;
    for (let index = 0; index < 1000; index++) store.watch([], () => undefined);
    expect(() => store.watch([], () => undefined)).toThrow(
      expect.objectContaining({ code: 'state/watch-limit' }) as Error,
    );
  }),
  law('an aborted commit is cancelled and applies nothing', async (store) => {
    const reason = AbortSignal.abort();
    expect(await codeOf(store.commit([put(['k'], 1)], { signal: reason }))).toBe('port/cancelled');
    expect(await store.get(['k'])).toBeUndefined();
    const controller = new AbortController();
    const committing = store.commit([put(['k'], 1)], { signal: controller.signal });
    controller.abort();
    const isCommitted = await committing.then(
      () => true,
      (error: unknown) => {
        expect(error).toMatchObject({ code: 'port/cancelled' });
        return false;
      },
    );
    expect((await store.get(['k'])) !== undefined).toBe(isCommitted);
  }),
  law('close lets commits settle and refuses what comes after', async (store) => {
    const committing = Promise.allSettled([store.commit([put(['a'], 1)]), store.commit([put(['b'], 1)])]);
    await store.close();
    expect((await committing).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    await store.close();
    expect(await codeOf(store.get(['a']))).toBe('state/closed');
    expect(await codeOf(store.list([]))).toBe('state/closed');
    expect(await codeOf(store.commit([put(['a'], 1)]))).toBe('state/closed');
    expect(await codeOf(store.commitEach([[put(['a'], 1)]]))).toBe('state/closed');
    expect(await codeOf(store.estimate())).toBe('state/closed');
    expect(() => store.watch([], () => undefined)).toThrow(
      expect.objectContaining({ code: 'state/closed' }) as Error,
    );
  }),
  law('estimate answers', async (store) => {
    const { usageBytes, quotaBytes, isPersisted } = await store.estimate();
    for (const bytes of [usageBytes, quotaBytes]) expect(bytes === undefined || bytes >= 0).toBe(true);
    expect(typeof isPersisted).toBe('boolean');
  }),
];

/** Every law, for those who run them without {@link describeStore}. */
export const storeLaws: readonly StoreLaw[] = [
  ...basicLaws,
  ...casLaws,
  ...listLaws,
  ...valueLaws,
  ...hostileLaws,
  ...concurrencyLaws,
  ...lifeLaws,
];

/** One test per law. `open` must give an empty store each time. */
export function describeStore(name: string, open: OpenStore): void {
  describe(`${name} keeps the laws of a store`, () => {
    for (const each of storeLaws) test(each.name, () => each.check(open), 30_000);
  });
}
