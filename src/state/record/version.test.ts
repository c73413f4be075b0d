import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import { createMemoryStore } from '../backend/memory.ts';
import { compareKeys } from '../key.ts';
import { recordLimits } from '../limits.ts';
import { headKey, infoKey, maxSequence, stateKey } from './record-key.ts';
import { createRecords } from './records.ts';
import type { SaveOptions } from './save.ts';
import type { Versioning } from './version.ts';

const recordsWith = (versioning: Versioning, clock: Clock = new SimulatedClock(0)) =>
  createRecords(createMemoryStore(), { versioning, clock });

const clockAt = (now: () => number): Clock => Object.assign(new SimulatedClock(), { now });

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'resolved',
    (error: { code: string }) => error.code,
  );

test('keys of infos are in order of the sequence, keys of states in the opposite', () => {
  const pair = fc.tuple(fc.integer({ min: 1, max: maxSequence }), fc.integer({ min: 1, max: maxSequence }));
  fc.assert(
    fc.property(pair, ([a, b]) => {
      const order = Math.sign(a - b);
      expect(Math.sign(compareKeys(infoKey('r', a), infoKey('r', b)))).toBe(order);
      expect(Math.sign(compareKeys(stateKey('r', a), stateKey('r', b)))).toBe(order === 0 ? 0 : -order);
    }),
  );
});

test('incremental: the sequence number, also after the latest was deleted', async () => {
  const records = recordsWith('incremental');
  await records.save('r', 'a');
  await records.save('r', 'b');
  await records.delete('r', '2');
  expect(await records.load('r')).toMatchObject({ version: '1', state: 'a' });
  expect(await records.save('r', 'c')).toMatchObject({ version: '3', sequence: 3 });
  expect(await records.load('r', '3')).toEqual(await records.load('r', 3));
  expect(await records.load('r', 2)).toBeUndefined();
});

