import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { PackageBudget } from '../language/package-budget.ts';
import type { PackageLoader } from '../language/package-loading.ts';
import { python } from '../language/python/python.ts';
import { resolveLimits } from '../limits.ts';
import { resolvePolicy } from '../policy/policy.ts';
import { PackageService } from './package-service.ts';

/** A service whose loader counts how many are at work, and takes a while. */
function openService() {
  const seen = { atWork: 0, most: 0, done: 0 };
  const loader: PackageLoader = {
    load: async ([name], { budget }) => {
      seen.atWork += 1;
      seen.most = Math.max(seen.most, seen.atWork);
      await new Promise((resolve) => setTimeout(resolve, 0));
      seen.atWork -= 1;
      seen.done += 1;
      if (name === 'broken') throw new Error('broken');
      budget.take({ packages: 1, files: 1, sizeBytes: 1 });
      return { header: new Uint8Array(), content: new Uint8Array(), packages: [] };
    },
  };
  const service = new PackageService({
    language: { ...python, loadPackages: () => Promise.resolve(loader) },
    index: undefined,
    limits: resolveLimits(),
    policy: resolvePolicy(),
    clock: new SimulatedClock(),
  });
  const ask = (name: string, budget: PackageBudget) => {
    const { signal } = new AbortController();
    return service.serve({ arguments: [[name], []], named: {}, signal, policy: resolvePolicy() }, budget);
  };
  return { ask, seen };
}

test('one run gets its packages one after another, also after one that failed', async () => {
  const { ask, seen } = openService();
  const budget = new PackageBudget();
  const names = Array.from({ length: 100 }, (_, index) => (index === 3 ? 'broken' : 'six'));
  const ends = await Promise.allSettled(names.map((name) => ask(name, budget)));
  expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  expect(seen).toEqual({ atWork: 0, most: 1, done: 100 });
  expect(budget.used.packages).toBe(99);
});

test('runs do not wait for each other', async () => {
  const { ask, seen } = openService();
  await Promise.all([ask('six', new PackageBudget()), ask('six', new PackageBudget())]);
  expect(seen.most).toBe(2);
});
