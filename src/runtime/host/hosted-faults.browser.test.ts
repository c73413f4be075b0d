import { afterEach, expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import type { faultTestModules } from './fault-test-modules.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import type { subModuleTestModules } from '../sub-module/sub-module-test-modules.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of open.splice(0).toReversed()) await resource[Symbol.asyncDispose]();
});

/** A crowded machine starts a worker slowly. */
const patient = { timeout: 15_000 };
const quick = { pingIntervalMs: 100, hangTimeoutMs: 500 };

function createPage(): {
  readonly runtime: Runtime<typeof faultTestModules>;
  readonly workers: Worker[];
  readonly sink: ReturnType<typeof createMemorySink>;
} {
  const hub = createHub();
  const sink = createMemorySink(hub);
  const workers: Worker[] = [];
  const runtime = createRuntime<typeof faultTestModules>({
    worker: (name) => {
      const worker = new Worker(new URL('./fault-test.worker.ts', import.meta.url), { type: 'module', name });
      workers.push(worker);
      return worker;
    },
    poolSize: 1,
    actorLimits: quick,
    hub,
  });
  open.push(runtime);
  return { runtime, workers, sink };
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'answered',
    (error: unknown) => (isCodedError(error) ? error.code : String(error)),
  );

test('a forward that computes blocks its worker: cached reads answer, the watchdog kills, neighbours keep their state', async () => {
  const { runtime, sink } = createPage();
  const spinner = await runtime.start('spinner', { id: 'spinner' });
  const waiter = await runtime.start('waiter', { id: 'waiter' });
  await waiter.parameters.limit.set(7, { level: 'memory' });
  await spinner.parameters.limit.set(8, { level: 'memory' });
  const waiting = codeOf(waiter.call('wait'));
  const spinning = spinner.call('spin').catch((error: unknown) => error);
  const asked = waiter.parameters.limit.get().catch((error: unknown) => error);
  // nothing of the worker answers, but what the page has does
  for (let reads = 0; reads < 10; reads++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([waiter.parameters.limit.value, spinner.parameters.limit.value]).toEqual([7, 8]);
  }
  expect(await spinning).toMatchObject({ code: 'actor/peer-died', fields: { cause: 'hang' } });
  expect(await waiting).toBe('actor/peer-died');
  expect([7, 'actor/peer-died']).toContain(
    await asked.then((value) => (isCodedError(value) ? value.code : value)),
  );
  expect(await waiter.parameters.limit.get()).toBe(7);
  expect(await spinner.call('go')).toBe('alive 8');
  expect(sink.ofType('watchdog-kill')).toHaveLength(1);
  expect([spinner.metrics.restarts, waiter.metrics.restarts]).toEqual([1, 1]);
});

test.each([
  ['no frames of ours', ['hello', 42, null, { type: 'other' }, [1, 2]]],
  [
    'answers and progress of calls that nobody made',
    [
      { vivarium: 1, type: 'call-end', id: 999, body: 'x' },
      { vivarium: 1, type: 'call-delta', id: 999, body: 'x' },
      {
        vivarium: 1,
        type: 'call-fail',
        id: 999,
        error: { code: 'a/b', message: 'm', fields: {}, isRetryable: false },
      },
      { vivarium: 1, type: 'ping-end', id: 999 },
    ],
  ],
  [
    'news of modules that do not run, or that is no news',
    [
      { vivarium: 1, type: 'message-send', to: 'journal', method: 'parameter-change', body: null },
      {
        vivarium: 1,
        type: 'message-send',
        to: 'journal',
        method: 'parameter-change',
        body: { module: 'none' },
      },
      { vivarium: 1, type: 'message-send', to: 'journal', method: 'module-swap', body: 7 },
      { vivarium: 1, type: 'message-send', to: 'journal', method: 'part-stale', body: undefined },
      { vivarium: 1, type: 'message-send', to: 'nobody', method: 'x', body: {} },
    ],
  ],
  [
    'calls of services that do not exist, or with nonsense',
    [
      { vivarium: 1, type: 'call-start', id: 1_000_001, to: 'nobody', method: 'x', body: null },
      { vivarium: 1, type: 'call-start', id: 1_000_002, to: 'sub-module', method: 'forward', body: null },
      { vivarium: 1, type: 'call-start', id: 1_000_003, to: 'executor', method: 'execute', body: 3 },
      { vivarium: 1, type: 'call-start', id: 1_000_004, to: 'lm', method: 'lm-generate', body: [] },
    ],
  ],
])('%s on a port change nothing while they are few', async (_, frames) => {
  const { runtime, sink } = createPage();
  const hostile = await runtime.start('hostile');
  await hostile.parameters.limit.set(5, { level: 'memory' });
  const uncaught: unknown[] = [];
  const onError = (event: ErrorEvent): void => {
    uncaught.push(event.message);
    event.preventDefault();
  };
  addEventListener('error', onError);
  try {
    expect(await hostile.call({ frames, times: 10 })).toBe('posted');
    expect(await hostile.parameters.limit.get()).toBe(5);
  } finally {
    removeEventListener('error', onError);
  }
  expect(uncaught).toEqual([]);
  expect(sink.ofType('worker-lost')).toEqual([]);
});

