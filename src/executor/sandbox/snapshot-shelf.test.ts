import { expect, test } from 'vitest';
import { deflateBytes, sha256Hex, SimulatedClock } from '../../platform/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { resolveLimits } from '../limits.ts';
import type { ExecutorLimits } from '../limits.ts';
import type { SnapshotCache, StoredSnapshot } from '../snapshot-cache.ts';
import { SnapshotShelf } from './snapshot-shelf.ts';

const dayMs = 86_400_000;
const image = new Uint8Array(10_000).fill(7);

function createCache(): SnapshotCache & { readonly entries: Map<string, unknown> } {
  const entries = new Map<string, unknown>();
  return {
    entries,
    read: (name) => Promise.resolve(entries.get(name)),
    write: async (name, snapshots) => void entries.set(name, snapshots),
    delete: async (name) => void entries.delete(name),
  };
}

function createShelf(cache = createCache(), given: Partial<ExecutorLimits> = {}) {
  const clock = new SimulatedClock();
  const hub = createHub(clock);
  const sink = createMemorySink(hub);
  const limits = resolveLimits({ snapshotAgeMs: dayMs, snapshotBytes: 1000, ...given });
  const shelf = new SnapshotShelf({ cache, limits, clock, hub });
  const reasons = (): readonly string[] => sink.ofType('snapshot-drop').map(({ reason }) => reason);
  const take = (build: string): Promise<ArrayBuffer | undefined> =>
    shelf.take('python', Promise.resolve(build));
  const builds = (): readonly string[] =>
    ((cache.entries.get('python') ?? []) as readonly StoredSnapshot[]).map(({ build }) => build);
  return { shelf, cache, clock, reasons, take, builds };
}

test('what was put is taken, by its build alone', async () => {
  const { shelf, reasons, clock, take, builds } = createShelf();
  expect(await take('a')).toBeUndefined();
  expect(await shelf.put('python', 'a', image)).toBeLessThan(1000);
  await clock.advance(dayMs);
  expect(new Uint8Array((await take('a')) as ArrayBuffer)).toEqual(image);
  expect(await take('b')).toBeUndefined();
  expect(await shelf.take('sql', Promise.resolve('a'))).toBeUndefined();
  expect(reasons()).toEqual([]);
  expect(builds()).toEqual(['a']);
});

test('two builds have an image each, and the one that was used longest ago goes for a third', async () => {
  const { shelf, reasons, take, builds } = createShelf();
  for (const [index, build] of ['a', 'b'].entries())
    await shelf.put(
      'python',
      build,
      image.map(() => index),
    );
  for (const [index, build] of ['a', 'b', 'a'].entries()) {
    expect(new Uint8Array((await take(build)) as ArrayBuffer)[0]).toBe(index % 2);
    await expect.poll(builds).toEqual(build === 'a' ? ['a', 'b'] : ['b', 'a']);
  }
  await shelf.put('python', 'c', image);
  expect(builds()).toEqual(['c', 'a']);
  expect(await take('b')).toBeUndefined();
  expect(reasons()).toEqual([]);
});

test('their bytes count together: what does not fit beside a new one goes', async () => {
  const { shelf, builds } = createShelf(createCache(), { snapshotBuilds: 3 });
  const noise = (): Uint8Array => crypto.getRandomValues(new Uint8Array(400));
  for (const build of ['a', 'b', 'c']) await shelf.put('python', build, noise());
  expect(builds()).toEqual(['c', 'b']);
  await shelf.put('python', 'b', image);
  expect(builds()).toEqual(['b', 'c']);
});

test('one that is dropped, or too old, leaves the other where it is', async () => {
  const { shelf, clock, cache, reasons, take, builds } = createShelf();
  await shelf.put('python', 'a', image);
  await clock.advance(dayMs / 2);
  await shelf.put('python', 'b', image);
  await shelf.drop('python', 'mine', 'b');
  expect(builds()).toEqual(['a']);
  await shelf.put('python', 'b', image);
  await clock.advance(dayMs / 2 + 1);
  expect(await take('a')).toBeUndefined();
  expect(builds()).toEqual(['b']);
  expect(reasons()).toEqual(['mine', expect.stringContaining('too old')]);
  await shelf.drop('python', 'theirs', 'b');
  expect(cache.entries.size).toBe(0);
});

test('a list of more than there may be is read no further', async () => {
  const { cache, take, reasons } = createShelf();
  cache.entries.set('python', [{ ...good, build: 'x' }, { ...good, build: 'y' }, good, 'no record']);
  expect(await take('a')).toBeUndefined();
  expect(reasons()).toEqual([]);
});

