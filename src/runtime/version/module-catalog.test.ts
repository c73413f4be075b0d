import { afterEach, expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import { ModuleCatalog, maxVersionsPerKind } from './module-catalog.ts';
import { createRuntime } from '../runtime.ts';
import { Critic_1_0, Critic_1_1, Critic_2_0_beta, gates, swapModules } from '../swap/swap-test-modules.ts';
import { runtimesOf, turn } from '../runtime-test-scene.ts';

const origin = 'https://modules.example';
const importOrigins = [origin];

class Other extends Critic_1_1 {
  static override readonly version: '1.1.0' = '1.2.0' as '1.1.0';
}

function versionsFrom(count: number): Record<string, unknown> {
  const classes = Array.from({ length: count }, (_, minor) => {
    const version = `0.${minor}.0`;
    return [
      `Version${minor}`,
      class extends Module {
        static readonly version = version;
      },
    ] as const;
  });
  return Object.fromEntries(classes);
}

const files: Readonly<Record<string, () => unknown>> = {
  '/beta.js': () => ({ Critic_2_0_beta, other: 7, nothing: null, plain: class {} }),
  '/other.js': () => ({ Other }),
  '/again.js': () => ({ Other: class extends Other {} }),
  '/empty.js': () => ({ helper: () => 1 }),
  '/nothing.js': () => undefined,
  '/throws.js': () => {
    throw new SyntaxError('Unexpected token');
  },
  '/pending.js': () => new Promise(() => undefined),
  '/kind.js': () => ({
    Meant: class extends Critic_1_0 {
      static readonly kind = 'judge';
    },
  }),
  '/many.js': () => versionsFrom(maxVersionsPerKind + 1),
};

const asked: string[] = [];

async function importModule(url: string): Promise<unknown> {
  asked.push(url);
  const file = files[new URL(url).pathname];
  if (!file) throw new TypeError(`Failed to fetch ${url}`);
  return file();
}

afterEach(() => {
  asked.length = 0;
  gates.clear();
});

const createTestRuntime = runtimesOf({
  modules: swapModules,
  poolSize: 1,
  moduleImport: { importOrigins, importModule },
});

const createCatalog = (): ModuleCatalog =>
  new ModuleCatalog({ critic: [Critic_1_0, Critic_1_1] }, { importOrigins, importModule });

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'resolved';
  } catch (error) {
    return isCodedError(error) ? error.code : String(error);
  }
}

test('a file adds its classes to a kind, and is not imported twice', async () => {
  const catalog = createCatalog();
  expect(await catalog.load('critic', `${origin}/beta.js`)).toEqual([
    { version: '1.0.0' },
    { version: '1.1.0' },
    { version: '2.0.0-beta.1', url: `${origin}/beta.js` },
  ]);
  expect(catalog.find('critic').version).toBe('1.1.0');
  expect(catalog.resolve('critic', { url: `${origin}/beta.js` })).toMatchObject({ version: '2.0.0-beta.1' });
  await catalog.load('judge', `${origin}/kind.js`);
  expect(catalog.kinds).toEqual(['critic', 'judge']);
  expect(asked).toHaveLength(2);
});

test.each([
  ['data:text/javascript,export class A{}', 'runtime/module-url-refused'],
  ['blob:https://modules.example/0', 'runtime/module-url-refused'],
  ['javascript:alert(1)', 'runtime/module-url-refused'],
  ['file:///etc/passwd', 'runtime/module-url-refused'],
  ['https://modules.example.evil.example/beta.js', 'runtime/module-url-refused'],
  ['https://modules.example:8443/beta.js', 'runtime/module-url-refused'],
  ['http://modules.example/beta.js', 'runtime/module-url-refused'],
  ['https://user:secret@modules.example/beta.js', 'runtime/module-url-refused'],
  ['//modules.example/beta.js', 'runtime/module-url-refused'],
  ['not an address', 'runtime/module-url-refused'],
  ['', 'runtime/module-url-refused'],
  [`${origin}/missing.js`, 'runtime/module-load-failed'],
  [`${origin}/throws.js`, 'runtime/module-load-failed'],
  [`${origin}/empty.js`, 'runtime/module-load-failed'],
  [`${origin}/nothing.js`, 'runtime/module-load-failed'],
  [`${origin}/kind.js`, 'runtime/module-class-invalid'],
  [`${origin}/many.js`, 'runtime/too-many-versions'],
])('the file %j is refused with %s, and nothing is added', async (url, code) => {
  const catalog = createCatalog();
  const before = catalog.versionsOf('critic');
  expect(await codeOf(() => catalog.load('critic', url))).toBe(code);
  expect(catalog.versionsOf('critic')).toEqual(before);
  const { hostname, protocol } = URL.canParse(url) ? new URL(url) : { hostname: '', protocol: '' };
  const isOurs = hostname === 'modules.example' && protocol === 'https:' && !/:8443|@/.test(url);
  expect(asked).toEqual(isOurs ? [url] : []);
});

