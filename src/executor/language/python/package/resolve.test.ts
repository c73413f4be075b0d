import { expect, test } from 'vitest';
import type { CodedError } from '../../../../base/index.ts';
import { resolveLimits } from '../../../limits.ts';
import { resolvePolicy } from '../../../policy/policy.ts';
import type { PackageRequest } from '../../../package.ts';
import { PackageBudget } from '../../package-budget.ts';
import { toCandidate } from './candidate.ts';
import type { Candidate, IndexReader } from './candidate.ts';
import { parseMarker } from './marker.ts';
import { Resolution } from './resolve.ts';
import { buildWheel, wheelFileName } from './wheel-test-scene.ts';
import type { WheelPlan } from './wheel-test-scene.ts';

const origin = 'https://index.example';
const limits = resolveLimits();
const policy = resolvePolicy({
  packages: [
    { origin, names: ['*'] },
    { origin: 'page', names: ['*'] },
  ],
});

function candidateOf(fileName: string): Candidate {
  const offered = { fileName, url: `${origin}/${fileName}`, sha256: undefined, requiresPython: '' };
  return toCandidate({ ...offered, isYanked: false }) as Candidate;
}

/** An index that has these wheels in memory. */
function indexOf(plans: readonly WheelPlan[]): IndexReader {
  const find = (name: string): readonly Candidate[] =>
    plans.filter((plan) => plan.name === name).map((plan) => candidateOf(wheelFileName(plan)));
  const planOf = (fileName: string): WheelPlan =>
    plans.find((plan) => wheelFileName(plan) === fileName) as WheelPlan;
  return {
    origin,
    find: (name) => Promise.resolve(find(name)),
    fetch: async ({ fileName }, _signal, take) => {
      const wheel = buildWheel(planOf(fileName));
      take(wheel.length);
      return wheel;
    },
  };
}

interface Use {
  readonly index?: IndexReader;
  readonly signal?: AbortSignal;
  readonly installed?: readonly (readonly [string, string])[];
  readonly budget?: PackageBudget;
}

async function resolve(
  requests: readonly PackageRequest[],
  { index, signal, installed = [], budget }: Use = {},
) {
  const resolution = new Resolution({
    index: index ?? indexOf([]),
    policy,
    limits,
    signal: signal ?? new AbortController().signal,
    installed: new Map(installed),
    budget: budget ?? new PackageBudget(),
  });
  return (await resolution.resolve(requests)).map(({ name, version }) => `${name} ${version.text}`);
}

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
const extrasOf = (count: number, from = 0): string =>
  numbers(count)
    .map((index) => `e${index + from}`)
    .join(',');

test('of the wheels that fit the newest final one is taken, however they are listed', async () => {
  const versions = ['1.0', '2.0rc1', '1.10', '1.9', '0.1'];
  const index = indexOf(versions.map((version) => ({ name: 'a', version })));
  expect(await resolve(['a'], { index })).toEqual(['a 1.10']);
  expect(await resolve(['a<1.10'], { index })).toEqual(['a 1.9']);
  expect(await resolve(['a>=2.0rc1'], { index })).toEqual(['a 2.0rc1']);
  expect(await resolve(['a>1.10'], { index })).toEqual(['a 2.0rc1']);
});

test('what an extra needs is had, also where it is asked for later', async () => {
  const index = indexOf([
    { name: 'a', requires: ['b; extra == "x" and python_version > "3"', 'c; extra == "y"'] },
    { name: 'b', requires: ['a[y]'] },
    { name: 'c' },
  ]);
  expect(await resolve(['a[x]'], { index })).toEqual(['a 1.0', 'b 1.0', 'c 1.0']);
  expect(await resolve(['a'], { index })).toEqual(['a 1.0']);
});

test('a thousand requirements with long markers and as many extras as there may be are no work', async () => {
  const marker = `${'extra == "z" or '.repeat(50)}extra == "no"`;
  const wheel = buildWheel({ name: 'a', requires: numbers(1000).map((index) => `b${index}; ${marker}`) });
  const startMs = performance.now();
  expect(await resolve([{ wheel }, `a[${extrasOf(64)}]`])).toEqual(['a 1.0']);
  expect(performance.now() - startMs).toBeLessThan(5000);
});

