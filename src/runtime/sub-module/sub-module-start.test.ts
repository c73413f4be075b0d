/** Parts that end for good while the program around them starts, or starts again. */
import { afterEach, expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { sleep, systemClock } from '../../platform/index.ts';
import { Module } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import { codeOf } from './sub-module-test-scene.ts';

const faults = { areOn: false };

class Part extends Module<null, string> {
  constructor() {
    super();
    if (faults.areOn) throw new CodedError('runtime/asked-to-throw', 'as asked');
  }

  override forward(): Promise<string> {
    return Promise.resolve('done');
  }
}

class Other extends Module<null, string> {
  override forward(): Promise<string> {
    return Promise.resolve('done');
  }
}

class Program extends Module<null, string> {
  readonly first: Other = new Other();
  readonly second: Other = new Other();

  override async forward(): Promise<string> {
    return `${await this.first.call(null)}, ${await this.second.call(null)}`;
  }
}

const modules = { part: Part, other: Other, program: Program };
const open: Runtime<typeof modules>[] = [];

afterEach(async () => {
  faults.areOn = false;
  for (const runtime of open.splice(0)) await runtime.close();
});

const turn = (ms: number): Promise<void> => sleep(systemClock, ms);

/** What is stored of `id` is read as late as `until` says. */
function slowFor(id: string, until: Promise<void>): Store {
  const memory = createMemoryStore();
  const get: Store['get'] = async (key) => {
    if (key[1] === id) await until;
    return memory.get(key);
  };
  return new Proxy(memory, {
    get: (target, name) => {
      if (name === 'get') return get;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

const actors = {
  first: { kind: 'part', whenDown: 'restart', restart: 'temporary', isolation: 'dedicated' },
  second: { kind: 'other', whenDown: 'restart', isolation: 'dedicated' },
} as const;

/** The first part runs, and the second waits for its state. */
async function startHalf(): Promise<{
  readonly runtime: Runtime<typeof modules>;
  readonly starting: Promise<unknown>;
  readonly goOn: () => void;
}> {
  let goOn = (): void => undefined;
  const store = slowFor('t/second', new Promise((resolve) => (goOn = resolve)));
  const runtime = createRuntime({ modules, store });
  open.push(runtime);
  const starting = runtime.start('program', { id: 't', actors });
  void codeOf(starting);
  await turn(20);
  return { runtime, starting, goOn };
}

test('a part that ends for good while the next one starts runs again before the program serves', async () => {
  const { runtime, starting, goOn } = await startHalf();
  runtime.killWorkerOf('t/first');
  goOn();
  await starting;
  const program = runtime.module('t');
  expect([program.status, program.subModule('first').status]).toEqual(['running', 'running']);
  expect(await program.call(null, { timeoutMs: 500 })).toBe('done, done');
});

test('when it cannot run again, the start fails, and nothing is left of it', async () => {
  const { runtime, starting, goOn } = await startHalf();
  faults.areOn = true;
  runtime.killWorkerOf('t/first');
  goOn();
  await expect(starting).rejects.toMatchObject({
    code: 'runtime/sub-module-down',
    fields: { path: 'first', subModule: 't/first' },
  });
  expect(runtime.inspect().modules).toEqual([]);
  faults.areOn = false;
  await runtime.start('program', { id: 't', actors });
  expect(await runtime.module('t').call(null, { timeoutMs: 500 })).toBe('done, done');
});

test('a part that ends for good at any moment of a restart of the program runs again, and so does the program', async () => {
  for (let microtasks = 0; microtasks <= 60; microtasks += 3) {
    const runtime = createRuntime({ modules });
    open.push(runtime);
    const program = await runtime.start('program', { id: 't', actors });
    runtime.killWorkerOf('t');
    runtime.killWorkerOf('t/second');
    for (let each = 0; each < microtasks; each++) await Promise.resolve();
    runtime.killWorkerOf('t/first');
    const answer = program.call(null, { timeoutMs: 1000, isIdempotent: true });
    // the part may be lost under the call, which is nobody's to repeat
    expect(['answered', 'runtime/sub-module-down']).toContain(await codeOf(answer));
    await expect.poll(() => codeOf(program.call(null, { timeoutMs: 500 }))).toBe('answered');
    expect(program.subModule('first').status).toBe('running');
    await runtime.close();
  }
});
