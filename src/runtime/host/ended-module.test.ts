import { afterEach, expect, test, vi } from 'vitest';
import type { CodedError } from '../../base/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import { createRuntime } from '../runtime.ts';
import type { RuntimeOptions } from '../runtime-options.ts';
import type { Runtime } from '../runtime.ts';
import { subModuleTestModules } from '../sub-module/sub-module-test-modules.ts';

class Level extends Module<null, number> {
  readonly level: Parameter<number> = new Parameter({
    type: 'number',
    value: 0,
    constraints: { min: 0, max: 1000 },
  });

  override async forward(): Promise<number> {
    return this.level.value;
  }
}

const modules = { level: Level };
const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
});

/** A store whose commits wait while the test holds them. */
class SlowStore {
  readonly store: Store;
  readonly #memory: Store = createMemoryStore();
  #gate: Promise<void> | undefined;

  constructor() {
    this.store = new Proxy(this.#memory, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (name !== 'commit' && name !== 'commitEach') return value.bind(target);
        return async (...given: unknown[]): Promise<unknown> => {
          await this.#gate;
          return value.apply(target, given);
        };
      },
    });
  }

  hold(): () => void {
    let open: () => void = () => undefined;
    this.#gate = new Promise((resolve) => {
      open = () => {
        this.#gate = undefined;
        resolve();
      };
    });
    return open;
  }

  async level(id: string): Promise<number | undefined> {
    const stored = await this.#memory.get<{ state: { value: number } }>(['module', id, 'parameter', 'level']);
    return stored?.value.state.value;
  }

  async mode(id: string): Promise<string | undefined> {
    return (await this.#memory.get<{ state: { mode: string } }>(['module', id, 'meta']))?.value.state.mode;
  }
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'fulfilled',
    (error: CodedError) => error.code,
  );

const turns = (ms = 20): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type TestRuntime = Runtime<typeof modules>;

function open(options: RuntimeOptions<typeof modules> = {}): {
  readonly slow: SlowStore;
  readonly page: TestRuntime;
} {
  const slow = new SlowStore();
  const page = createRuntime({ modules, store: slow.store, ...options });
  opened.push(page);
  return { slow, page };
}

test('a handle of a module that was stopped writes nothing over the one that came after it', async () => {
  const { slow, page } = open();
  const first = await page.start('level', { id: 'x' });
  await first.parameters.level.set(1);
  await first.stop();
  const second = await page.start('level', { id: 'x' });
  await second.parameters.level.set(50);
  expect(await codeOf(first.parameters.level.set(60))).toBe('runtime/module-stopped');
  expect(await codeOf(first.setParameters({ level: 61 }))).toBe('runtime/module-stopped');
  expect(await codeOf(first.setParameters({ level: 62 }, { level: 'memory' }))).toBe(
    'runtime/module-stopped',
  );
  await turns();
  expect(await slow.level('x')).toBe(50);
  expect(second.parameters.level.value).toBe(50);
});

test('a change of two modules that waited is made of neither when one was stopped and started meanwhile', async () => {
  const same = { name: 'same', compile: async <T>(student: T): Promise<T> => student };
  const { slow, page } = open({ optimizers: { same: same as never } });
  const a = await page.start('level', { id: 'a' });
  const b = await page.start('level', { id: 'b' });
  await a.parameters.level.set(1);
  await b.parameters.level.set(1);
  await turns(350);
  const release = slow.hold();
  // while the outcome of a compilation is committed, changes of the module wait
  const compiling = b.compile({ optimizer: 'same', trainset: [] });
  await turns(30);
  const changing = codeOf(
    page.setParameters([
      [a, { level: 50 }],
      [b, { level: 50 }],
    ]),
  );
  await turns();
  await a.stop();
  const again = await page.start('level', { id: 'a' });
  const setting = again.parameters.level.set(99);
  await turns();
  release();
  await Promise.all([setting, compiling]);
  expect(await changing).toBe('runtime/module-stopped');
  await turns();
  expect([again.parameters.level.value, await slow.level('a')]).toEqual([99, 99]);
  expect([b.parameters.level.value, await slow.level('b')]).toEqual([1, 1]);
});

test('a checkpoint that ends after its module was stopped leaves the mode of the one after it', async () => {
  const { slow, page } = open();
  const first = await page.start('level', { id: 'x' });
  await first.parameters.level.set(1);
  await turns(350);
  const release = slow.hold();
  const saving = first.checkpoint();
  await turns();
  await first.stop();
  const second = await page.start('level', { id: 'x' });
  const training = second.train();
  await turns();
  release();
  await Promise.all([saving, training]);
  await turns();
  expect(await slow.mode('x')).toBe('train');
});