test('a file that never comes is given up', async () => {
  const catalog = createCatalog();
  const load = catalog.load('critic', `${origin}/pending.js`, { timeoutMs: 10 });
  await expect(load).rejects.toMatchObject({
    code: 'runtime/module-load-failed',
    fields: { url: `${origin}/pending.js` },
  });
});

test('one version means one class: another one of the same version is refused, here and where another worker has it', async () => {
  const catalog = createCatalog();
  await catalog.load('critic', `${origin}/other.js`);
  expect(await codeOf(() => catalog.load('critic', `${origin}/again.js`))).toBe('runtime/version-invalid');
  const loaded = [{ version: '1.2.0', url: `${origin}/again.js` }];
  const elsewhere = (): unknown => createCatalog().load('critic', `${origin}/other.js`, { loaded });
  expect(await codeOf(elsewhere)).toBe('runtime/version-invalid');
});

test('what is known elsewhere is imported when it is wanted', async () => {
  const catalog = createCatalog();
  const loaded = [{ version: '1.2.0', url: `${origin}/other.js` }];
  expect(catalog.resolve('critic', { version: '1.0.0', loaded })).toMatchObject({ version: '1.0.0' });
  expect(await catalog.resolve('critic', { loaded })).toMatchObject({ version: '1.2.0' });
  expect(await catalog.resolve('judge', { loaded })).toMatchObject({ version: '1.2.0' });
  expect(await codeOf(() => catalog.resolve('judge', { version: '7.0.0' }))).toBe(
    'runtime/version-not-found',
  );
});

test.each(['https://modules.example/', 'modules.example', '*', 'null', 'https://*.example'])(
  'the import origin %j is refused at once',
  async (one) => {
    expect(await codeOf(() => new ModuleCatalog({}, { importOrigins: [one] }))).toBe(
      'runtime/import-origin-invalid',
    );
  },
);

test('a runtime loads a file, starts and swaps to what is in it, also of a kind that nobody serves', async () => {
  const runtime = createTestRuntime();
  const order = ['1.0.0', '1.1.0', '1.2.0', '2.0.0-beta.1', '9.0.0-construct.1'];
  expect(await runtime.load('critic', `${origin}/other.js`)).toEqual(order);
  expect(await runtime.versions('critic')).toEqual(order);
  const newest = await runtime.start('critic', { id: 'n' });
  expect(newest.version).toBe('1.2.0');
  runtime.killWorkerOf('n');
  expect(await newest.call({}, { isIdempotent: true })).toEqual({ version: '1.2.0', count: 0 });
  const old = await runtime.start('critic', { version: '1.0.0' });
  expect(await old.swap({ url: `${origin}/other.js` })).toEqual({ from: '1.0.0', to: '1.2.0' });
  expect(await old.rollback()).toEqual({ from: '1.2.0', to: '1.0.0' });
  expect(await codeOf(() => runtime.start('judge' as 'critic'))).toBe('actor/kind-not-found');
  await runtime.load('judge', `${origin}/kind.js`);
  const judge = await runtime.start('judge' as 'critic');
  expect([judge.kind, judge.version, await runtime.versions('judge')]).toEqual(['judge', '1.0.0', ['1.0.0']]);
});

test('a file that was refused is named, and the module that should have taken it serves on', async () => {
  const critic = await createTestRuntime().start('critic', { version: '1.0.0' });
  for (const url of ['data:text/javascript,', 'https://elsewhere.example/critic.js', `${origin}/throws.js`]) {
    const code = url.startsWith(origin) ? 'runtime/module-load-failed' : 'runtime/module-url-refused';
    await expect(critic.swap({ url })).rejects.toMatchObject({ code, fields: { url } });
  }
  expect(await critic.call({ by: 1 })).toEqual({ version: '1.0.0', count: 2 });
});