describe('timestamp', () => {
  test('rises whatever the clock does, and every version is found by it', async () => {
    const tick = fc.integer({ min: -10_000, max: 10_000 });
    await fc.assert(
      fc.asyncProperty(fc.array(tick, { minLength: 1, maxLength: 12 }), async (ticks) => {
        let nowMs = Date.UTC(2026, 0, 1);
        const records = recordsWith(
          'timestamp',
          clockAt(() => nowMs),
        );
        const versions: string[] = [];
        for (const [index, tickMs] of ticks.entries()) {
          nowMs += tickMs;
          const { version, atMs } = await records.save('r', index);
          expect(atMs).toBe(nowMs);
          expect(new Date(version).toISOString()).toBe(version);
          versions.push(version);
          // a version that is gone does not give its time back
          if (index % 3 === 2) await records.delete('r', version);
        }
        expect(versions).toEqual(versions.toSorted());
        expect(new Set(versions).size).toBe(versions.length);
        for (const [index, version] of versions.entries()) {
          const found = await records.load('r', version);
          expect(found?.state).toBe(index % 3 === 2 ? undefined : index);
          expect(found?.version).toBe(index % 3 === 2 ? undefined : version);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('is the time of the save when the clock goes on', async () => {
    const clock = new SimulatedClock(Date.UTC(2026, 10, 22, 12, 0, 0, 5));
    const records = recordsWith('timestamp', clock);
    expect((await records.save('r', 1)).version).toBe('2026-11-22T12:00:00.005Z');
    expect((await records.save('r', 2)).version).toBe('2026-11-22T12:00:00.006Z');
    await clock.advance(1000);
    expect((await records.save('r', 3)).version).toBe('2026-11-22T12:00:01.005Z');
  });

  test.each([Number.NaN, Infinity, 253_402_300_800_000])('a clock that says %s is refused', async (nowMs) => {
    const records = recordsWith(
      'timestamp',
      clockAt(() => nowMs),
    );
    expect(await codeOf(records.save('r', 1))).toMatch(/^state\/(version-invalid|not-encodable)$/);
    expect(await records.load('r')).toBeUndefined();
  });
});

describe('semantic', () => {
  test.each([
    [undefined, 'patch', '0.0.1'],
    [undefined, 'minor', '0.1.0'],
    [undefined, 'major', '1.0.0'],
    ['1.2.3', undefined, '1.2.4'],
    ['1.2.3', 'minor', '1.3.0'],
    ['1.2.3', 'major', '2.0.0'],
    ['1.2.3+build.7', 'patch', '1.2.4'],
    ['1.2.3-rc.1', 'patch', '1.2.3'],
    ['1.2.3-rc.1', 'minor', '1.3.0'],
    ['1.3.0-rc.1', 'minor', '1.3.0'],
    ['2.0.0-alpha', 'major', '2.0.0'],
    ['2.0.1-alpha', 'major', '3.0.0'],
  ] as const)('after %s, %s gives %s', async (from, bump, expected) => {
    const records = recordsWith('semantic');
    if (from) await records.save('r', 'from', { version: from });
    const { version } = await records.save('r', 'to', bump ? { bump } : {});
    expect(version).toBe(expected);
    expect(await records.load('r', version)).toMatchObject({ state: 'to' });
  });

  test('a version that is given may be lower; the latest is what was saved last', async () => {
    const records = recordsWith('semantic');
    await records.save('r', 'two', { version: '2.0.0' });
    await records.save('r', 'backport', { version: '1.9.9' });
    expect(await records.load('r')).toMatchObject({ version: '1.9.9' });
    expect(await codeOf(records.save('r', 'x', { bump: 'major' }))).toBe('state/version-taken');
    expect(await codeOf(records.save('r', 'x', { version: '2.0.0' }))).toBe('state/version-taken');
    await records.delete('r', '2.0.0');
    expect(await records.save('r', 'again', { version: '2.0.0' })).toMatchObject({ sequence: 3 });
    expect(await records.load('r', '2.0.0')).toMatchObject({ state: 'again' });
  });

  test.each([
    '1.2',
    '01.2.3',
    '1.2.3-01',
    'v1.2.3',
    '1.2.3-',
    '',
    'latest',
    '99999999999999999.0.0',
    `1.0.0-${'x'.repeat(123)}`,
    7,
  ])('%s is no version', async (version) => {
    const records = recordsWith('semantic');
    await records.save('r', 1);
    const saving = records.save('r', 2, { version } as SaveOptions);
    await expect(saving).rejects.toMatchObject({ code: 'state/version-invalid' });
    expect(await records.load('r')).toMatchObject({ state: 1 });
  });

  test('a bump that is none is refused, and so are both for versions of another kind', async () => {
    expect(await codeOf(recordsWith('semantic').save('r', 1, { bump: 'huge' as 'major' }))).toBe(
      'state/version-invalid',
    );
    expect(await codeOf(recordsWith('incremental').save('r', 1, { version: '1.0.0' }))).toBe(
      'state/version-invalid',
    );
    expect(await codeOf(recordsWith('roman' as Versioning).save('r', 1))).toBe('state/option-invalid');
  });
});

describe('content-hash', () => {
  test('the same content is the same version, and becomes the latest again', async () => {
    const store = createMemoryStore();
    const records = createRecords(store, { versioning: 'content-hash' });
    const a = await records.save('r', { b: 2, a: 1 }, { metadata: { first: true } });
    expect(a.version).toBe(a.stateChecksum);
    const b = await records.save('r', { a: 2 });
    const size = (await store.list([])).length;
    expect(await records.save('r', { a: 1, b: 2 })).toEqual(a);
    expect((await store.list([])).length).toBe(size);
    expect(await records.load('r')).toEqual(a);
    expect(await records.load('r', b.version)).toEqual(b);
    expect((await records.versions('r')).map(({ sequence }) => sequence)).toEqual([1, 2]);
  });

  test('saved again with metadata or a pin, the kept version has them, in its listing and its counts too', async () => {
    const store = createMemoryStore();
    const records = createRecords(store, { versioning: 'content-hash', retention: { maxVersions: 2 } });
    const first = await records.save('r', 'a', { metadata: { n: 1 } });
    await records.save('r', 'b');
    const again = await records.save('r', 'a', { metadata: { n: 2 }, isPinned: true });
    expect(again).toMatchObject({ sequence: 1, metadata: { n: 2 }, isPinned: true, state: 'a' });
    expect(again.checksum).not.toBe(first.checksum);
    expect(await records.load('r')).toEqual(again);
    expect((await records.versions('r'))[0]).toMatchObject({ metadata: { n: 2 }, isPinned: true });
    // neither is taken back by saying nothing
    expect(await records.save('r', 'a', { isPinned: false })).toEqual(again);
    // a pinned version is not counted: two others stay beside it
    for (const state of ['c', 'd', 'e']) await records.save('r', state);
    expect((await records.versions('r')).map(({ sequence }) => sequence)).toEqual([1, 4, 5]);
    expect(await records.verify('r')).toEqual({ wholeCount: 3, damaged: [], isHeadWhole: true });
    expect((await store.get<object>(headKey('r')))?.value).toMatchObject({ count: 2, pinnedCount: 1 });
  });

  test('a kept version is not pinned beyond the limit', async () => {
    const records = createRecords(createMemoryStore(), { versioning: 'content-hash' });
    await records.save('r', 'kept');
    for (let n = 0; n < recordLimits.maxPinned; n++) await records.save('r', n, { isPinned: true });
    await expect(records.save('r', 'kept', { isPinned: true })).rejects.toMatchObject({
      code: 'state/pin-limit',
    });
    expect(await records.save('r', 0, { isPinned: true })).toMatchObject({ isPinned: true });
  });

  test('a kept version that is damaged is not what was saved: the content is saved once more', async () => {
    const store = createMemoryStore();
    const records = createRecords(store, { versioning: 'content-hash' });
    const first = await records.save('r', 'text');
    await records.save('r', 'other');
    await store.commit([{ type: 'put', key: stateKey('r', 1), value: 'damaged' }]);
    expect(await records.save('r', 'text')).toMatchObject({ version: first.version, sequence: 3 });
    expect(await records.load('r', first.version)).toMatchObject({ state: 'text', sequence: 3 });
  });

  test('is the digest of the canonical bytes', async () => {
    // the string "a": tag s, length 1, one byte
    const bytes = new Uint8Array([0x73, 0, 0, 0, 1, 0x61]);
    const digest = Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
    expect((await recordsWith('content-hash').save('r', 'a')).version).toBe(digest);
  });
});
