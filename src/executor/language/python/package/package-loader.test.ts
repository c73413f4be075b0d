import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CodedError } from '../../../../base/index.ts';
import { sha256Hex, SimulatedClock, systemClock } from '../../../../platform/index.ts';
import { resolveLimits } from '../../../limits.ts';
import type { ExecutorLimits } from '../../../limits.ts';
import type { PackageIndex, PackageRequest } from '../../../package.ts';
import type { PackageCache, StoredPackage } from '../../../package-cache.ts';
import { resolvePolicy } from '../../../policy/policy.ts';
import type { PolicyInput } from '../../../policy/policy.ts';
import { PackageBudget } from '../../package-budget.ts';
import { WheelLoader } from './package-loader.ts';
import { buildWheel, wheelFileName } from './wheel-test-scene.ts';
import type { WheelPlan } from './wheel-test-scene.ts';

/** What the server answers, by path. */
const served = new Map<string, { readonly type: string; readonly body: string | Uint8Array }>();
const asked: string[] = [];
const server = createServer((request, response) => {
  const path = request.url ?? '';
  asked.push(path);
  const found = served.get(path);
  if (path.startsWith('/never/')) return;
  if (path.startsWith('/moved/')) return void response.writeHead(302, { location: '/simple/good/' }).end();
  if (!found) return void response.writeHead(404).end();
  response.writeHead(200, { 'content-type': found.type }).end(found.body);
});
let origin = '';

interface Offer {
  readonly plan: WheelPlan;
  readonly sha256?: string | null;
  readonly isYanked?: boolean;
  readonly bytes?: Uint8Array;
}

/** Puts the page of a package, and its files, on the server. */
async function offer(name: string, offers: readonly Offer[], form: 'json' | 'html' = 'json'): Promise<void> {
  const files = await Promise.all(
    offers.map(async ({ plan, sha256, isYanked = false, bytes = buildWheel(plan) }) => {
      const filename = wheelFileName(plan);
      served.set(`/files/${filename}`, { type: 'application/zip', body: bytes });
      const hash = sha256 === undefined ? await sha256Hex(new Uint8Array(bytes)) : sha256;
      const hashes = hash === null ? {} : { sha256: hash };
      return { filename, url: `../../files/${filename}`, hashes, yanked: isYanked };
    }),
  );
  const html = files.map(
    ({ filename, url, hashes }) =>
      `<a href="${url}#sha256=${hashes.sha256 ?? ''}" data-requires-python="&gt;=3.8">${filename}</a><br>`,
  );
  const json = JSON.stringify({ meta: { 'api-version': '1.0' }, name, files });
  const type = form === 'json' ? 'application/vnd.pypi.simple.v1+json' : 'text/html; charset=utf-8';
  served.set(`/simple/${name}/`, {
    type,
    body: form === 'json' ? json : `<!doctype html>${html.join('\n')}`,
  });
}

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await offer('good', [
    { plan: { name: 'good', version: '1.0' } },
    {
      plan: {
        name: 'good',
        version: '1.2',
        requires: ['Needed_Thing>=2', 'never; python_version<"3"', 'more; extra=="x"'],
      },
    },
    { plan: { name: 'good', version: '2.0rc1' } },
    { plan: { name: 'good', version: '9.0', tag: 'cp314-cp314-win_amd64' } },
    { plan: { name: 'good', version: '8.0' }, isYanked: true },
  ]);
  await offer(
    'needed-thing',
    [{ plan: { name: 'needed-thing', version: '2.5', requires: ['good'] } }],
    'html',
  );
  await offer('more', [{ plan: { name: 'more', version: '0.1', requires: ['needed-thing<2'] } }]);
  await offer('forged', [{ plan: { name: 'forged' }, sha256: '0'.repeat(64) }]);
  await offer('unhashed', [{ plan: { name: 'unhashed' }, sha256: null }]);
  await offer('impostor', [{ plan: { name: 'impostor' }, bytes: buildWheel({ name: 'other' }) }]);
  await offer('deep0', [{ plan: { name: 'deep0', requires: ['deep1'] } }]);
  await offer('deep1', [{ plan: { name: 'deep1', requires: ['deep2'] } }]);
  await offer('deep2', [{ plan: { name: 'deep2' } }]);
  served.set('/simple/broken/', { type: 'application/vnd.pypi.simple.v1+json', body: '[' });
  served.set('/simple/away/', {
    type: 'application/vnd.pypi.simple.v1+json',
    body: JSON.stringify({
      files: [
        {
          filename: 'away-1.0-py3-none-any.whl',
          url: 'http://127.0.0.1:9/away-1.0-py3-none-any.whl',
          hashes: { sha256: 'a'.repeat(64) },
        },
      ],
    }),
  });
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

