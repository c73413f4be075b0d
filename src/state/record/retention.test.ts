import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../platform/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore } from '../backend/memory.ts';
import { recordLimits } from '../limits.ts';
import type { Store } from '../store.ts';
import { createRecords } from './records.ts';
import type { Records } from './records.ts';
import type { Retention } from './retention.ts';
import type { Versioning } from './version.ts';

type Step =
  | { readonly type: 'save'; readonly length: number; readonly isPinned: boolean }
  | { readonly type: 'pass'; readonly byMs: number }
  | { readonly type: 'pin' | 'unpin' | 'delete'; readonly pick: number }
  | { readonly type: 'prune' | 'delete-all' };

const pick = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('save'), length: fc.nat(40), isPinned: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('pass'), byMs: fc.integer({ min: -50, max: 200 }) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('pin', 'unpin', 'delete'), pick }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('prune', 'delete-all') }) },
) as fc.Arbitrary<Step>;

const bound = (max: number): fc.Arbitrary<number | undefined> =>
  fc.option(fc.integer({ min: 1, max }), { nil: undefined });
const retention = fc
  .record({ maxVersions: bound(6), maxAgeMs: bound(400), maxBytes: bound(150) })
  .map(
    (rules) =>
      Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined)) as Retention,
  );

interface Kept {
  readonly sequence: number;
  readonly atMs: number;
  readonly sizeBytes: number;
  isPinned: boolean;
}

/** What must be kept, found by trying: the fewest of the oldest that have to go for every rule to hold. */
class Model {
  kept: Kept[] = [];
  latest: Kept | undefined;
  readonly #rules: Retention;

  constructor(rules: Retention) {
    this.#rules = rules;
  }

  add(version: Kept): void {
    this.kept.push(version);
    this.latest = version;
  }

  remove(version: Kept): void {
    this.kept = this.kept.filter((each) => each !== version);
    if (this.latest === version) this.latest = this.kept.at(-1);
  }

  prune(nowMs: number, maxDropped: number): void {
    const old = this.kept.filter((each) => !each.isPinned && each !== this.latest);
    const { maxVersions = Infinity, maxAgeMs = Infinity, maxBytes = Infinity } = this.#rules;
    const holds = (gone: number): boolean => {
      const left = this.kept.filter((each) => !each.isPinned && !old.slice(0, gone).includes(each));
      const oldest = old[gone];
      return (
        left.length <= maxVersions &&
        left.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) <= maxBytes &&
        (!oldest || nowMs - oldest.atMs <= maxAgeMs)
      );
    };
    let gone = 0;
    while (gone < old.length && !holds(gone)) gone++;
    const dropped = new Set(old.slice(0, Math.min(gone, maxDropped)));
    this.kept = this.kept.filter((each) => !dropped.has(each));
  }
}

/** Nothing lies in the store but whole versions that the listing shows. */
async function expectNoRemains(store: Store, count: number, parts: number, isNew: boolean): Promise<void> {
  const keys = (await store.list([], { limit: 10_000 })).map(({ key }) => key.join('/'));
  expect(keys).toHaveLength(isNew ? 0 : 1 + (count > 0 ? 1 : 0) + parts * count);
}

interface Answer {
  /** Whether it was there, by what the records say and by what the model says. */
  readonly said: boolean;
  readonly expected: boolean;
}

async function runStep(
  records: Records,
  model: Model,
  each: Step,
  clock: { nowMs: number },
): Promise<Answer> {
  const picked = 'pick' in each ? model.kept[each.pick % Math.max(1, model.kept.length)] : undefined;
  const [sequence, expected] = [picked?.sequence ?? 1, picked !== undefined];
  switch (each.type) {
    case 'save': {
      const { length, isPinned } = each;
      const saved = await records.save('r', `${clock.nowMs}-${'x'.repeat(length)}`, { isPinned });
      model.add({ sequence: saved.sequence, atMs: clock.nowMs, sizeBytes: saved.sizeBytes, isPinned });
      model.prune(clock.nowMs, recordLimits.maxDroppedPerSave);
      return { said: true, expected: true };
    }
    case 'pass':
      clock.nowMs += each.byMs;
      return { said: true, expected: true };
    case 'pin':
    case 'unpin':
      if (picked) picked.isPinned = each.type === 'pin';
      return { said: await records[each.type]('r', sequence), expected };
    case 'delete':
      if (picked) model.remove(picked);
      return { said: await records.delete('r', sequence), expected };
    case 'prune':
      await records.prune('r');
      model.prune(clock.nowMs, Infinity);
      return { said: true, expected: true };
    case 'delete-all': {
      const wasThere = model.kept.length > 0;
      model.kept = [];
      model.latest = undefined;
      return { said: await records.delete('r'), expected: wasThere };
    }
  }
}

