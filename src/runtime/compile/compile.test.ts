import { expect, test, vi } from 'vitest';
import { canonicalJson } from '../../base/index.ts';
import type { Json } from '../../base/index.ts';
import { scriptedLm } from '../../lm/index.ts';
import { Example } from '../../program/index.ts';
import type { ModuleState } from '../../program/index.ts';
import { createMemoryStore, loadRecord } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import type { CompileRequest } from './compile-hosted.ts';
import { examples, lingering, qaModules, testMetrics, testOptimizers } from './compile-test-tools.ts';
import type { Qa } from './compile-test-tools.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import { defaultRuntimeLimits } from '../limits.ts';
import type { RuntimeOptions } from '../runtime-options.ts';
import type { Runtime } from '../runtime.ts';
import { runtimesOf } from '../runtime-test-scene.ts';

type Options = RuntimeOptions<typeof qaModules>;

const createTestRuntime = runtimesOf({
  modules: qaModules,
  optimizers: testOptimizers,
  metrics: testMetrics,
});

type Program = Pick<ModuleState, 'parameters' | 'predictors' | 'compiled'>;

/** What a program is made of, as one text; tensors by their numbers. */
function bytesOf({ parameters, predictors, compiled }: Program): string {
  const plain = JSON.stringify({ parameters, predictors, compiled }, (_, value: unknown) =>
    ArrayBuffer.isView(value) ? { numbers: [...(value as Float64Array)] } : value,
  );
  return canonicalJson(JSON.parse(plain) as Json);
}

