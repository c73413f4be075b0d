import { afterEach, expect, onTestFinished, test } from 'vitest';
import { deflateBytes, inflateBytes, sha256Hex, systemClock } from '../../../platform/index.ts';
import { createHub, createMemorySink } from '../../../telemetry/index.ts';
import type { MemorySink } from '../../../telemetry/index.ts';
import type { Executor } from '../../executor.ts';
import type { ExecutorLimits } from '../../limits.ts';
import { valueOf } from '../../laws/open-executor.contract.ts';
import { openSnapshotCache } from '../../snapshot-cache.ts';
import type { SnapshotCache, StoredSnapshot } from '../../snapshot-cache.ts';
import { createPythonExecutor } from './python-executor.ts';

const databaseName = 'snapshot-test';
const cache = openSnapshotCache(databaseName);
const patient = { timeout: 30_000 };

interface Opened {
  readonly executor: Executor;
  readonly sink: MemorySink;
}

function open(
  snapshots: SnapshotCache | 'off' | 'not asked for' = cache,
  limits: Partial<ExecutorLimits> = {},
): Opened {
  const hub = createHub(systemClock);
  const sink = createMemorySink(hub);
  const executor = createPythonExecutor({
    assets: { baseUrl: '/sandbox/' },
    frame: 'srcdoc',
    limits: { warmSandboxes: 0, snapshotReadMs: 20_000, ...limits },
    hub,
    ...(snapshots === 'not asked for' ? {} : { snapshots }),
  });
  onTestFinished(() => executor[Symbol.asyncDispose]());
  return { executor, sink };
}

const starts = (sink: MemorySink): readonly unknown[] =>
  sink.ofType('sandbox-start').map(({ isFromSnapshot }) => isFromSnapshot);
const drops = (sink: MemorySink): readonly string[] =>
  sink.ofType('snapshot-drop').map(({ reason }) => reason);

/** Leaves a snapshot in the cache. */
async function make(): Promise<MemorySink> {
  const { executor, sink } = open();
  expect(await valueOf(executor, '1 + 1')).toBe(2);
  await expect.poll(() => sink.ofType('snapshot-make').length + drops(sink).length, patient).toBe(1);
  expect(drops(sink)).toEqual([]);
  return sink;
}

afterEach(() => cache.delete('python'));

/** Starts from what `make` left. */
async function restored(limits: Partial<ExecutorLimits> = {}): Promise<Opened> {
  const opened = open(cache, limits);
  await valueOf(opened.executor, '0');
  expect(starts(opened.sink)).toEqual([true]);
  return opened;
}

async function readOne(): Promise<StoredSnapshot> {
  const [stored] = (await cache.read('python')) as readonly [StoredSnapshot];
  return stored;
}

/** The cache with what is in it changed, the digest right again: as somebody does who knows the format. */
async function forge(change: (image: Uint8Array<ArrayBuffer>) => Uint8Array): Promise<void> {
  const stored = await readOne();
  const bytes = new Uint8Array(await stored.content.arrayBuffer());
  const image = change(await inflateBytes(bytes, 'gzip', 2 ** 27));
  const packed = await deflateBytes(image, 'gzip');
  await cache.write('python', [{ ...stored, digest: await sha256Hex(packed), content: new Blob([packed]) }]);
}

/** A snapshot of the current build, made once for the whole file. */
let made: Promise<StoredSnapshot> | undefined;

async function provide(): Promise<void> {
  made ??= make().then(readOne);
  await cache.write('python', [await made]);
}

afterEach(() => cache.delete('python'));

test('the first executor boots and makes a snapshot; its next interpreter and the next executor start from it', async () => {
  const { executor, sink } = open();
  expect(await valueOf(executor, '1 + 1')).toBe(2);
  await expect.poll(() => sink.ofType('snapshot-make').length, patient).toBe(1);
  expect(sink.ofType('snapshot-make')[0]).toMatchObject({ language: 'python' });
  expect(await valueOf(executor, '2 + 2')).toBe(4);
  expect(starts(sink)).toEqual([false, true]);
  const second = open();
  expect(await valueOf(second.executor, 'import json\njson.dumps([1 + 1])')).toBe('[2]');
  expect(starts(second.sink)).toEqual([true]);
  expect(second.sink.ofType('snapshot-make')).toEqual([]);
  expect([...drops(sink), ...drops(second.sink)]).toEqual([]);
});