describe('retention', () => {
  test.each(['incremental', 'semantic'] as const)(
    'of %s versions keeps what a plain model keeps, whole, and nothing else',
    async (versioning: Versioning) => {
      await fc.assert(
        fc.asyncProperty(retention, fc.array(step, { maxLength: 30 }), async (rules, steps) => {
          const store = createMemoryStore();
          const clock = { nowMs: 1000 };
          const now: Clock = Object.assign(new SimulatedClock(), { now: () => clock.nowMs });
          const records = createRecords(store, { versioning, retention: rules, clock: now });
          const model = new Model(rules);
          let isNew = true;
          for (const each of steps) {
            isNew &&= each.type !== 'save';
            const { said, expected } = await runStep(records, model, each, clock);
            expect(said).toBe(expected);
            const versions = await records.versions('r');
            const seen = versions.map(({ sequence, isPinned }) => ({ sequence, isPinned }));
            expect(seen).toEqual(model.kept.map(({ sequence, isPinned }) => ({ sequence, isPinned })));
            expect((await records.load('r'))?.sequence).toBe(model.latest?.sequence);
            await expectNoRemains(store, model.kept.length, versioning === 'semantic' ? 3 : 2, isNew);
          }
          expect(await records.verify('r')).toEqual({
            wholeCount: model.kept.length,
            damaged: [],
            isHeadWhole: true,
          });
        }),
        { numRuns: 150 },
      );
    },
    60_000,
  );

  test('an age is exceeded by the millisecond after it, when the next is saved or by prune', async () => {
    const clock = new SimulatedClock(1000);
    const records = createRecords(createMemoryStore(), { retention: { maxAgeMs: 100 }, clock });
    const left = async (): Promise<number[]> => (await records.versions('r')).map(({ sequence }) => sequence);
    for (const state of ['a', 'b']) await records.save('r', state);
    await clock.advance(100);
    await records.save('r', 'c');
    expect(await left()).toEqual([1, 2, 3]);
    await clock.advance(1);
    await records.save('r', 'd');
    expect(await left()).toEqual([3, 4]);
    await clock.advance(1000);
    expect(await left()).toEqual([3, 4]);
    expect(await records.prune('r')).toBe(1);
    // the latest never goes
    expect(await left()).toEqual([4]);
  });

  test('a content that is saved again is the latest, and stays', async () => {
    const records = createRecords(createMemoryStore(), {
      versioning: 'content-hash',
      retention: { maxVersions: 2 },
    });
    for (const state of ['a', 'b', 'a', 'c']) await records.save('r', state);
    // the latest when b was next to go
    expect((await records.versions('r')).map(({ sequence }) => sequence)).toEqual([2, 3]);
    for (const state of ['b', 'd']) await records.save('r', state);
    expect((await records.versions('r')).map(({ sequence }) => sequence)).toEqual([3, 4]);
  });

  test('a rule that comes late lets go of 16 versions with each save, of all by prune', async () => {
    const store = createMemoryStore();
    for (let n = 1; n <= 1000; n++) await createRecords(store).save('r', n, { isPinned: n === 2 });
    const records = createRecords(store, { retention: { maxVersions: 3 } });
    await records.save('r', 1001);
    expect(await records.versions('r')).toHaveLength(1001 - 16);
    expect(await records.prune('r')).toBe(1001 - 16 - 4);
    expect((await records.versions('r')).map(({ sequence }) => sequence)).toEqual([2, 999, 1000, 1001]);
    expect(await records.prune('r')).toBe(0);
  }, 30_000);

  test.each(['maxVersions', 'maxAgeMs', 'maxBytes'])('%s must be a positive integer', (option) => {
    for (const value of [0, -1, 1.5, Number.NaN, '3']) {
      expect(() => createRecords(createMemoryStore(), { retention: { [option]: value } })).toThrow(option);
    }
  });

  test('no more than 512 versions are pinned', async () => {
    const records = createRecords(createMemoryStore());
    for (let n = 1; n <= 512; n++) await records.save('r', n, { isPinned: true });
    await expect(records.save('r', 0, { isPinned: true })).rejects.toMatchObject({ code: 'state/pin-limit' });
    const { sequence } = await records.save('r', 0);
    await expect(records.pin('r', sequence)).rejects.toMatchObject({ code: 'state/pin-limit' });
    expect(await records.unpin('r', 1)).toBe(true);
    expect(await records.pin('r', sequence)).toBe(true);
    expect(await records.pin('r', 9999)).toBe(false);
  }, 30_000);
});
