import { afterEach, expect, test, vi } from 'vitest';
import { Module, Parameter } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import { ModuleCatalog } from '../version/module-catalog.ts';
import type { RuntimeOptions } from '../runtime-options.ts';
import type { Runtime } from '../runtime.ts';
import { runtimesOf, turn } from '../runtime-test-scene.ts';

const gates = new Map<string, () => void>();

interface Task {
  /** Waits for this gate, whatever the signal says. */
  readonly gate?: string;
  readonly sets?: readonly number[];
}

class Deaf extends Module<Task, number> {
  readonly count: Parameter<number> = new Parameter({ type: 'number', value: 0 });

  override async forward({ gate, sets = [] }: Task): Promise<number> {
    if (gate !== undefined) await new Promise<void>((resolve) => gates.set(gate, resolve));
    for (const value of sets) this.count.set(value, 'forward');
    return this.count.value;
  }
}

const modules = { deaf: Deaf };

const createTestRuntime = runtimesOf({ modules, poolSize: 1 });

afterEach(() => {
  vi.restoreAllMocks();
  for (const letGo of gates.values()) letGo();
  gates.clear();
});

async function storedOf(store: Store): Promise<unknown> {
  const found = await store.get<{ readonly state: { readonly value: unknown } }>([
    'module',
    'c',
    'parameter',
    'count',
  ]);
  return found?.value.state.value;
}

/** A module whose forward outlives it, and its successor under the same id in the same worker. */
async function succeedDeaf(
  options: RuntimeOptions<typeof modules>,
): Promise<Awaited<ReturnType<typeof start>>> {
  const runtime = createTestRuntime(options);
  const first = await runtime.start('deaf', { id: 'c', shutdownMs: 10 });
  await runtime.start('deaf', { id: 'neighbour' });
  first.call({ gate: 'g', sets: [7, 8, 9, 10, 11, 666] }).catch(() => undefined);
  await turn();
  await first.stop();
  return start(runtime);
}

const start = (runtime: Runtime<typeof modules>) => runtime.start('deaf', { id: 'c' });

test('what a stopped module left running does not write into its successor: what was acknowledged stays', async () => {
  const store = createMemoryStore();
  const second = await succeedDeaf({ store });
  await second.parameters.count.set(1);
  gates.get('g')?.();
  await turn();
  expect([second.parameters.count.value, await second.parameters.count.get()]).toEqual([1, 1]);
  expect(await storedOf(store)).toBe(1);
  await second.parameters.count.set(2);
  expect([second.parameters.count.value, await second.parameters.count.get()]).toEqual([2, 2]);
  expect(await storedOf(store)).toBe(2);
});

test('what a stopped module left running is no news to whoever watches its successor', async () => {
  const second = await succeedDeaf({});
  const heard: unknown[] = [];
  second.subscribe((change) => heard.push(change));
  gates.get('g')?.();
  await turn();
  expect(heard).toEqual([]);
});

test("news of another start of the same id are not the module's, though they come from its worker", async () => {
  const attach = vi.spyOn(ModuleCatalog.prototype, 'attachPage');
  const runtime = createTestRuntime();
  const module = await runtime.start('deaf', { id: 'c' });
  const tell = attach.mock.calls[0]?.[0];
  expect(tell).toBeDefined();
  await module.parameters.count.set(1);
  const state = { ...module.parameters.count.state, value: 666 };
  const change = { module: 'c', name: 'count', oldValue: 1, cause: 'late', atMs: 1, state, sequence: 99 };
  tell?.('parameter-change', { ...change, incarnation: 0 });
  tell?.('parameter-change', { ...change, incarnation: 2 });
  await turn();
  expect(module.parameters.count.value).toBe(1);
  tell?.('parameter-change', { ...change, incarnation: 1 });
  await turn();
  expect(module.parameters.count.value).toBe(666);
});

test('new code reaches the modules of a worker though the actor that was started last is over', async () => {
  const attach = vi.spyOn(ModuleCatalog.prototype, 'attachPage');
  class Next extends Deaf {
    override async forward(): Promise<number> {
      return -1;
    }
  }
  const runtime = createTestRuntime();
  const module = await runtime.start('deaf', { id: 'c' });
  const last = await runtime.start('deaf', { id: 'last' });
  await last.stop();
  const catalog = attach.mock.contexts[0] as ModuleCatalog;
  catalog.update({ deaf: Next });
  await expect.poll(() => module.call({})).toBe(-1);
});