interface Use {
  readonly index?: Partial<PackageIndex> | 'none';
  readonly limits?: Partial<ExecutorLimits>;
  readonly policy?: PolicyInput;
  readonly installed?: readonly (readonly [string, string])[];
  readonly signal?: AbortSignal;
  readonly budget?: PackageBudget;
}

async function load(requests: readonly PackageRequest[], use: Use = {}) {
  const { index = {}, limits, policy, installed = [] } = use;
  const loader = new WheelLoader({
    index: index === 'none' ? undefined : { form: 'simple', url: `${origin}/simple/`, ...index },
    limits: resolveLimits(limits),
    policy: resolvePolicy(
      policy ?? {
        packages: [
          { origin, names: ['*'] },
          { origin: 'page', names: ['*'] },
        ],
      },
    ),
    clock: systemClock,
  });
  const { packages, header, content } = await loader.load(requests, {
    signal: use.signal ?? new AbortController().signal,
    installed: new Map(installed),
    budget: use.budget ?? new PackageBudget(),
  });
  const [names, files] = JSON.parse(new TextDecoder().decode(header)) as readonly [
    readonly string[],
    readonly (readonly [string, number])[],
  ];
  expect(names).toEqual(packages.map(({ name }) => name));
  expect(files.reduce((sum, [, length]) => sum + length, 0)).toBe(content.length);
  return packages.map(({ name, version }) => `${name} ${version}`);
}

test.each<[string, readonly PackageRequest[], readonly string[]]>([
  ['the newest final version, and what it needs', ['good'], ['good 1.2', 'needed-thing 2.5']],
  ['an older one', ['Good < 1.2'], ['good 1.0']],
  ['a pre-release where it is named', ['good==2.0rc1'], ['good 2.0rc1']],
  ['a withdrawn one where it is named', ['good==8.0'], ['good 8.0']],
  ['a name twice', ['good', 'good<1.2'], ['good 1.0']],
  ['one that is not needed here', ['good; os_name == "nt"'], []],
  ['packages that need each other', ['needed-thing'], ['needed-thing 2.5', 'good 1.2']],
])('%s', async (_name, requests, packages) => {
  expect(await load(requests)).toEqual(packages);
});

test('a wheel that is handed over counts for those that need it, and its own needs are had', async () => {
  const wheel = buildWheel({ name: 'good', version: '5.0', requires: ['needed-thing'] });
  expect(await load([{ wheel }, 'needed-thing'])).toEqual(['good 5.0', 'needed-thing 2.5']);
  expect(await load([{ wheel, isWithoutDependencies: true }], { index: 'none' })).toEqual(['good 5.0']);
});

test('what the guest has is not installed again, unless it asks for another version', async () => {
  const installed = [['Needed.Thing', '2.1']] as const;
  expect(await load(['good'], { installed })).toEqual(['good 1.2']);
  expect(await load(['needed-thing>2.1'], { installed })).toEqual(['needed-thing 2.5', 'good 1.2']);
});

