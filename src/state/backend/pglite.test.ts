import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { describeStore } from '../contract/store.contract.ts';
import type { Store, Write } from '../store.ts';
import type { PgliteModule } from './pglite-engine.ts';
import { openPgliteStore } from '../../pglite.ts';
import { endOf } from './fault.contract.ts';

const folder = await mkdtemp(join(tmpdir(), 'vivarium-pglite-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const real = (await import('@electric-sql/pglite')) as unknown as PgliteModule;
type Engine = Awaited<ReturnType<PgliteModule['PGlite']['create']>>;

/** Engines that are started once and emptied for each store: a start takes seconds. */
function reuse(dataDir: string): () => Promise<PgliteModule> {
  let engine: Promise<Engine> | undefined;
  afterAll(async () => (await engine)?.close());
  return async () => ({
    PGlite: {
      async create() {
        engine ??= real.PGlite.create(dataDir);
        const started = await engine;
        await started.exec('DROP TABLE IF EXISTS vivarium_entry, vivarium_history, vivarium_layout');
        return new Proxy(started, {
          get(target, name) {
            if (name === 'close') return async () => undefined;
            const member: unknown = Reflect.get(target, name);
            return typeof member === 'function' ? (member.bind(target) as unknown) : member;
          },
        });
      },
    },
  });
}

const [inMemory, onDisk] = [reuse('memory://'), reuse(join(folder, 'laws'))];
describeStore('pglite in memory', (wanted) =>
  openPgliteStore({ ...wanted, dataDir: 'memory://', load: inMemory }),
);
describeStore('pglite on disk', (wanted) =>
  openPgliteStore({ ...wanted, dataDir: join(folder, 'laws'), load: onDisk }),
);

const large = new Uint8Array(3_000_000).map((_, index) => (index * 2_654_435_761) >>> 11);

describe('on disk', () => {
  test('what was committed outlives the store, with its history; nobody else has the directory meanwhile', async () => {
    const dataDir = join(folder, 'reopened');
    const first = await openPgliteStore({ dataDir, keepHistory: 3 });
    expect(first.capabilities).toEqual({
      durable: true,
      strict: false,
      watch: true,
      sharedAcrossRealms: false,
      history: 3,
      atomicCommits: true,
    });
    await first.commit([
      { type: 'put', key: ['k\u0000', '😀'], value: new Map([['large', large]]) },
      { type: 'append', key: ['log'], value: 'a' },
    ]);
    await first.commit([{ type: 'put', key: ['k\u0000', '😀'], value: -0 }]);
    await expect(openPgliteStore({ dataDir })).rejects.toMatchObject({
      code: 'state/blocked',
      isRetryable: true,
    });
    await first.close();
    await using again = await openPgliteStore({ dataDir, keepHistory: 3 });
    const revisions = await again.history(['k\u0000', '😀']);
    expect(revisions).toMatchObject([{ value: new Map([['large', large]]) }, { value: -0, revision: 2 }]);
    expect((await again.commit([{ type: 'append', key: ['log'], value: 'b' }]))[0]?.key[1]).toMatch(/2$/);
    expect((await again.estimate()).usageBytes).toBeGreaterThan(1_000_000);
  }, 120_000);
});

test('what was acknowledged is there after a crash: in the files as they were while the engine still ran', async () => {
  const [dataDir, image] = [join(folder, 'running'), join(folder, 'image')];
  await using running = await openPgliteStore({ dataDir });
  for (let turn = 1; turn <= 20; turn++) {
    await running.commit([
      { type: 'put', key: ['k'], value: turn },
      { type: 'put', key: ['copy'], value: turn },
    ]);
  }
  await cp(dataDir, image, { recursive: true });
  await using recovered = await openPgliteStore({ dataDir: image });
  expect(await recovered.get(['k'])).toMatchObject({ value: 20, revision: 20 });
  expect(await recovered.get(['copy'])).toMatchObject({ value: 20, revision: 20 });
  expect((await recovered.commit([{ type: 'put', key: ['k'], value: 21 }]))[0]?.revision).toBe(21);
}, 120_000);

describe('what goes wrong', () => {
  const open = (load: () => Promise<PgliteModule>, options: object = {}): Promise<Store> =>
    openPgliteStore({ dataDir: 'memory://', load, ...options });

  /** The engine of the laws, with some calls answered otherwise. */
  const replacing = (replaced: (engine: Engine) => Partial<Engine>) => async (): Promise<PgliteModule> => ({
    PGlite: {
      async create(...rest) {
        const engine = await (await inMemory()).PGlite.create(...rest);
        return { ...bound(engine), ...replaced(engine) };
      },
    },
  });
  const bound = (engine: Engine): Engine => ({
    query: (...rest) => engine.query(...rest),
    exec: (sql) => engine.exec(sql),
    transaction: (work) => engine.transaction(work),
    close: () => engine.close(),
  });

  test('a package that is missing or does not start is state/storage-unavailable', async () => {
    await expect(open(() => Promise.reject(new Error('not installed')))).rejects.toMatchObject({
      code: 'state/storage-unavailable',
    });
    const silent = async (): Promise<PgliteModule> => ({
      PGlite: { create: () => new Promise(() => undefined) },
    });
    await expect(open(silent, { openTimeoutMs: 50 })).rejects.toMatchObject({
      code: 'state/storage-unavailable',
    });
    await expect(open(inMemory, { keepHistory: 0 })).rejects.toMatchObject({ code: 'state/limit-invalid' });
  });

  test('tables of a newer layout are left alone', { timeout: 60_000 }, async () => {
    const newer = replacing((engine) => ({
      async exec(sql) {
        await engine.exec(sql);
        return engine.exec('UPDATE vivarium_layout SET version = 99');
      },
    }));
    await expect(open(newer)).rejects.toMatchObject({
      code: 'state/version-too-new',
      fields: { version: 99 },
    });
  });

  test('a statement that Postgres refuses is not applied, and the store goes on', async () => {
    let isRefused = false;
    const refusing = replacing((engine) => ({
      transaction: (work) =>
        engine.transaction(async (session) => {
          const done = await work(session);
          if (isRefused) await session.query('SELECT 1 / 0');
          return done;
        }),
    }));
    await using store = await open(refusing);
    await store.commit([{ type: 'put', key: ['k'], value: 1 }]);
    isRefused = true;
    await expect(store.commit([{ type: 'put', key: ['k'], value: 2 }])).rejects.toMatchObject({
      code: 'state/write-failed',
      fields: { outcome: 'not-applied' },
    });
    isRefused = false;
    expect(await store.get(['k'])).toMatchObject({ value: 1, revision: 1 });
    expect((await store.commit([{ type: 'put', key: ['k'], value: 3 }]))[0]?.revision).toBe(2);
  });

  test('a statement that fails at any place of a commit refuses all of it, and the store goes on', async () => {
    let [failing, made] = [Infinity, 0];
    const atEach = replacing((engine) => ({
      transaction: (work) =>
        engine.transaction((session) =>
          work({
            query: async (...rest) => {
              if (made++ === failing) throw new Error('the medium has an error');
              return session.query(...rest);
            },
          }),
        ),
    }));
    await using store = await open(atEach, { keepHistory: 3 });
    await store.commit([
      { type: 'put', key: ['k'], value: 'old' },
      { type: 'put', key: ['gone'], value: 'old' },
    ]);
    const writes: readonly Write[] = [
      { type: 'put', key: ['k'], value: 'new', expectedRevision: 1 },
      { type: 'delete', key: ['gone'] },
      { type: 'append', key: ['log'], value: 'new' },
    ];
    const stored = async (): Promise<readonly unknown[]> =>
      (await store.list([])).map(({ key, value, revision }) => [key[0], value, revision]);
    let faults = 0;
    for (; ; faults++) {
      [failing, made] = [faults, 0];
      const end = await endOf(store.commit(writes));
      failing = Infinity;
      if (end === 'resolved') break;
      expect(end).toBe('state/write-failed');
      expect(await stored()).toEqual([
        ['gone', 'old', 1],
        ['k', 'old', 1],
      ]);
    }
    // at least the reads of what is there, and the writes
    expect(faults).toBeGreaterThanOrEqual(2);
    expect(await stored()).toEqual([
      ['k', 'new', 2],
      ['log', 'new', 1],
    ]);
  });

  test('an engine that never answers, or dies, leaves the outcome unknown; a read ends too', async () => {
    let fault: (() => Promise<never>) | undefined;
    const dying = replacing((engine) => ({
      transaction: async (work) => (fault ? fault() : engine.transaction(work)),
      query: async (...rest) => (fault ? fault() : engine.query(...rest)),
    }));
    const store = await open(dying, { transactionTimeoutMs: 100 });
    fault = () => new Promise<never>(() => undefined);
    const write = [{ type: 'put', key: ['k'], value: 1 }] as const;
    for (const each of [fault, () => Promise.reject(new WebAssembly.RuntimeError('unreachable'))]) {
      fault = each;
      await expect(store.commit(write)).rejects.toMatchObject({
        code: 'state/write-failed',
        fields: { outcome: 'unknown' },
        isRetryable: false,
      });
      expect(await endOf(store.get(['k']))).toBe('state/read-failed');
    }
    await store.close();
  });

  test('a full disk, a damaged row and a value that is more than data are typed errors', async () => {
    let engine: Engine | undefined;
    let isFull = false;
    const seen = replacing((real) => ({
      transaction: async (work) => {
        engine = real;
        if (isFull) throw Object.assign(new Error('could not extend file'), { code: '53100' });
        return real.transaction(work);
      },
    }));
    await using store = await open(seen);
    await store.commit([{ type: 'put', key: ['k'], value: 'good' }]);
    isFull = true;
    expect(await endOf(store.commit([{ type: 'put', key: ['k'], value: 1 }]))).toBe('state/quota-exceeded');
    isFull = false;
    const blob = { kept: new Blob(['x']) };
    const writes = [
      { type: 'put', key: ['beside'], value: 1 },
      { type: 'put', key: ['blob'], value: blob },
    ] as const;
    expect(await endOf(store.commit(writes))).toBe('state/not-cloneable');
    expect(await store.get(['beside'])).toBeUndefined();
    await engine?.exec("UPDATE vivarium_entry SET value = '\\x0109ff'::bytea");
    for (const read of [() => store.get(['k']), () => store.list([]), () => store.history(['k'])]) {
      await expect(read()).rejects.toMatchObject({ code: 'state/value-damaged', fields: { key: ['k'] } });
    }
  });

  test('an engine that cannot end does not keep the caller', async () => {
    const endless = replacing(() => ({ close: () => new Promise(() => undefined) }));
    const store = await open(endless, { transactionTimeoutMs: 50 });
    await store.close();
    expect(await endOf(store.get(['k']))).toBe('state/closed');
  });
});