/** A store that refuses commits while it is told to. */
function createRefusingStore(): { readonly store: Store; readonly control: { isRefusing: boolean } } {
  const control = { isRefusing: false };
  const refuse = (): Promise<never> => Promise.reject(new Error('disk is full'));
  const store = new Proxy(createMemoryStore(), {
    get(target, name) {
      if (control.isRefusing && (name === 'commit' || name === 'commitEach')) return refuse;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { store, control };
}

/** The program in the worker, in the page's journal, in what a restart starts from, and in the store. */
async function everywhere(qa: ModuleHandle<Qa>, store: Store): Promise<Record<string, string>> {
  // a checkpoint is the worker's own word, and not the journal's
  const { id } = await qa.checkpoint();
  const worker = (await loadRecord<ModuleState>(store, `module/${qa.id}`, Number(id)))!.state;
  const { parameters, predictors, recovery } = qa.record();
  const meta = await store.get<{ state: ModuleState }>(['module', qa.id, 'meta']);
  const stored = await store.list(['module', qa.id, 'parameter']);
  const states = stored.map(({ key, value }) => [key.at(-1), (value as { state: unknown }).state]);
  return {
    worker: bytesOf(worker),
    journal: bytesOf({ parameters, predictors, compiled: recovery.state!.compiled }),
    recovery: bytesOf(recovery.state!),
    store: bytesOf({ ...meta!.value.state, parameters: Object.fromEntries(states) as never }),
  };
}

const answering = (): { readonly lm: ReturnType<typeof scriptedLm>; readonly prompts: string[] } => {
  const prompts: string[] = [];
  const lm = scriptedLm({
    script: ({ messages }) => {
      prompts.push(JSON.stringify(messages));
      return '[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\nanswer 0\n\n[[ ## completed ## ]]';
    },
  });
  return { lm, prompts };
};

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'resolved',
    (error: unknown) => (error as { code?: unknown }).code ?? error,
  );

const fewShot: CompileRequest = {
  optimizer: 'labeled-few-shot',
  trainset: examples(8),
  options: { k: 2, sample: false },
};

test('after compiling, a prompt shows examples that it did not show before', async () => {
  const { lm, prompts } = answering();
  const store = createMemoryStore();
  const qa = await createTestRuntime({ lm, store }).start('qa', { id: 'qa' });
  expect(qa.compilationStatus).toBe('not-compiled');
  await qa.call({ question: 'now?' });
  const compiling = qa.compile(fewShot);
  expect(qa.compilationStatus).toBe('compiling');
  const report = await compiling;
  expect(report).toMatchObject({
    optimizer: 'labeled-few-shot',
    trainsetEntries: 8,
    parameters: [],
    predictors: ['answer', 'inner.ask.predict'],
  });
  expect(qa.compilationStatus).toBe('compiled');
  await qa.call({ question: 'now?' });
  expect(prompts[0]).not.toContain('question 1');
  expect(prompts[1]).toContain('question 0');
  expect(prompts[1]).toContain('question 1');
  expect(prompts[1]).not.toContain('question 2');
});

test('what was compiled is there after a restart, and after a reload, with its status', async () => {
  const { lm, prompts } = answering();
  const store = createMemoryStore();
  const first = createTestRuntime({ lm, store });
  const before = await first.start('qa', { id: 'qa' });
  const report = await before.compile(fewShot);
  first.killWorkerOf('qa');
  await before.call({ question: 'now?' }, { isIdempotent: true });
  expect(prompts.at(-1)).toContain('question 1');
  expect(before.metrics.restarts).toBe(1);
  const kept = await everywhere(before, store);
  expect(kept.worker).toBe(kept.journal);
  await first.close();

  const after = await createTestRuntime({ lm, store }).start('qa', { id: 'qa' });
  expect(after.compilation).toMatchObject({ status: 'compiled', installed: report });
  await after.call({ question: 'now?' });
  expect(prompts.at(-1)).toContain('question 1');
  expect(after.record().predictors).toEqual(before.record().predictors);
  expect((await everywhere(after, store)).store).toBe(kept.store);
});

test('an optimizer changes parameters, tensors and frozen modules too; histories say why', async () => {
  const store = createMemoryStore();
  const qa = await createTestRuntime({ store }).start('qa', { id: 'qa' });
  const seen: unknown[] = [];
  qa.subscribe(({ name, newValue, oldValue, cause }) => seen.push([name, oldValue, newValue, cause]));
  const options = { limit: 7, weights: true, freeze: true };
  const report = await qa.compile({ optimizer: 'tune', trainset: [], options });
  expect(report).toMatchObject({ parameters: ['limit', 'weights'], predictors: [] });
  expect(seen).toHaveLength(2);
  expect(seen[0]).toEqual(['limit', 3, 7, 'compile tune']);
  expect(qa.parameters.weights.value).toEqual({ shape: [2], data: new Float64Array([7, 8]) });
  expect(await qa.parameters.weights.get()).toEqual(qa.parameters.weights.value);
  expect(qa.parameters.limit.history.at(-1)).toMatchObject({
    oldValue: 3,
    newValue: 7,
    cause: 'compile tune',
  });
  expect(qa.record().recovery.state?.compiled).toEqual(['self.inner']);
  const { worker, journal } = await everywhere(qa, store);
  expect(worker).toBe(journal);
});

interface Failure {
  readonly request: Partial<CompileRequest>;
  readonly code: unknown;
  /** Runs while it compiles. */
  readonly meanwhile?: (runtime: Runtime<typeof qaModules>, stop: AbortController) => void;
}

const failures: Readonly<Record<string, Failure>> = {
  'a cancel': {
    request: { optimizer: 'waits' },
    code: 'port/cancelled',
    meanwhile: (_, stop) => stop.abort(),
  },
  'a cancel of an optimizer that hears nothing': {
    request: { optimizer: 'deaf' },
    code: 'port/cancelled',
    meanwhile: (_, stop) => stop.abort(),
  },
  'a deadline': { request: { optimizer: 'waits', timeoutMs: 20 }, code: 'port/timeout' },
  'a worker that is lost': {
    request: { optimizer: 'waits' },
    code: 'actor/peer-died',
    meanwhile: (runtime) => runtime.killWorkerOf('qa'),
  },
  'an optimizer that throws': { request: { optimizer: 'throws' }, code: 'port/callee-threw' },
  'a metric that throws': { request: { optimizer: 'judge', metric: 'throws' }, code: 'port/callee-threw' },
  'an optimizer that gives nothing': {
    request: { optimizer: 'gives-nothing' },
    code: 'runtime/compile-result-invalid',
  },
  'an optimizer that gives another program': {
    request: { optimizer: 'gives-other' },
    code: 'runtime/compile-result-invalid',
  },
  'a result beyond a constraint': {
    request: { optimizer: 'tune', options: { limit: 101 } },
    code: 'program/constraint-violated',
  },
  'an unknown optimizer': { request: { optimizer: 'toString' }, code: 'runtime/optimizer-not-found' },
  'an unknown metric': {
    request: { optimizer: 'judge', metric: 'toString' },
    code: 'runtime/metric-not-found',
  },
  'a bad option': { request: { options: { k: -1 } }, code: 'optimize/option-invalid' },
  'an option nobody knows': { request: { options: { seed: 1 } }, code: 'optimize/option-invalid' },
  'an option of the wrong type': { request: { options: { sample: 'yes' } }, code: 'optimize/option-invalid' },
  'options for a ready-made optimizer': {
    request: { optimizer: 'few-shot-made', options: { k: 2 } },
    code: 'optimize/option-invalid',
  },
  'a cancel before it began': {
    request: { optimizer: 'waits', signal: AbortSignal.abort() },
    code: 'port/cancelled',
  },
};

/** A module with something in every place that could change. */
async function startChanged(options: Options): Promise<[Runtime<typeof qaModules>, ModuleHandle<Qa>]> {
  const runtime = createTestRuntime(options);
  // an optimizer that hears nothing needs all of its time to stop
  const qa = await runtime.start('qa', { id: 'qa', shutdownMs: 200 });
  await qa.compile({ ...fewShot, options: { k: 1 } });
  // a parameter that nobody ever set follows its class, times and all
  await qa.setParameters({
    limit: 4,
    label: 'changed',
    weights: { shape: [1], data: new Float64Array([5]) },
  });
  return [runtime, qa];
}

test.each(Object.entries(failures))('%s leaves the old program, byte for byte', async (_, failure) => {
  const { lm } = answering();
  const store = createMemoryStore();
  const hub = createHub();
  const sink = createMemorySink(hub);
  const [runtime, qa] = await startChanged({ lm, store, hub });
  const before = await everywhere(qa, store);
  const stop = new AbortController();
  const { request, code, meanwhile } = failure;
  const asked = { optimizer: 'labeled-few-shot', trainset: examples(8), signal: stop.signal };
  const failed = codeOf(qa.compile({ ...asked, ...request }));
  await new Promise((resolve) => setTimeout(resolve, 5));
  meanwhile?.(runtime, stop);
  expect(await failed).toBe(code);
  expect(qa.compilation).toMatchObject({
    status: 'failed',
    error: { code },
    installed: { trainsetEntries: 8 },
  });
  expect(sink.ofType('compile-fail')).toMatchObject([{ module: 'qa', kind: 'qa', error: { code } }]);
  expect(await everywhere(qa, store)).toEqual(before);
  await runtime.close();
  const after = await createTestRuntime({ lm, store }).start('qa', { id: 'qa' });
  expect(after.compilation).toMatchObject({ status: 'failed', error: { code } });
  expect(await everywhere(after, store)).toEqual(before);
});

test('a store that refuses the commit leaves the old program, byte for byte', async () => {
  const { store, control } = createRefusingStore();
  const [runtime, qa] = await startChanged({ store });
  const before = await everywhere(qa, store);
  control.isRefusing = true;
  for (const request of [fewShot, { optimizer: 'tune', trainset: [], options: { limit: 9, freeze: true } }]) {
    await expect(qa.compile(request)).rejects.toThrow('disk is full');
    expect(qa.compilationStatus).toBe('failed');
  }
  control.isRefusing = false;
  expect(await everywhere(qa, store)).toEqual(before);
  runtime.killWorkerOf('qa');
  expect(await everywhere(qa, store)).toEqual(before);
});

test('forwards are served by the old program while an optimizer works', async () => {
  const { lm, prompts } = answering();
  const qa = await createTestRuntime({ lm }).start('qa');
  const stop = new AbortController();
  const compiling = codeOf(qa.compile({ optimizer: 'waits', trainset: [], signal: stop.signal }));
  for (let call = 0; call < 5; call++) await qa.call({ question: `call ${call}` });
  expect(qa.compilationStatus).toBe('compiling');
  expect(await qa.parameters.limit.get()).toBe(3);
  expect(prompts).toHaveLength(5);
  expect(prompts.join()).not.toContain('half');
  stop.abort();
  expect(await compiling).toBe('port/cancelled');
});

test('what others change meanwhile stays, where the optimizer left it as it was', async () => {
  const { lm } = answering();
  const store = createMemoryStore();
  const qa = await createTestRuntime({ lm, store }).start('qa', { id: 'qa' });
  const compiling = qa.compile({ optimizer: 'judge', metric: 'exact', trainset: examples(3) });
  await qa.parameters.limit.set(5);
  await qa.call({ question: 'q', label: 'from inside' });
  await qa.train();
  await compiling;
  expect([qa.parameters.limit.value, qa.parameters.label.value, qa.mode]).toEqual([
    5,
    'from inside',
    'train',
  ]);
  const { worker, journal, store: stored } = await everywhere(qa, store);
  expect(worker).toBe(journal);
  expect(stored).toContain('from inside');
});

test('a second compilation is refused while one runs, and taken after it', async () => {
  const qa = await createTestRuntime().start('qa', { id: 'qa' });
  const stop = new AbortController();
  const first = codeOf(qa.compile({ optimizer: 'waits', trainset: [], signal: stop.signal }));
  await expect(qa.compile(fewShot)).rejects.toMatchObject({
    code: 'runtime/compile-running',
    fields: { module: 'qa', optimizer: 'waits' },
  });
  expect(qa.compilation.optimizer).toBe('waits');
  stop.abort();
  await first;
  await qa.compile(fewShot);
  expect(qa.compilationStatus).toBe('compiled');
});

test('a page that ends while a program is compiled leaves a status that says so', async () => {
  const store = createMemoryStore();
  const first = createTestRuntime({ store });
  const qa = await first.start('qa', { id: 'qa' });
  const compiling = codeOf(qa.compile({ optimizer: 'waits', trainset: [] }));
  await vi.waitFor(async () => expect(await store.get(['module', 'qa', 'meta'])).toBeDefined());
  // what the store holds at that moment is what the next page finds
  const left = createMemoryStore();
  const entries = await store.list(['module', 'qa']);
  await left.commit(
    entries.map(({ key, value }) => ({ type: 'put', key, value })),
    { durability: 'strict' },
  );
  await first.close();
  expect(await compiling).toBe('actor/peer-died');
  const after = await createTestRuntime({ store: left }).start('qa', { id: 'qa' });
  expect(after.compilation).toMatchObject({
    status: 'failed',
    optimizer: 'waits',
    error: { code: 'runtime/compile-interrupted' },
  });
});

test('a compilation under way is cancelled by a stop, which lets it end, and nothing is left of it', async () => {
  const store = createMemoryStore();
  const hub = createHub();
  const sink = createMemorySink(hub);
  const [runtime, qa] = await startChanged({ store, hub });
  const before = await everywhere(qa, store);
  lingering.length = 0;
  const compiling = codeOf(qa.compile({ optimizer: 'lingers', trainset: [] }));
  await vi.waitFor(() => expect(lingering).toEqual(['begun']));
  const stopping = runtime.registry.stop('qa');
  expect(await compiling).toBe('actor/peer-died');
  // the caller hears at once, the optimizer has its time
  expect(lingering).toEqual(['begun', 'told']);
  expect(await stopping).toEqual({ how: 'graceful' });
  expect(lingering).toEqual(['begun', 'told', 'ended']);
  expect(sink.ofType('compile-fail')).toMatchObject([{ module: 'qa', error: { code: 'actor/peer-died' } }]);
  const again = await runtime.start('qa', { id: 'qa' });
  expect(again.compilation).toMatchObject({
    status: 'failed',
    optimizer: 'lingers',
    error: { code: 'actor/peer-died' },
  });
  expect(await everywhere(again, store)).toEqual(before);
  expect(await codeOf(again.compile(fewShot))).toBe('resolved');
});

test('an optimizer that heeds no stop is dropped when its time is over', async () => {
  const runtime = createTestRuntime();
  const qa = await runtime.start('qa', { id: 'qa', shutdownMs: 20 });
  const compiling = codeOf(qa.compile({ optimizer: 'deaf', trainset: [] }));
  await vi.waitFor(() => expect(qa.compilation.status).toBe('compiling'));
  await qa.parameters.limit.get();
  expect(await runtime.registry.stop('qa')).toMatchObject({ how: 'killed' });
  expect([await compiling, runtime.inspect().modules]).toEqual(['actor/peer-died', []]);
});

test('whoever hears that a compilation has ended finds what came of it', async () => {
  const hub = createHub();
  const qa = await createTestRuntime({ hub }).start('qa', { id: 'qa' });
  const seen: unknown[] = [];
  hub.subscribe(({ type }) => {
    if (type === 'compile-end')
      seen.push([qa.compilationStatus, qa.parameters.limit.value, qa.compilation.installed?.optimizer]);
  });
  await qa.compile({ optimizer: 'tune', trainset: [], options: { limit: 7 } });
  expect(seen).toEqual([['compiled', 7, 'tune']]);
});

test('progress reaches the page at a bounded rate, the newest included, as plain data', async () => {
  const hub = createHub();
  const sink = createMemorySink(hub);
  const qa = await createTestRuntime({ hub }).start('qa', { id: 'qa' });
  const seen: { done: number; step: string }[] = [];
  const startMs = performance.now();
  await qa.compile({ optimizer: 'floods', trainset: [], onProgress: (progress) => seen.push(progress) });
  const allowed = 2 + (performance.now() - startMs) / defaultRuntimeLimits.compileProgressMs;
  expect(seen.length).toBeGreaterThan(1);
  expect(seen.length).toBeLessThanOrEqual(allowed);
  expect(seen.at(-1)).toMatchObject({ done: 100_000 });
  expect(seen[0]?.step).toHaveLength(200);
  expect(sink.ofType('compile-progress')).toHaveLength(seen.length);
  expect(qa.compilation.progress).toEqual(seen.at(-1));
  await qa.compile({
    optimizer: 'says-functions',
    trainset: [],
    onProgress: () => {
      throw new Error('a listener that throws');
    },
  });
  expect(sink.ofType('note').map(({ text }) => text)).toEqual([
    expect.stringContaining('a listener that throws'),
  ]);
  const types = sink.events.map(({ type }) => type).filter((type) => type.startsWith('compile-'));
  expect(types[0]).toBe('compile-start');
  expect(types.filter((type) => type === 'compile-end')).toHaveLength(2);
});

test('a thousand examples without a model are compiled in less than 5 s', async () => {
  const qa = await createTestRuntime().start('qa');
  const startMs = performance.now();
  const report = await qa.compile({ optimizer: 'labeled-few-shot', trainset: examples(1000) });
  const tookMs = performance.now() - startMs;
  console.info(`compiled 1,000 examples in ${tookMs.toFixed(0)} ms`);
  expect(report.trainsetEntries).toBe(1000);
  expect(tookMs).toBeLessThan(5000);
});

test('examples arrive as examples, marks and fields with the names of methods included', async () => {
  const { lm } = answering();
  const seen: unknown[] = [];
  const runtime = createTestRuntime({
    lm,
    optimizers: {
      looks: {
        name: 'Looks',
        compile: (student, { trainset }) => {
          for (const example of trainset) {
            if (example instanceof Object && 'inputKeys' in example) {
              const { fields, inputKeys } = example as unknown as Example<Record<string, unknown>>;
              seen.push([fields, inputKeys]);
            } else seen.push(example);
          }
          return Promise.resolve(student);
        },
      },
    },
  });
  const qa = await runtime.start('qa');
  const trainset = [
    new Example({ question: 'q', copy: 'a field with the name of a method' }).withInputs('question'),
    new Example({ question: 'unmarked' }),
    { question: 'plain' },
  ];
  await qa.compile({ optimizer: 'looks', trainset });
  expect(seen).toEqual([
    [{ question: 'q', copy: 'a field with the name of a method' }, ['question']],
    [{ question: 'unmarked' }, undefined],
    { question: 'plain' },
  ]);
});

test.each([
  ['too many examples', examples(11), { code: 'runtime/trainset-too-large', fields: { limit: 'entries' } }],
  [
    'too many bytes',
    [{ question: 'x'.repeat(600) }, { question: 'y'.repeat(600) }],
    { code: 'runtime/trainset-too-large', fields: { limit: 'bytes', allowed: 2000 } },
  ],
  ['no list', 'text', { code: 'optimize/trainset-invalid' }],
  ['an item that is no example', [{}, 7], { code: 'optimize/trainset-invalid', fields: { index: 1 } }],
])('a training set with %s is refused before anything begins', async (_, trainset, error) => {
  const hub = createHub();
  const sink = createMemorySink(hub);
  const limits = { compileTrainsetEntries: 10, compileTrainsetBytes: 2000 };
  const qa = await createTestRuntime({ hub, limits }).start('qa');
  await expect(
    qa.compile({ optimizer: 'labeled-few-shot', trainset: trainset as never }),
  ).rejects.toMatchObject(error);
  expect(qa.compilationStatus).toBe('not-compiled');
  expect(sink.ofType('compile-start')).toEqual([]);
});

test('a worker that is lost at any moment of a compilation leaves the old program or the new one, everywhere the same', async () => {
  const outcomes = new Set<unknown>();
  for (let microtasks = 0; microtasks < 240; microtasks += 4) {
    const store = createMemoryStore();
    const runtime = createTestRuntime({ store, restartLimits: { maxRestarts: 100, maxSeconds: 5 } });
    const qa = await runtime.start('qa', { id: 'qa' });
    const compiling = codeOf(
      qa.compile({ optimizer: 'tune', trainset: [], options: { limit: 7, freeze: true } }),
    );
    for (let waited = 0; waited < microtasks; waited++) await Promise.resolve();
    runtime.killWorkerOf('qa');
    const outcome = await compiling;
    outcomes.add(outcome);
    const isNew = outcome === 'resolved';
    expect([microtasks, qa.compilationStatus]).toEqual([microtasks, isNew ? 'compiled' : 'failed']);
    expect([microtasks, await qa.parameters.limit.get()]).toEqual([microtasks, isNew ? 7 : 3]);
    const { worker, journal } = await everywhere(qa, store);
    expect([microtasks, worker]).toEqual([microtasks, journal]);
    await runtime.close();
  }
  expect(outcomes).toEqual(new Set(['actor/peer-died', 'resolved']));
});
