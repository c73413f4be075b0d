import { expect, test } from 'vitest';
import { CodedError, isCodedError } from '../../base/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import type { Run } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import { createHub } from '../../telemetry/index.ts';
import { Counter } from '../runtime-test-modules.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import { runtimesOf, turn } from '../runtime-test-scene.ts';

/** Sets its label whenever its total changes. */
class Linked extends Counter {
  constructor() {
    super();
    this.total.subscribe(({ newValue }) => this.label.set(`total ${newValue}`, 'linked'));
  }
}

/** Changes before anybody could ask it to. */
class Hasty extends Module<null, number> {
  readonly total: Parameter<number> = new Parameter({ type: 'number', value: 0 });

  constructor() {
    super();
    void Promise.resolve().then(() => this.total.set(5));
  }

  override forward(): Promise<number> {
    return Promise.resolve(this.total.value);
  }
}

/** Never answers by itself. */
class Patient extends Module<null, null> {
  override forward(_input: null, { signal }: Run): Promise<null> {
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
    );
  }
}

const modules = { counter: Counter, linked: Linked, hasty: Hasty, patient: Patient };

const createTestRuntime = runtimesOf({ modules });

const settled = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

async function wait(microtasks: number): Promise<void> {
  for (let waited = 0; waited < microtasks; waited++) await Promise.resolve();
}

const isStopped = (handle: unknown): boolean => (handle as { status: string }).status === 'stopped';
const actorsOf = (runtime: Runtime<typeof modules>): string[] =>
  runtime.inspect().workers.flatMap(({ actors }) => actors);

