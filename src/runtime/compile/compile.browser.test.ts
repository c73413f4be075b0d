import { afterEach, expect, test } from 'vitest';
import { scriptedLm } from '../../lm/index.ts';
import { openIndexedDbStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import { examples } from './compile-test-tools.ts';
import type { qaModules } from './compile-test-tools.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';

type TestModules = typeof qaModules;
const open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const resource of open.splice(0).toReversed()) await resource[Symbol.asyncDispose]();
});

const prompts: string[] = [];
const lm = scriptedLm({
  script: ({ messages }) => {
    prompts.push(JSON.stringify(messages));
    return '[[ ## answer ## ]]\nanswer 0\n\n[[ ## completed ## ]]';
  },
});

async function createTestRuntime(name: string): Promise<{ runtime: Runtime<TestModules>; store: Store }> {
  const store = await openIndexedDbStore({ name });
  const runtime = createRuntime<TestModules>({
    worker: (worker) =>
      new Worker(new URL('./compile-test.worker.ts', import.meta.url), { type: 'module', name: worker }),
    actorLimits: { pingIntervalMs: 100, hangTimeoutMs: 500 },
    poolSize: 1,
    store,
    lm,
  });
  open.push(store, runtime);
  return { runtime, store };
}

const storedOf = async (store: Store): Promise<string> => {
  const entries = await store.list<{ state: object }>(['module', 'qa']);
  return JSON.stringify(entries.map(({ key, value }) => [key, value.state]));
};

test('in a worker: compiled, cancelled, killed, hung; what was installed stays, and outlives the page', async () => {
  const name = `compile-${crypto.randomUUID()}`;
  const { runtime, store } = await createTestRuntime(name);
  const qa = await runtime.start('qa', { id: 'qa' });
  await qa.call({ question: 'now?' });
  expect(prompts.at(-1)).not.toContain('question 1');

  const startMs = performance.now();
  const trainset = examples(1000);
  await qa.compile({ optimizer: 'labeled-few-shot', trainset, options: { k: 2, sample: false } });
  console.info(`compiled 1,000 examples in a worker in ${(performance.now() - startMs).toFixed(0)} ms`);
  expect(performance.now() - startMs).toBeLessThan(5000);
  await qa.call({ question: 'now?' });
  expect(prompts.at(-1)).toContain('question 1');

  const state = JSON.stringify(qa.record().recovery.state);
  const stored = await storedOf(store);
  const progress: unknown[] = [];
  const stop = new AbortController();
  const cancelled = qa.compile({
    optimizer: 'waits',
    trainset,
    signal: stop.signal,
    onProgress: (each) => {
      progress.push(each);
      stop.abort();
    },
  });
  await expect(cancelled).rejects.toMatchObject({ code: 'port/cancelled' });
  expect(progress).toMatchObject([{ step: 'wait', done: 0 }]);

  const killed = qa.compile({ optimizer: 'waits', trainset, onProgress: () => runtime.killWorkerOf('qa') });
  await expect(killed).rejects.toMatchObject({ code: 'actor/peer-died' });
  await expect(qa.compile({ optimizer: 'spins', trainset })).rejects.toMatchObject({
    code: 'actor/peer-died',
    fields: { cause: 'hang' },
  });
  expect(qa.compilationStatus).toBe('failed');
  expect(JSON.stringify(qa.record().recovery.state)).toBe(state);
  await qa.call({ question: 'still?' }, { isIdempotent: true });
  expect(prompts.at(-1)).toContain('question 1');
  expect(qa.metrics.restarts).toBe(2);
  expect(await storedOf(store)).toBe(stored);
  await runtime.close();

  const { runtime: second } = await createTestRuntime(name);
  const after = await second.start('qa', { id: 'qa' });
  expect(after.compilation).toMatchObject({
    status: 'failed',
    optimizer: 'spins',
    error: { code: 'actor/peer-died' },
    installed: { optimizer: 'labeled-few-shot', trainsetEntries: 1000 },
  });
  await after.call({ question: 'and now?' });
  expect(prompts.at(-1)).toContain('question 1');
});