const page = { origin: 'page', names: ['*'] };
test.each<[string, readonly PackageRequest[], Use, string, Record<string, unknown>]>([
  ['an unknown name', ['nobody'], {}, 'executor/package-not-found', { requirement: 'nobody' }],
  ['a version that is not there', ['good>3'], {}, 'executor/package-not-found', {}],
  ['a name without an index', ['good'], { index: 'none' }, 'executor/package-not-found', {}],
  [
    'needs without an index',
    [{ wheel: buildWheel({ name: 'a', requires: ['b'] }) }],
    { index: 'none' },
    'executor/package-not-found',
    { requirement: 'b' },
  ],
  ['a wrong hash', ['forged'], {}, 'executor/package-hash-mismatch', { expected: '0'.repeat(64) }],
  ['no hash', ['unhashed'], {}, 'executor/package-hash-mismatch', { found: 'none' }],
  ['another package under its name', ['impostor'], {}, 'executor/package-invalid', { found: 'other' }],
  [
    'needs that contradict each other',
    ['good[x]'],
    {},
    'executor/package-conflict',
    { name: 'needed-thing' },
  ],
  [
    'a wheel handed over twice',
    [{ wheel: buildWheel({ name: 'a' }) }, { wheel: buildWheel({ name: 'a' }) }],
    {},
    'executor/package-conflict',
    {},
  ],
  ['a page that is none', ['broken'], {}, 'executor/package-invalid', {}],
  ['a file of another origin', ['away'], {}, 'executor/package-invalid', {}],
  ['an address', ['good @ http://127.0.0.1/x.whl'], {}, 'executor/package-invalid', {}],
  [
    'a policy without packages',
    ['good'],
    { policy: {} },
    'executor/denied',
    { name: 'good', rule: 'packages' },
  ],
  [
    'a policy of another origin',
    ['good'],
    { policy: { packages: [{ origin: 'https://index.example', names: ['*'] }] } },
    'executor/denied',
    { rule: 'packages' },
  ],
  [
    'a policy that lacks what is needed',
    ['good'],
    {
      policy: {
        packages: [
          {
            get origin() {
              return origin;
            },
            names: ['good'],
          },
        ],
      },
    },
    'executor/denied',
    { name: 'needed-thing' },
  ],
  [
    'a policy against wheels',
    [{ wheel: buildWheel({ name: 'a' }) }],
    { policy: { packages: [] } },
    'executor/denied',
    { name: 'a' },
  ],
  [
    'too many packages',
    ['deep0'],
    { limits: { packages: 2 } },
    'executor/package-limit',
    { limit: 'packages' },
  ],
  [
    'needs too deep',
    ['deep0'],
    { limits: { packageDepth: 1 } },
    'executor/package-limit',
    { limit: 'packageDepth' },
  ],
  [
    'too many files together',
    ['deep0'],
    { limits: { packageFiles: 6 } },
    'executor/package-limit',
    { limit: 'packageFiles' },
  ],
  [
    'too many bytes together',
    ['deep0'],
    { limits: { packageBytes: 600 } },
    'executor/package-limit',
    { limit: 'packageBytes' },
  ],
  [
    'a large download',
    ['deep0'],
    { limits: { packageDownloadBytes: 100 } },
    'executor/package-limit',
    { limit: 'packageDownloadBytes' },
  ],
  [
    'an index that does not answer',
    ['good'],
    {
      index: {
        get url() {
          return `${origin}/never/`;
        },
      },
      limits: { packageTimeoutMs: 300 },
    },
    'executor/package-unavailable',
    {},
  ],
  [
    'an index that leads elsewhere',
    ['good'],
    {
      index: {
        get url() {
          return `${origin}/moved/`;
        },
      },
    },
    'executor/package-unavailable',
    {},
  ],
  [
    'an index that is not there',
    ['good'],
    {
      index: { url: 'http://127.0.0.1:9/' },
      policy: { packages: [{ origin: 'http://127.0.0.1:9', names: ['*'] }, page] },
    },
    'executor/package-unavailable',
    {},
  ],
])('%s is refused', async (...[, requests, use, code, fields]) => {
  await expect(load(requests, use)).rejects.toMatchObject({ code, fields });
});

test('without a hash it is installed only where the embedder says so', async () => {
  expect(await load(['unhashed'], { index: { allowsMissingHash: true } })).toEqual(['unhashed 1.0']);
});

test('a caller who goes away ends it', async () => {
  const leaving = new AbortController();
  const loading = load(['good'], { signal: leaving.signal, index: { url: `${origin}/never/` } });
  leaving.abort();
  await expect(loading).rejects.toMatchObject({ code: 'port/cancelled' });
});

function memoryCache(): PackageCache & { readonly entries: Map<string, StoredPackage> } {
  const entries = new Map<string, StoredPackage>();
  return {
    entries,
    read: (key) => Promise.resolve(entries.get(key)),
    write: (key, file) => Promise.resolve(void entries.set(key, file)),
    delete: (key) => Promise.resolve(void entries.delete(key)),
  };
}

const offline = (): Promise<Response> => Promise.reject(new TypeError('no network'));

test('what was had once is there without a network; what was changed meanwhile is not', async () => {
  const cache = memoryCache();
  await load(['good'], { index: { cache } });
  const before = asked.length;
  await load(['good'], { index: { cache } });
  // lists are asked for, files are not
  expect(asked.slice(before)).toEqual(['/simple/good/', '/simple/needed-thing/']);
  expect(await load(['good'], { index: { cache, fetch: offline } })).toEqual([
    'good 1.2',
    'needed-thing 2.5',
  ]);
  const [key, file] = [...cache.entries].find(([name]) => name.startsWith('sha256:')) ?? [];
  cache.entries.set(key as string, { ...(file as StoredPackage), content: new Blob(['x']) });
  await expect(load(['good'], { index: { cache, fetch: offline } })).rejects.toMatchObject({
    code: 'executor/package-unavailable',
  });
  // it was dropped, and is fetched anew
  expect(await load(['good'], { index: { cache } })).toHaveLength(2);
});

test('a cache that fails costs a download', async () => {
  const fail = (): Promise<never> => Promise.reject(new Error('no storage'));
  expect(await load(['good'], { index: { cache: { read: fail, write: fail, delete: fail } } })).toHaveLength(
    2,
  );
});