test('a port that sends too many malformed frames is closed, its worker ended, and its modules start again', async () => {
  const { runtime, sink } = createPage();
  const hostile = await runtime.start('hostile', { id: 'hostile' });
  const waiter = await runtime.start('waiter', { id: 'waiter' });
  await waiter.parameters.limit.set(6, { level: 'memory' });
  const frames = [
    { vivarium: 2, type: 'call-start' },
    { vivarium: 1, type: 'call-start', id: 'text', to: 1, method: null },
    { vivarium: 1, type: 'no-such-type', id: 1 },
  ];
  expect(['posted', 'actor/peer-died', 'port/protocol-violation']).toContain(
    await hostile
      .call({ frames, times: 60 })
      .catch((error: unknown) => (isCodedError(error) ? error.code : error)),
  );
  await expect.poll(() => waiter.metrics.restarts, patient).toBe(1);
  expect(await waiter.parameters.limit.get()).toBe(6);
  expect(sink.ofType('worker-lost')).toMatchObject([{ cause: 'protocol-violation' }]);
});

test('a worker that is flooded with garbage from the page goes deaf, is noticed and replaced', async () => {
  const { runtime, workers } = createPage();
  const waiter = await runtime.start('waiter');
  await waiter.parameters.limit.set(4, { level: 'memory' });
  for (let count = 0; count < 150; count++) workers[0]?.postMessage({ vivarium: 1, type: 'nonsense' });
  const ended = codeOf(waiter.call('go'));
  expect(await ended).toBe('actor/peer-died');
  expect(await waiter.call('go')).toBe('eval 4');
  expect(workers).toHaveLength(2);
});

test('sub-modules that are actors, in workers: a hang and a lost worker of one do not reach the program around it', async () => {
  const runtime = createRuntime<typeof subModuleTestModules>({
    worker: (name) =>
      new Worker(new URL('../sub-module/sub-module-test.worker.ts', import.meta.url), {
        type: 'module',
        name,
      }),
    poolSize: 1,
    actorLimits: quick,
  });
  open.push(runtime);
  const pipeline = await runtime.start('pipeline', {
    id: 'p',
    actors: { critic: { kind: 'critic', isolation: 'dedicated', whenDown: 'local' } },
  });
  const critic = pipeline.subModule('critic');
  expect(critic.worker).not.toBe(pipeline.worker);
  await pipeline.parameters['critic.limit'].set(9, { level: 'memory' });
  const judged = async (): Promise<{ readonly born: number; readonly limit: number }> =>
    ((await pipeline.call({ ask: 'judge' })) as { verdict: { born: number; limit: number } }).verdict;
  const remote = await judged();
  runtime.killWorkerOf('p/critic');
  expect(await judged()).toMatchObject({ limit: 9 });
  await expect.poll(() => critic.status, patient).toBe('running');
  expect(await judged()).toMatchObject({ born: remote.born, limit: 9 });
  // it spins in its own worker: the program around it answers, and the call ends
  const spinning = codeOf(critic.call({ ask: 'spin' }));
  expect(await pipeline.call({ ask: 'read' })).toMatchObject({ limit: 9 });
  expect(await spinning).toBe('actor/peer-died');
  await expect.poll(() => critic.status, patient).toBe('running');
  expect([pipeline.metrics.restarts, critic.metrics.restarts]).toEqual([0, 2]);
});
