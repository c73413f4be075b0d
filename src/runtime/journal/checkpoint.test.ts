import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import type { ModuleState } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
import { Counter } from '../runtime-test-modules.ts';

function stateWith(total: number): ModuleState {
  const counter = new Counter();
  counter.total.set(total);
  return counter.dumpState();
}

test('every checkpoint is kept as it was, under an id of its own', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(1_000_000), { minLength: 1, maxLength: 10 }), async (totals) => {
      const store = createMemoryStore();
      const clock = new SimulatedClock(1000);
      const saved = [];
      for (const total of totals) {
        const checkpoint = await saveCheckpoint(store, { module: 'm', state: stateWith(total), clock });
        expect(checkpoint).toMatchObject({ module: 'm', atMs: clock.now() });
        saved.push(checkpoint);
        await clock.advance(1);
      }
      expect(new Set(saved.map(({ id }) => id)).size).toBe(totals.length);
      for (const [index, { id }] of saved.entries()) {
        const state = await loadCheckpoint(store, 'm', id);
        const counter = new Counter();
        counter.loadState(state);
        expect(counter.total.value).toBe(totals[index]);
      }
    }),
    { numRuns: 10 },
  );
});

test.each(['999', '', 'abc', '-1', '1.5', 'NaN', '1e3', '0x1', ' 1'])(
  'a checkpoint "%s" that does not exist is said to be missing',
  async (id) => {
    const store = createMemoryStore();
    await saveCheckpoint(store, { module: 'm', state: stateWith(1), clock: new SimulatedClock() });
    await expect(loadCheckpoint(store, 'm', id)).rejects.toMatchObject({
      code: 'runtime/checkpoint-not-found',
      fields: { module: 'm', checkpoint: id },
    });
    await expect(loadCheckpoint(store, 'other', '1')).rejects.toMatchObject({
      code: 'runtime/checkpoint-not-found',
    });
  },
);