test('a lock file names packages, their hashes and what they need', async () => {
  const wheels = [{ name: 'one', requires: ['ignored'] }, { name: 'two-x' }].map((plan) => ({
    plan,
    bytes: buildWheel(plan),
  }));
  const entries = await Promise.all(
    wheels.map(async ({ plan, bytes }, at) => {
      served.set(`/lock/${wheelFileName(plan)}`, { type: 'application/zip', body: bytes });
      const depends = at === 0 ? ['Two_X'] : ['one'];
      return [
        plan.name,
        {
          name: plan.name,
          version: '1.0',
          file_name: wheelFileName(plan),
          sha256: await sha256Hex(bytes),
          depends,
        },
      ] as const;
    }),
  );
  const library = {
    name: 'openblas',
    file_name: 'openblas-0.3.zip',
    sha256: 'a'.repeat(64),
    depends: [],
    package_type: 'shared_library',
  };
  const lock = JSON.stringify({ info: {}, packages: { ...Object.fromEntries(entries), openblas: library } });
  served.set('/lock/pyodide-lock.json', { type: 'application/json', body: lock });
  const index = { form: 'pyodide-lock', url: `${origin}/lock/pyodide-lock.json` } as const;
  expect(await load(['one'], { index })).toEqual(['one 1.0', 'two-x 1.0']);
  await expect(load(['openblas'], { index })).rejects.toMatchObject({ code: 'executor/package-not-found' });
  const lockSha256 = await sha256Hex(new TextEncoder().encode(lock));
  expect(await load(['one'], { index: { ...index, lockSha256 } })).toHaveLength(2);
  await expect(load(['one'], { index: { ...index, lockSha256: 'b'.repeat(64) } })).rejects.toMatchObject({
    code: 'executor/package-hash-mismatch',
  });
});

test('pages of one run count together, those that came to nothing included, until there is no more', async () => {
  const page = JSON.stringify({ files: [], padding: 'x'.repeat(1000) });
  for (const name of ['empty-0', 'empty-1', 'empty-2'])
    served.set(`/simple/${name}/`, { type: 'application/vnd.pypi.simple.v1+json', body: page });
  const budget = new PackageBudget();
  const limits = { packageListBytes: 2500 };
  const codes: unknown[] = [];
  for (const name of ['empty-0', 'empty-1', 'empty-2', 'good']) {
    const error: unknown = await load([name], { budget, limits }).catch((thrown: unknown) => thrown);
    const { code, fields } = error as CodedError;
    codes.push(fields['limit'] ?? code);
  }
  const notFound = 'executor/package-not-found';
  expect(codes).toEqual([notFound, notFound, 'packageListBytes', 'packageListBytes']);
  // another run has its own
  expect(await load(['needed-thing'], { limits })).toContain('needed-thing 2.5');
});

test('a page without end is read no further than the run may', async () => {
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        sent += 1;
        controller.enqueue(new Uint8Array(1000));
      },
    },
    { highWaterMark: 0 },
  );
  const index = { fetch: () => Promise.resolve(new Response(endless)) };
  await expect(load(['good'], { index, limits: { packageListBytes: 10_000 } })).rejects.toMatchObject({
    code: 'executor/package-limit',
    fields: { limit: 'packageListBytes', allowed: 10_000 },
  });
  expect(sent).toBe(11);
});

test('a lock file counts for who waits for it, and for nobody later', async () => {
  const body = JSON.stringify({ packages: {}, padding: 'x'.repeat(1000) });
  served.set('/lock-of-nothing.json', { type: 'application/json', body });
  const index = { form: 'pyodide-lock', url: `${origin}/lock-of-nothing.json` } as const;
  const refused = load(['good'], { index, limits: { packageListBytes: 500 } });
  await expect(refused).rejects.toMatchObject({ fields: { limit: 'packageListBytes' } });
  await expect(load(['good'], { index, limits: { packageListBytes: 5000 } })).rejects.toMatchObject({
    code: 'executor/package-not-found',
  });
});

test('lists are asked for again after five minutes', async () => {
  const clock = new SimulatedClock();
  const limits = resolveLimits();
  const policy = resolvePolicy({ packages: [{ origin, names: ['*'] }] });
  const index = { form: 'simple', url: `${origin}/simple/` } as const;
  const loader = new WheelLoader({ index, limits, policy, clock });
  const once = async (): Promise<number> => {
    const before = asked.length;
    const budget = new PackageBudget();
    await loader.load(['good==1.0'], { signal: new AbortController().signal, installed: new Map(), budget });
    return asked.slice(before).filter((path) => path === '/simple/good/').length;
  };
  const counts = [await once(), await once()];
  await clock.advance(5 * 60_000);
  expect([...counts, await once()]).toEqual([1, 0, 1]);
});