/** A file that comes when the test lets it. */
function createHeldImport(): {
  readonly importModule: (url: string) => Promise<unknown>;
  readonly end: (fails: boolean) => void;
} {
  let end: (fails: boolean) => void = () => undefined;
  const importing = new Promise((resolve, reject) => {
    end = (fails) => (fails ? reject(new SyntaxError('Unexpected token')) : resolve({ Other }));
  });
  return { importModule: () => importing, end: (fails) => end(fails) };
}

test.each([
  [false, '1.2.0'],
  [true, '1.0.0'],
])(
  'what comes while a swap waits for its file has its turn afterwards, in order (the file fails: %s)',
  async (fails, version) => {
    const held = createHeldImport();
    const runtime = createTestRuntime({ moduleImport: { importOrigins, importModule: held.importModule } });
    const critic = await runtime.start('critic', { version: '1.0.0' });
    const draining = critic.call({ gate: 'held' });
    await turn();
    const swap = codeOf(() => critic.swap({ url: `${origin}/other.js` }));
    const order: string[] = [];
    const later = ['first', 'second', 'third'].map(async (name) => {
      const reply = await critic.call({ by: 1 });
      order.push(name);
      return reply;
    });
    const write = critic.parameters.note.set('note', { level: 'memory' });
    const abort = new AbortController();
    const cancelled = codeOf(() => critic.call({ by: 100 }, { signal: abort.signal }));
    await turn();
    expect(order).toEqual([]);
    abort.abort();
    expect(await cancelled).toBe('port/cancelled');
    gates.get('held')?.();
    expect(await draining).toMatchObject({ version: '1.0.0' });
    held.end(fails);
    expect(await swap).toBe(fails ? 'runtime/module-load-failed' : 'resolved');
    const replies = await Promise.all(later);
    expect(replies.map((reply) => reply.version)).toEqual([version, version, version]);
    expect(order).toEqual(['first', 'second', 'third']);
    await write;
    expect(await critic.parameters.count.get()).toBe(6);
    expect(await critic.parameters.note.get()).toBe('note');
  },
);

test('a swap that waits for its file holds back no more than the mailbox takes', async () => {
  const held = createHeldImport();
  const runtime = createTestRuntime({
    moduleImport: { importOrigins, importModule: held.importModule },
    actorLimits: { maxMailbox: 3 },
  });
  const critic = await runtime.start('critic', { version: '1.0.0' });
  const swap = codeOf(() => critic.swap({ url: `${origin}/other.js` }));
  const calls = Array.from({ length: 4 }, () => codeOf(() => critic.call({})));
  await turn();
  held.end(false);
  expect(await swap).toBe('resolved');
  expect(await Promise.all(calls)).toEqual([
    'resolved',
    'resolved',
    'actor/mailbox-full',
    'actor/mailbox-full',
  ]);
});

test('a swap whose caller has gone does not happen; a module that is stopped meanwhile stays stopped', async () => {
  const held = createHeldImport();
  const runtime = createTestRuntime({ moduleImport: { importOrigins, importModule: held.importModule } });
  const critic = await runtime.start('critic', { version: '1.0.0' });
  const gone = codeOf(() => critic.swap({ url: `${origin}/other.js` }, { timeoutMs: 5 }));
  expect(await gone).toBe('port/timeout');
  held.end(false);
  await turn();
  expect(await critic.call({})).toMatchObject({ version: '1.0.0' });
  expect(critic.version).toBe('1.0.0');

  const again = createHeldImport();
  const second = createTestRuntime({ moduleImport: { importOrigins, importModule: again.importModule } });
  const stopped = await second.start('critic', { version: '1.0.0' });
  const swap = codeOf(() => stopped.swap({ url: `${origin}/other.js` }));
  await turn();
  await stopped.stop();
  again.end(false);
  expect(await swap).toMatch(/^(actor\/peer-died|runtime\/module-stopped)$/u);
  expect(stopped.version).toBe('1.0.0');
});

test('a parameter that both versions share stays itself', async () => {
  const shared = new Parameter({ type: 'number', value: 1, name: 'shared' });
  class First extends Module<null, number> {
    static readonly version: string = '1.0.0';
    readonly shared = shared;
    override forward(): Promise<number> {
      this.shared.set(this.shared.value + 1);
      return Promise.resolve(this.shared.value);
    }
  }
  class Second extends First {
    static override readonly version = '2.0.0';
  }
  await using runtime = createRuntime({ modules: { sharing: [First, Second] } });
  const sharing = await runtime.start('sharing', { version: '1.0.0' });
  await sharing.swap({ version: '2.0.0' });
  expect(await sharing.call(null)).toBe(2);
  expect(await sharing.parameters.shared.get()).toBe(2);
});