test('one part of a marker that is known is not asked again', () => {
  const count = 80;
  const known = parseMarker(`${'python_version < "1" or '.repeat(count)}os_name == "nt"`);
  const startMs = performance.now();
  for (let call = 0; call < 100_000; call += 1) known(`extra-${call}`);
  // comparing versions each time takes ten seconds and more
  expect(performance.now() - startMs).toBeLessThan(1000);
  expect(known('')).toBe(false);
});

test('more extras of one package than anybody needs are refused', async () => {
  const wheel = buildWheel({ name: 'a' });
  const requests = [{ wheel }, `a[${extrasOf(40)}]`, `a[${extrasOf(40, 40)}]`];
  await expect(resolve(requests)).rejects.toMatchObject({
    code: 'executor/package-limit',
    fields: { limit: 'packageExtras', allowed: 64 },
  });
});

test('more requirements than anybody needs are refused', async () => {
  const requires = numbers(1000).map(() => 'a');
  const wheels = numbers(5).map((index) => ({ wheel: buildWheel({ name: `w${index}`, requires }) }));
  await expect(resolve([{ wheel: buildWheel({ name: 'a' }) }, ...wheels])).rejects.toMatchObject({
    code: 'executor/package-limit',
    fields: { limit: 'packageWishes', allowed: 4096 },
  });
});

test('timers come to their turn while much is compared', async () => {
  const wide = candidateOf('a-1.0-py3-none-any.whl');
  const candidates = Array.from({ length: 1_000_000 }, () => wide);
  const index = { ...indexOf([]), find: () => Promise.resolve(candidates) };
  const leaving = new AbortController();
  setTimeout(() => leaving.abort(), 10);
  await expect(
    resolve(
      [
        `a${numbers(60)
          .map((part) => `!=2.${part},`)
          .join('')}>2`,
      ],
      { index, signal: leaving.signal },
    ),
  ).rejects.toMatchObject({ code: 'port/cancelled' });
});

const plans = numbers(70).map((index) => ({ name: `p${index}` }));

test('what the guest says it has makes no room for more', async () => {
  const installed = numbers(1000).map((index) => [`has${index}`, '1.0'] as const);
  await expect(
    resolve(
      plans.map(({ name }) => name),
      { index: indexOf(plans), installed },
    ),
  ).rejects.toMatchObject({ code: 'executor/package-limit', fields: { limit: 'packages', allowed: 64 } });
});

test('what a run had before counts, what came to nothing does not', async () => {
  const budget = new PackageBudget();
  const index = indexOf(plans);
  const names = plans.map(({ name }) => name);
  await resolve(names.slice(0, 40), { index, budget });
  await expect(resolve(names.slice(40), { index, budget })).rejects.toMatchObject({
    fields: { limit: 'packages' },
  });
  expect(await resolve(names.slice(40, 64), { index, budget })).toHaveLength(24);
  expect(budget.used).toMatchObject({ packages: 64, files: 64 * 4 });
});

test('what is fetched for nothing, again and again, comes to an end', async () => {
  const content = new Uint8Array(12 * 2 ** 20);
  const lying = indexOf([{ name: 'big', files: { 'big.bin': content }, requires: ['nobody'] }]);
  const budget = new PackageBudget();
  const limitsMet: unknown[] = [];
  for (let attempt = 0; attempt < 6; attempt += 1) {
    await resolve(['big'], { index: lying, budget }).catch((error: CodedError) =>
      limitsMet.push(error.fields['limit'] ?? error.code),
    );
  }
  // 48 MiB: packageBytes and packageDownloadBytes
  const notFound = 'executor/package-not-found';
  const over = 'packageFetchedBytes';
  expect(limitsMet).toEqual([notFound, notFound, notFound, over, over, over]);
});