test('it is read while the build is still worked out', async () => {
  const { shelf, cache, reasons } = createShelf();
  await shelf.put('python', 'a', image);
  let isRead = false;
  const read = cache.read.bind(cache);
  cache.read = (name) => ((isRead = true), read(name));
  let settle: (build: string) => void = () => undefined;
  const build = new Promise<string>((resolve) => {
    settle = resolve;
  });
  const taking = shelf.take('python', build);
  await expect.poll(() => isRead).toBe(true);
  settle('a');
  expect(await taking).toBeInstanceOf(ArrayBuffer);
  expect(reasons()).toEqual([]);
});

test.each([
  ['fails', () => Promise.reject(new Error('no files'))],
  ['is none', () => Promise.resolve(undefined)],
])('a build that %s fits nothing, and drops nothing', async (_name, build) => {
  const { shelf, cache, reasons } = createShelf();
  await shelf.put('python', 'a', image);
  expect(await shelf.take('python', build())).toBeUndefined();
  expect(cache.entries.size).toBe(1);
  expect(reasons()).toEqual([]);
});

test('where there is no room left, none is kept, and it is told', async () => {
  const full = (): Promise<never> =>
    Promise.reject(new DOMException('The quota has been exceeded.', 'QuotaExceededError'));
  const { shelf, reasons } = createShelf({ ...createCache(), write: full });
  expect(await shelf.put('python', 'a', image)).toBeUndefined();
  expect(reasons()).toEqual([expect.stringContaining('quota')]);
});

const packed = await deflateBytes(image, 'gzip');
const good: StoredSnapshot = {
  build: 'a',
  madeAtMs: 0,
  digest: await sha256Hex(packed),
  content: new Blob([packed]),
};
const changed = packed.map((byte, index) => (index === 20 ? byte ^ 1 : byte));
const broken = packed.slice(0, 20);
const bomb = await deflateBytes(new Uint8Array(65 * 2 ** 20), 'gzip');

test('what is no list is dropped', async () => {
  const { cache, reasons, take } = createShelf();
  cache.entries.set('python', good);
  expect(await take('a')).toBeUndefined();
  expect(reasons()).toEqual([expect.stringContaining('no list')]);
  expect(cache.entries.size).toBe(0);
});

test.each<readonly [string, unknown, string]>([
  ['a number', 7, 'no record'],
  ['null', null, 'no record'],
  ['a record without a build', { ...good, build: 3 }, 'field'],
  ['a record without a time', { ...good, madeAtMs: NaN }, 'field'],
  ['content that is text', { ...good, content: 'text' }, 'content'],
  ['one from tomorrow', { ...good, madeAtMs: dayMs }, 'too old'],
  ['one that is too old', { ...good, madeAtMs: -dayMs - 1 }, 'too old'],
  ['a changed byte', { ...good, content: new Blob([changed]) }, 'changed'],
  ['half of it', { ...good, content: new Blob([broken]) }, 'changed'],
  ['one that is too large', { ...good, content: new Blob([new Uint8Array(1001)]) }, '1001 bytes'],
  [
    'data that cannot be inflated',
    { ...good, content: new Blob([broken]), digest: await sha256Hex(broken) },
    'gzip',
  ],
])('%s is dropped', async (_name, found, reason) => {
  const { shelf, cache, reasons } = createShelf();
  cache.entries.set('python', [found]);
  expect(await shelf.take('python', Promise.resolve('a'))).toBeUndefined();
  expect(reasons()).toEqual([expect.stringContaining(reason)]);
  expect(cache.entries.size).toBe(0);
});

test('data that inflates without end is dropped', async () => {
  const clock = new SimulatedClock();
  const hub = createHub(clock);
  const sink = createMemorySink(hub);
  const cache = createCache();
  const shelf = new SnapshotShelf({ cache, limits: resolveLimits(), clock, hub });
  cache.entries.set('python', [{ ...good, content: new Blob([bomb]), digest: await sha256Hex(bomb) }]);
  expect(await shelf.take('python', Promise.resolve('a'))).toBeUndefined();
  expect(sink.ofType('snapshot-drop')[0]?.reason).toContain('more than');
});

test('a cache that never answers is given up in time', async () => {
  const silent = (): Promise<never> => new Promise(() => undefined);
  const { shelf, clock, reasons } = createShelf({
    ...createCache(),
    read: silent,
    write: silent,
    delete: silent,
  });
  const taking = shelf.take('python', Promise.resolve('a'));
  await clock.advance(2000);
  await clock.advance(2000);
  expect(await taking).toBeUndefined();
  expect(reasons()).toHaveLength(1);
});

test('what is too large is not kept', async () => {
  const { shelf, cache, reasons } = createShelf();
  const noise = crypto.getRandomValues(new Uint8Array(5000));
  expect(await shelf.put('python', 'a', noise)).toBeUndefined();
  expect(cache.entries.size).toBe(0);
  expect(reasons()).toHaveLength(1);
});