/** A store whose reads wait until they are let go. */
function createSlowStore(): { readonly store: Store; readonly letGo: () => void } {
  let letGo = (): void => undefined;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const store = new Proxy(createMemoryStore(), {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === 'get') return (...args: unknown[]) => gate.then(() => target.get(...(args as [never])));
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { store, letGo };
}

test('closing ends a start that is under way, waits for it, and refuses more', async () => {
  const { store, letGo } = createSlowStore();
  const runtime = createTestRuntime({ store });
  const starting = settled(runtime.start('counter', { id: 'c' }));
  await turn();
  const closing = runtime.close();
  letGo();
  expect(await starting).toMatchObject({ code: 'runtime/module-stopped' });
  await closing;
  expect(runtime.inspect()).toMatchObject({ modules: [], workers: [] });
  await expect(runtime.start('counter')).rejects.toMatchObject({ code: 'runtime/closed' });
});

async function closeDuringStart(microtasks: number): Promise<object> {
  const runtime = createRuntime({ modules });
  const starting = settled(runtime.start('counter', { id: 'c' }));
  await wait(microtasks);
  await runtime.close();
  const outcome = await starting;
  await turn();
  const { modules: left, workers } = runtime.inspect();
  return { microtasks, left, workers, isOver: isCodedError(outcome) || isStopped(outcome) };
}

test('a runtime that is closed at any moment of a start leaves nothing behind', async () => {
  for (let microtasks = 0; microtasks < 60; microtasks += 3) {
    const expected = { microtasks, left: [], workers: [], isOver: true };
    expect(await closeDuringStart(microtasks)).toEqual(expected);
  }
});

test('of two starts of one id at once, one wins; while it starts nobody gets a handle', async () => {
  const runtime = createTestRuntime();
  const outcomes = ['counter', 'linked', 'counter'].map((kind) =>
    settled(runtime.start(kind as 'counter', { id: 'c' })),
  );
  expect(() => runtime.module('c')).toThrow(
    expect.objectContaining({ code: 'runtime/module-not-found' }) as Error,
  );
  const codes = (await Promise.all(outcomes)).map((one) => (isCodedError(one) ? one.code : 'started'));
  expect(codes).toEqual(['started', 'runtime/module-already-running', 'runtime/module-already-running']);
  expect(runtime.module('c').kind).toBe('counter');
});

/** A start whose worker is lost may fail; the next start must not. */
async function loseWorkerDuringStart(microtasks: number): Promise<object> {
  const runtime = createTestRuntime();
  const starting = settled(runtime.start('counter', { id: 'c' }));
  await wait(microtasks);
  runtime.killWorkerOf('c');
  const outcome = await starting;
  const code = isCodedError(outcome) ? outcome.code : undefined;
  const isAllowed = code === undefined || ['actor/peer-died', 'actor/start-failed'].includes(code);
  if (code !== undefined) await runtime.start('counter', { id: 'c' });
  await turn();
  const answer = await runtime.module('c').call({ by: 2 });
  await runtime.module('c').stop();
  return { microtasks, isAllowed, answer, left: actorsOf(runtime) };
}

test('a worker that is lost at any moment of a start: a typed error or a module that serves, and a free id', async () => {
  for (let microtasks = 0; microtasks < 80; microtasks += 2) {
    const expected = { microtasks, isAllowed: true, answer: { total: 2 }, left: [] };
    expect(await loseWorkerDuringStart(microtasks)).toEqual(expected);
  }
});

async function giveUpDuringStart(microtasks: number): Promise<object> {
  const runtime = createTestRuntime({ restartLimits: { maxRestarts: 0, maxSeconds: 5 } });
  await runtime.start('counter', { id: 'doomed', isolation: 'dedicated' });
  const starting = settled(runtime.start('counter', { id: 'late', isolation: 'dedicated' }));
  await wait(microtasks);
  runtime.killWorkerOf('doomed');
  const outcome = await starting;
  await turn();
  const hasStarted = !isCodedError(outcome) && (outcome as { status: string }).status === 'running';
  const isListed = runtime.inspect().modules.some(({ status }) => status === 'running');
  runtime.killWorkerOf('late');
  await turn();
  const { modules: left } = runtime.inspect();
  return { microtasks, isHonest: hasStarted === isListed, left, actors: actorsOf(runtime) };
}

test('a supervisor that gives up at any moment of a start leaves no module unwatched', async () => {
  for (let microtasks = 0; microtasks < 80; microtasks += 2) {
    const expected = { microtasks, isHonest: true, left: [], actors: [] };
    expect(await giveUpDuringStart(microtasks)).toEqual(expected);
  }
});

test('an id is free when its module has stopped, not before; stopping twice waits for the same end', async () => {
  const runtime = createTestRuntime();
  const first = await runtime.start('counter', { id: 'c' });
  const stopping = [first.stop(), first.stop()];
  await expect(runtime.start('counter', { id: 'c' })).rejects.toMatchObject({
    code: 'runtime/module-already-running',
  });
  await Promise.all(stopping);
  expect(actorsOf(runtime)).toEqual([]);
  const second = await runtime.start('counter', { id: 'c' });
  await first.stop();
  expect(second.status).toBe('running');
});

test('a temporary module that is lost has ended for good, and its id is free', async () => {
  const runtime = createTestRuntime();
  const first = await runtime.start('counter', { id: 'c', restart: 'temporary' });
  const pending = settled(first.parameters.total.get());
  runtime.killWorkerOf('c');
  expect(await pending).toMatchObject({ code: 'actor/peer-died' });
  expect(first.status).toBe('crashed');
  await expect(first.call({ by: 1 })).rejects.toMatchObject({ code: 'actor/peer-died' });
  expect((await runtime.start('counter', { id: 'c' })).status).toBe('running');
});

test('what a module changes by itself while the page sets something is known to the page, and survives too', async () => {
  const runtime = createTestRuntime();
  const linked = await runtime.start('linked', { id: 'l' });
  await linked.parameters.total.set(7, { level: 'memory' });
  await turn();
  expect(linked.parameters.label.value).toBe('total 7');
  runtime.killWorkerOf('l');
  expect(await linked.parameters.total.get()).toBe(7);
  expect(await linked.parameters.label.get()).toBe('total 7');
});

test('what a module changes before it was introduced is in its introduction', async () => {
  const hasty = await createTestRuntime().start('hasty');
  expect(await hasty.call(null)).toBe(5);
  expect(hasty.parameters.total.value).toBe(5);
});

test('open calls are counted until they end, however they end', async () => {
  const runtime = createTestRuntime();
  const patient = await runtime.start('patient', { id: 'p' });
  const openCalls = (): number | undefined => runtime.inspect().modules[0]?.openCalls;
  expect(openCalls()).toBe(0);
  const abort = new AbortController();
  const cancelled = settled(patient.call(null, { signal: abort.signal }));
  const late = settled(patient.call(null, { timeoutMs: 20 }));
  expect(openCalls()).toBe(2);
  expect(await late).toMatchObject({ code: 'port/timeout' });
  expect(openCalls()).toBe(1);
  abort.abort();
  expect(await cancelled).toMatchObject({ code: 'port/cancelled' });
  expect(openCalls()).toBe(0);
});

test('a status listener that throws hinders no restart', async () => {
  const runtime = createTestRuntime();
  const counter = await runtime.start('counter', { id: 'c' });
  counter.onStatus(() => {
    throw new CodedError('runtime/asked-to-throw', 'as asked');
  });
  runtime.killWorkerOf('c');
  expect(await counter.call({ by: 1 })).toEqual({ total: 1 });
});

test('a closed runtime leaves no listener on the hub it was given', async () => {
  const hub = createHub();
  const runtime = createTestRuntime({ hub });
  await runtime.start('counter');
  await runtime.close();
  expect(hub.isActive).toBe(false);
});