test('without being asked, Python starts from what is in IndexedDB', async () => {
  const kept = openSnapshotCache();
  const first = open('not asked for');
  expect(await valueOf(first.executor, '1 + 1')).toBe(2);
  await expect.poll(() => kept.read('python'), patient).toBeDefined();
  const second = open('not asked for');
  expect(await valueOf(second.executor, '1 + 1')).toBe(2);
  expect(starts(second.sink)).toEqual([true]);
});

test('one of another build stays beside that of this one', async () => {
  await provide();
  const another = { ...(await (made as Promise<StoredSnapshot>)), build: 'another' };
  await cache.write('python', [another]);
  const { executor, sink } = open();
  expect(await valueOf(executor, '1 + 1')).toBe(2);
  expect(starts(sink)).toEqual([false]);
  await expect.poll(() => sink.ofType('snapshot-make').length, patient).toBe(1);
  expect(drops(sink)).toEqual([]);
  const both = (await cache.read('python')) as readonly StoredSnapshot[];
  expect(both.map(({ build }) => build)).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/u), 'another']);
  await cache.write('python', both.toReversed());
  await restored();
});

test('with a full quota Python boots once, and then starts from what this page has', async () => {
  const full = (): Promise<never> => Promise.reject(new DOMException('no room', 'QuotaExceededError'));
  const { executor, sink } = open({ ...cache, write: full });
  expect(await valueOf(executor, '1 + 1')).toBe(2);
  await expect.poll(() => drops(sink), patient).toEqual(['no room']);
  expect(await valueOf(executor, '1 + 1')).toBe(2);
  expect(starts(sink)).toEqual([false, true]);
});

test('switched off, none is read and none is made', async () => {
  await provide();
  const { executor, sink } = open('off');
  expect(await valueOf(executor, '1 + 1')).toBe(2);
  expect(await valueOf(executor, '2 + 2')).toBe(4);
  expect(starts(sink)).toEqual([false, false]);
  expect(sink.ofType('snapshot-make')).toEqual([]);
});

test('two interpreters from one snapshot draw different numbers', async () => {
  await provide();
  const { executor } = await restored();
  const draw = `import os, random, secrets, tempfile, uuid
[random.random(), random.getrandbits(64), random.Random().random(), random.SystemRandom().random(), os.urandom(8).hex(), secrets.token_hex(8), str(uuid.uuid4()), next(tempfile._get_candidate_names())]`;
  const drawn = await Promise.all([valueOf(executor, draw), valueOf(executor, draw)]);
  const [first, second] = drawn as [readonly unknown[], readonly unknown[]];
  first.forEach((value, index) => expect(value).not.toBe(second[index]));
});

test('two snapshots have different seeds of string hashes', async () => {
  const hashes: unknown[] = [];
  for (let round = 0; round < 2; round += 1) {
    await make();
    const { executor } = await restored();
    hashes.push(await valueOf(executor, 'hash("a string")'));
    await cache.delete('python');
  }
  expect(hashes[0]).not.toBe(hashes[1]);
});