test('a start that was overtaken by a stop leaves the next start alone', async () => {
  const { slow, page } = open();
  const shared = await page.shared('limit', { type: 'number', value: 5 });
  await page.start('level', { id: 'other', shared: { level: 'limit' } });
  const release = slow.hold();
  const setting = shared.set(7);
  await turns();
  const overtaken = codeOf(page.start('level', { id: 'x', shared: { level: 'limit' } }));
  await turns();
  await page.registry.stop('x');
  expect(await overtaken).toBe('runtime/module-stopped');
  const second = await page.start('level', { id: 'x' });
  release();
  await setting;
  await turns();
  expect(page.registry.get('x').status).toBe('running');
  expect(await second.call(null)).toBe(0);
});

test('what was being written when a module crashed is what the next one starts from', async () => {
  const { slow, page } = open();
  const first = await page.start('level', { id: 'x', restart: 'temporary' });
  await first.parameters.level.set(1);
  const release = slow.hold();
  const setting = first.parameters.level.set(5);
  await turns();
  page.killWorkerOf('x');
  await vi.waitFor(() => expect(page.registry.get('x').status).toBe('crashed'));
  const starting = page.start('level', { id: 'x' });
  await turns();
  release();
  await setting;
  const second = await starting;
  expect([second.parameters.level.value, await second.parameters.level.get()]).toEqual([5, 5]);
  expect(await slow.level('x')).toBe(5);
});

test('a module with parts can be started again as soon as its crash is told', async () => {
  const page = createRuntime({ modules: subModuleTestModules });
  opened.push(page);
  const again: Promise<string>[] = [];
  page.registry.watch('p', ({ type }) => {
    if (type === 'module-crash' && again.length === 0) again.push(codeOf(page.registry.start('p')));
  });
  await page.start('pipeline', {
    id: 'p',
    restart: 'temporary',
    isolation: 'dedicated',
    actors: { critic: { kind: 'critic', isolation: 'dedicated', whenDown: 'fail', shutdownMs: 20 } },
  });
  void codeOf(page.module('p').call({ ask: 'deaf' }));
  await turns();
  page.killWorkerOf('p');
  await vi.waitFor(() => expect(again).toHaveLength(1));
  expect(await again[0]).toBe('fulfilled');
  expect(page.registry.get('p').status).toBe('running');
});

test('a store that never answers does not keep the id of a module that was stopped', async () => {
  const { slow, page } = open({ limits: { endTimeoutMs: 50 } });
  const first = await page.start('level', { id: 'x' });
  await first.parameters.level.set(1);
  await turns(350);
  const release = slow.hold();
  const setting = first.parameters.level.set(5);
  await turns();
  await first.stop();
  const second = await page.start('level', { id: 'x' });
  expect(second.parameters.level.value).toBe(1);
  expect(await codeOf(first.parameters.level.set(6))).toBe('runtime/module-stopped');
  release();
  await setting;
});

test('what was acknowledged in memory outlives a neighbour that makes the supervisor give up', async () => {
  const { page } = open();
  const neighbour = await page.start('level', { id: 'n', isolation: 'dedicated' });
  const other = await page.start('level', { id: 'o', isolation: 'dedicated' });
  await neighbour.parameters.level.set(3);
  await neighbour.parameters.level.set(77, { level: 'memory' });
  await neighbour.train('memory');
  await other.setParameters({ level: 78 }, { level: 'memory' });
  await page.start('level', { id: 'x', isolation: 'dedicated' });
  for (let kill = 0; kill < 4; kill++) {
    page.killWorkerOf('x');
    await turns(30);
  }
  expect(page.registry.get('n').crash?.code).toBe('actor/supervisor-gave-up');
  const again = await page.start('level', { id: 'n' });
  expect([again.parameters.level.value, again.mode]).toEqual([77, 'train']);
  expect((await page.start('level', { id: 'o' })).parameters.level.value).toBe(78);
});

test('what was acknowledged in memory outlives a crash that is final, and a stop', async () => {
  const { slow, page } = open();
  const first = await page.start('level', { id: 'x', restart: 'temporary' });
  await first.parameters.level.set(4, { level: 'memory' });
  expect(await slow.level('x')).toBeUndefined();
  page.killWorkerOf('x');
  await vi.waitFor(() => expect(page.registry.get('x').status).toBe('crashed'));
  const second = await page.start('level', { id: 'x' });
  expect(second.parameters.level.value).toBe(4);
  await second.parameters.level.set(5, { level: 'memory' });
  await second.stop();
  expect(await slow.level('x')).toBe(5);
  await page.start('level', { id: 'quiet' });
  await page.registry.stop('quiet');
  expect(await slow.mode('quiet')).toBeUndefined();
});
