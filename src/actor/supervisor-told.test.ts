import fc from 'fast-check';
import { expect, test } from 'vitest';
import { accidents, scenarios } from './supervision.contract.ts';
import { RealWorld } from './supervision-test-real.ts';

const isRunning = (tree: readonly (readonly [string, string])[], path: string): boolean =>
  tree.some(([at, status]) => at === path && status === 'running');

test('whoever asked is told of each end once, and what comes of it', async () => {
  await fc.assert(
    fc.asyncProperty(scenarios, async ({ tree, commands }) => {
      const world = new RealWorld(tree);
      for (const command of commands) await world.perform(command);
      for (const { path, words } of world.told) expect(`${path} ${words}`).not.toMatch(/TT|FF|FT| [TF]/);
      world.close();
    }),
    { numRuns: 60 },
  );
}, 120_000);

test('whoever was told that it runs is told when it does not, and the last word is true', async () => {
  await fc.assert(
    fc.asyncProperty(accidents, async ({ tree, commands }) => {
      const world = new RealWorld(tree);
      for (const command of commands) {
        const step = await world.perform(command);
        const started = world.hasStarted ? world.told.filter(({ words }) => words !== '') : [];
        const last = started.map(({ path, words }) => `${path} ${words.at(-1)}`);
        expect(last).toEqual(started.map(({ path }) => `${path} ${isRunning(step.tree, path) ? 'S' : 'F'}`));
      }
      world.close();
    }),
    { numRuns: 60 },
  );
}, 120_000);