test('an interpreter from a snapshot is as good as one that booted', async () => {
  await provide();
  const { executor } = await restored();
  await using session = await executor.createSession();
  const imports = 'import sqlite3, decimal, xml.dom.minidom, zoneinfo, email, lzma, ssl, unittest';
  const query = `${imports}\nsqlite3.connect(":memory:").execute("select 6 * 7").fetchone()[0]`;
  expect(await valueOf(session, query)).toBe(42);
  const asynchronous = `import asyncio
async def later(value):
  await asyncio.sleep(0.01)
  return value
await asyncio.gather(later(1), later(2))`;
  expect(await valueOf(session, asynchronous)).toEqual([1, 2]);
  expect(await session.execute('while True: pass', {}, { timeoutMs: 200 })).toMatchObject({
    type: 'exceeded',
    limit: 'time',
    isSandboxLost: false,
  });
  expect(await session.execute('print("a")\nSUBMIT(x=b"b")')).toMatchObject({
    type: 'submitted',
    stdout: 'a\n',
  });
  expect(await session.execute('def f(): f()\nf()')).toMatchObject({ error: { type: 'RecursionError' } });
  expect(await valueOf(session, 'import os, sys\nos.getcwd(), os.listdir(), sys.path[0]')).toEqual([
    '/sandbox',
    [],
    '/sandbox',
  ]);
  expect(
    await valueOf(session, 'import logging, time\nabs(logging._startTime / 1e9 - time.time()) < 60'),
  ).toBe(true);
  expect(await valueOf(session, '[n for n in ("harness_code", "harness_source") if n in globals()]')).toEqual(
    [],
  );
});

test('memory and files stay bounded', async () => {
  await provide();
  const { executor } = await restored({ memoryBytes: 64 * 2 ** 20, fileBytes: 2 ** 20 });
  await using session = await executor.createSession();
  expect(await session.execute('x = bytearray(60 * 2**20)')).toMatchObject({ limit: 'memory' });
  expect(await valueOf(session, 'len(bytearray(2**20))')).toBe(2 ** 20);
  expect(await session.execute('open("f", "wb").write(bytes(2**21))')).toMatchObject({
    error: { type: 'OSError' },
  });
});

test('a heap that had grown is taken', async () => {
  await provide();
  const grownBytes = 8 * 2 ** 20;
  await forge((image) => {
    const view = new DataView(image.buffer);
    view.setUint32(8, view.getUint32(8, true) + grownBytes, true);
    return image;
  });
  const { executor } = await restored();
  expect(await valueOf(executor, 'sum(len(bytes(1000)) for _ in range(1000))')).toBe(1_000_000);
});

const poisons: readonly (readonly [string, (image: Uint8Array<ArrayBuffer>) => Uint8Array])[] = [
  ['nothing', () => new Uint8Array()],
  ['noise', (image) => image.map((_byte, index) => (index * 7919) & 0xff)],
  ['half of it', (image) => image.subarray(0, image.length / 2)],
  ['a heap beyond its bound', (image) => (new DataView(image.buffer).setUint32(8, 2 ** 31, true), image)],
  [
    'a heap smaller than it starts with',
    (image) => (new DataView(image.buffer).setUint32(8, 2 ** 20, true), image),
  ],
  ['pages of zeros', (image) => image.fill(0, 2 ** 20)],
];

test.each(poisons)(
  '%s in place of a snapshot: Python boots, and it is dropped',
  async (_name, change) => {
    await provide();
    await forge(change);
    const { executor, sink } = open(cache, { bootTimeoutMs: 20_000 });
    expect(await valueOf(executor, '1 + 1')).toBe(2);
    expect(starts(sink)).toEqual([false]);
    expect(drops(sink)).toHaveLength(1);
    await expect.poll(() => cache.read('python'), patient).toBeUndefined();
    expect(sink.ofType('sandbox-fail')).toEqual([]);
    expect(await valueOf(executor, '2 + 2')).toBe(4);
  },
  60_000,
);

const failing = (): Promise<never> => Promise.reject(new Error('the disk is gone'));
const silent = (): Promise<never> => new Promise(() => undefined);

test.each([
  ['fails', failing],
  ['never answers', silent],
])('a cache that %s costs a cold start', async (_name, answer) => {
  const broken = { read: answer, write: answer, delete: answer };
  const { executor, sink } = open(broken, { snapshotReadMs: 200 });
  expect(await valueOf(executor, '1 + 1')).toBe(2);
  expect(starts(sink)).toEqual([false]);
  expect(drops(sink).length).toBeGreaterThan(0);
});
