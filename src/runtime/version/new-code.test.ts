/** New code that comes beside something else. */
import { afterEach, expect, test, vi } from 'vitest';
import { Module } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import { ModuleCatalog } from './module-catalog.ts';
import type { Modules } from './module-catalog.ts';
import type { RuntimeOptions } from '../runtime-options.ts';
import type { Runtime } from '../runtime.ts';
import { Critic } from '../sub-module/sub-module-test-modules.ts';
import { Critic_1_2 } from '../swap/swap-test-file.ts';
import { Critic_1_0, swapModules } from '../swap/swap-test-modules.ts';
import { codeOf, runtimesOf, turn } from '../runtime-test-scene.ts';

const origin = 'https://own.example';

const create = runtimesOf<Modules>({ poolSize: 1 });
const createTestRuntime = (modules: Modules, options: RuntimeOptions<Modules> = {}): Runtime =>
  create({ modules, ...options });

afterEach(() => {
  vi.restoreAllMocks();
});

test('an edit that comes while a program starts is taken when it serves', async () => {
  const attached = vi.spyOn(ModuleCatalog.prototype, 'attachPage');
  const store = new Proxy(createMemoryStore() as Store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const call = value.bind(target) as (...given: unknown[]) => unknown;
      if (name !== 'get') return call;
      return async (key: readonly string[]) => {
        if (key[1] === 'p/part') await turn(60);
        return call(key);
      };
    },
  });
  class Old extends Module<object, string> {
    readonly part: Critic = new Critic();
    override forward(): Promise<string> {
      return Promise.resolve('old');
    }
  }
  class New extends Old {
    override forward(): Promise<string> {
      return Promise.resolve('new');
    }
  }
  const runtime = createTestRuntime({ program: Old, critic: Critic }, { store });
  const actors = { part: { kind: 'critic', whenDown: 'fail' } } as const;
  const starting = runtime.start('program', { id: 'p', actors });
  await turn(30);
  const catalog = attached.mock.contexts[0] as ModuleCatalog;
  catalog.update({ program: Old, critic: Critic });
  catalog.update({ program: New, critic: Critic });
  const module = await starting;
  await expect.poll(() => module.call({})).toBe('new');
});

class Other extends Critic_1_2 {}
const moduleImport = {
  importOrigins: [origin],
  importModule: (url: string) => Promise.resolve(url.endsWith('x.js') ? { Critic_1_2 } : { Other }),
};

test('of two files of one version that are loaded at once the second is refused', async () => {
  const runtime = createTestRuntime(swapModules, { poolSize: 2, moduleImport });
  await runtime.start('critic', { version: '1.0.0' });
  const both = ['x.js', 'y.js', 'x.js'].map((file) => codeOf(runtime.load('critic', `${origin}/${file}`)));
  expect(await Promise.all(both)).toEqual(['resolved', 'runtime/version-invalid', 'resolved']);
});

test('of two modules that are swapped at once to files of one version the second stays as it was', async () => {
  const runtime = createTestRuntime(swapModules, { poolSize: 2, moduleImport });
  const start = (): Promise<unknown> => runtime.start('critic', { version: '1.0.0', isolation: 'dedicated' });
  const [one, two] = (await Promise.all([start(), start()])) as Awaited<ReturnType<Runtime['start']>>[];
  const both = [one!.swap({ url: `${origin}/x.js` }), two!.swap({ url: `${origin}/y.js` })];
  expect(await Promise.all(both.map(codeOf))).toEqual(['resolved', 'runtime/version-invalid']);
  expect([one!.version, two!.version]).toEqual(['1.2.0', '1.0.0']);
});

test('a swap does not wait longer than its limit for a file that another one reads', async () => {
  const importModule = (): Promise<unknown> => new Promise(() => undefined);
  const limits = { importTimeoutMs: 300 };
  const runtime = createTestRuntime(swapModules, {
    poolSize: 2,
    moduleImport: { importOrigins: [origin], importModule },
    limits,
  });
  const module = await runtime.start('critic', { version: '1.0.0' });
  const loading = codeOf(runtime.load('critic', `${origin}/x.js`));
  const swap = module.swap({ url: `${origin}/y.js` }, { timeoutMs: 20 });
  expect(await codeOf(swap)).toBe('port/timeout');
  expect(await loading).toBe('runtime/module-load-failed');
});

test('what is served anew says from where files may come', async () => {
  const given = { importOrigins: [origin], importModule: () => Promise.resolve({ Critic_1_2 }) };
  const catalog = new ModuleCatalog({ critic: Critic_1_0 });
  expect(await codeOf(catalog.load('critic', `${origin}/x.js`))).toBe('runtime/module-url-refused');
  catalog.update({ critic: Critic_1_0 }, given);
  expect(await codeOf(catalog.load('critic', `${origin}/x.js`))).toBe('resolved');
  catalog.update({ critic: Critic_1_0 });
  expect(await codeOf(catalog.load('critic', `${origin}/z.js`))).toBe('runtime/module-url-refused');
});
