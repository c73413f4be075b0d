/** The short run of `npm run prove -- durability`: workers, pages and the browser are killed, and what was acknowledged is checked. */
import { brokenStores, runKills } from '../tools/prove/durability.mjs';
import { expect, test } from './fixtures/test.ts';

test.describe.configure({ timeout: 300_000 });

const kills = 20;
const seed = '1';

test('nothing acknowledged is lost, torn or twice, whoever is killed', async () => {
  const { violations, cutShort, acknowledged, strict, ...report } = await runKills({
    kind: 'good',
    kills,
    seed,
  });
  expect(violations).toEqual([]);
  expect(report.kills).toEqual({ worker: kills, page: kills, browser: kills });
  // they were killed at work, and there was something to lose
  for (const count of Object.values(cutShort)) expect(count).toBeGreaterThan(kills / 2);
  expect(strict).toBeGreaterThan(kills);
  expect(acknowledged - strict).toBeGreaterThan(kills);
});

for (const [kind, wanted] of Object.entries(brokenStores)) {
  test(`the control: a store that is ${kind} is caught`, async () => {
    const { violations } = await runKills({ kind, kills, seed, wanted });
    expect([...new Set(violations.map(({ reason }) => reason))]).toEqual(expect.arrayContaining([...wanted]));
  });
}
