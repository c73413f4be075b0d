/** What happens to a compilation when the store is slow, silent, or busy with something else. */
import { afterEach, expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import type { ModuleState } from '../../program/index.ts';
import { createMemoryStore, loadRecord } from '../../state/index.ts';
import type { GroupOutcome, Store } from '../../state/index.ts';
import { examples, qaModules, testMetrics, testOptimizers } from './compile-test-tools.ts';
import type { Qa } from './compile-test-tools.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import type { StoredParameter } from '../parameter/parameter-record.ts';
import type { RuntimeOptions } from '../runtime-options.ts';
import { createRuntime } from '../runtime.ts';

const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const runtime of open.splice(0).toReversed()) await runtime[Symbol.asyncDispose]();
});

async function start(options: RuntimeOptions<typeof qaModules>): Promise<ModuleHandle<Qa>> {
  const runtime = createRuntime({
    modules: qaModules,
    optimizers: testOptimizers,
    metrics: testMetrics,
    ...options,
  });
  open.push(runtime);
  // an optimizer that hears nothing needs all of its time to stop
  return runtime.start('qa', { id: 'qa', shutdownMs: 200 });
}

type CommitEach = Store['commitEach'];

/** A store whose commits are what `around` makes of them. */
function createStore(
  around: (commit: () => ReturnType<CommitEach>, keys: readonly string[]) => ReturnType<CommitEach>,
): Store {
  return new Proxy(createMemoryStore(), {
    get(target, name) {
      if (name === 'commitEach') {
        const commitEach: CommitEach = (groups, options) =>
          around(
            () => target.commitEach(groups, options),
            groups.flat().map(({ key }) => key.join('/')),
          );
        return commitEach;
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** A store that holds its commits back from when it is told to until it is let go. */
function createSlowStore(): { readonly store: Store; readonly hold: () => () => void } {
  let gate: Promise<void> = Promise.resolve();
  return {
    store: createStore((commit) => gate.then(commit)),
    hold: () => {
      let letGo = (): void => undefined;
      gate = new Promise((resolve) => (letGo = resolve));
      return () => {
        gate = Promise.resolve();
        letGo();
      };
    },
  };
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
};

interface Program {
  readonly limit: unknown;
  readonly demos: unknown;
  readonly mode: unknown;
  readonly compiled: unknown;
}

const programOf = ({ parameters, predictors, mode, compiled }: ModuleState, limit: unknown): Program => ({
  limit: limit ?? parameters.limit?.value,
  demos: predictors.answer?.demos.length ?? 0,
  mode,
  compiled,
});

/** The same program in worker, journal and store, or the test fails. */
async function programEverywhere(qa: ModuleHandle<Qa>, store: Store): Promise<Program> {
  const { id } = await qa.checkpoint();
  await turns();
  const worker = (await loadRecord<ModuleState>(store, 'module/qa', Number(id)))!.state;
  const meta = await store.get<{ state: ModuleState }>(['module', 'qa', 'meta']);
  const stored = await store.get<StoredParameter>(['module', 'qa', 'parameter', 'limit']);
  const program = programOf(worker, undefined);
  expect(programOf(qa.record().recovery.state!, undefined)).toEqual(program);
  expect(programOf(meta!.value.state, stored?.value.state.value ?? 3)).toEqual(program);
  return program;
}

const tune = { optimizer: 'tune', trainset: [], options: { limit: 7, freeze: true } };
const fewShot = { optimizer: 'labeled-few-shot', trainset: examples(4), options: { k: 2 } };

test('the mode that is set while a compilation is committed does not take it back', async () => {
  const { store, hold } = createSlowStore();
  const qa = await start({ store });
  const letGo = hold();
  const compiling = qa.compile(fewShot);
  await turns();
  const training = qa.train();
  const setting = qa.parameters.limit.set(5);
  await turns();
  expect(qa.compilationStatus).toBe('compiling');
  letGo();
  await Promise.all([compiling, training, setting]);
  // before anything else is written
  const meta = await store.get<{ state: ModuleState }>(['module', 'qa', 'meta']);
  expect(programOf(meta!.value.state, 5)).toEqual({ limit: 5, demos: 2, mode: 'train', compiled: [] });
  expect(await programEverywhere(qa, store)).toEqual({ limit: 5, demos: 2, mode: 'train', compiled: [] });
});

test('a checkpoint that is restored while a compilation is committed waits for it, and stays', async () => {
  const { store, hold } = createSlowStore();
  const qa = await start({ store });
  await qa.parameters.limit.set(4);
  const checkpoint = await qa.checkpoint();
  await qa.parameters.limit.set(6);
  const letGo = hold();
  const compiling = qa.compile(tune);
  await turns();
  const restoring = qa.restore(checkpoint);
  await turns();
  letGo();
  await Promise.all([compiling, restoring]);
  const program = await programEverywhere(qa, store);
  expect(program).toEqual({ limit: 4, demos: 0, mode: 'eval', compiled: [] });
});

test('a restore during the work of an optimizer stays, where the optimizer changes nothing', async () => {
  const store = createMemoryStore();
  const qa = await start({ store });
  const checkpoint = await qa.checkpoint();
  await qa.compile(fewShot);
  const stop = new AbortController();
  const waiting = qa.compile({ optimizer: 'waits', trainset: [], signal: stop.signal });
  await qa.restore(checkpoint);
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'port/cancelled' });
  expect(await programEverywhere(qa, store)).toEqual({ limit: 3, demos: 0, mode: 'eval', compiled: [] });
});

test('a cancel that comes when the result is being committed is too late', async () => {
  const { store, hold } = createSlowStore();
  const qa = await start({ store });
  await qa.train();
  const letGo = hold();
  const stop = new AbortController();
  const compiling = qa.compile({ ...tune, signal: stop.signal });
  await turns();
  stop.abort();
  letGo();
  expect(await compiling).toMatchObject({ parameters: ['limit'] });
  expect(qa.compilationStatus).toBe('compiled');
});

test('a store that goes away without a word is written over with what was true', async () => {
  let isSilent = false;
  const store = createStore(async (commit, keys): Promise<readonly GroupOutcome[]> => {
    const outcomes = await commit();
    if (!isSilent || !keys.includes('module/qa/parameter/limit')) return outcomes;
    isSilent = false;
    throw new CodedError('state/write-failed', 'no word', { fields: { outcome: 'unknown' } });
  });
  const qa = await start({ store });
  await qa.setParameters({ limit: 4 });
  await qa.compile(tune);
  const before = await programEverywhere(qa, store);
  isSilent = true;
  await expect(qa.compile({ ...tune, options: { limit: 9 } })).rejects.toMatchObject({
    code: 'state/write-failed',
  });
  expect(qa.compilationStatus).toBe('failed');
  await turns();
  expect(await programEverywhere(qa, store)).toEqual(before);
});

test('a compilation without a limit of its own ends at the default one', async () => {
  const qa = await start({ limits: { compileTimeoutMs: 20 } });
  await expect(qa.compile({ optimizer: 'deaf', trainset: [] })).rejects.toMatchObject({
    code: 'port/timeout',
  });
  const limits = { compileTimeoutMs: 20 };
  const patient = await start({ limits, store: createMemoryStore() });
  await expect(patient.compile({ optimizer: 'waits', trainset: [], timeoutMs: 60 })).rejects.toMatchObject({
    code: 'port/timeout',
    fields: { timeoutMs: 60 },
  });
});
