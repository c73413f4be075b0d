import { afterEach, expect, test } from 'vitest';
import type { ActorContext, MessageSource } from '../../actor/index.ts';
import { CodedError } from '../../base/index.ts';
import type { Executor, Outcome, Session } from '../../executor/index.ts';
import { scriptedLm } from '../../lm/index.ts';
import type { LanguageModel, LmRequest, LmStreamPart } from '../../lm/index.ts';
import { askFor, codeOf, describeLanguageModel } from '../../lm/language-model.contract.ts';
import { createLoopback, Peer } from '../../port/index.ts';
import { createExecutorProxy } from './executor-proxy.ts';
import { createExecutorService, executorService } from './executor-service.ts';
import type { ExecutorService } from './executor-service.ts';
import { createLmProxy } from './lm-proxy.ts';
import { createLmService, lmService } from './lm-service.ts';
import { createServiceRouter } from './page-service.ts';
import type { PageService } from './page-service.ts';
import { traits } from './traits-test-scene.ts';

const open: Peer[] = [];
const gone = new CodedError('actor/peer-died', 'gone');

afterEach(() => {
  for (const peer of open.splice(0)) peer.close(gone);
});

/** A page with these services, and an actor in a worker that can ask it. */
function createPage(services: Readonly<Record<string, PageService>>): {
  readonly worker: Peer;
  readonly context: ActorContext;
  readonly loseWorker: () => void;
} {
  const [near, far] = createLoopback();
  const serve = createServiceRouter(services);
  const source: MessageSource = {
    worker: 'worker-1',
    whereIs: () => 'here',
    violate: (reason) => page.violate(reason),
  };
  const page: Peer = new Peer(near, { onCall: (call) => serve(call, source) });
  const worker = new Peer(far);
  const context: ActorContext = {
    actor: 'm',
    incarnation: 1,
    callPage: (service, method, body, options) => worker.call(service, method, body, options),
    sendPage: (service, method, body) => worker.send(service, method, body),
    sendPageForWorker: (service, method, body) => worker.send(service, method, body),
    exit: () => undefined,
  };
  return { worker, context, loseWorker: () => page.close(gone) };
}

const proxyOf = (model: LanguageModel): LanguageModel => {
  const { context, worker } = createPage({ [lmService]: createLmService(() => model) });
  open.push(worker);
  return createLmProxy(context, { model: model.model, isScripted: model.isScripted });
};

const lastText = (request: LmRequest): string => request.messages.at(-1)?.content as string;

describeLanguageModel("a worker's proxy of the page's model", async () => {
  const model = (script: (request: LmRequest) => string | Promise<never>): LanguageModel => {
    const { context } = createPage({ [lmService]: createLmService(() => scriptedLm({ script })) });
    return createLmProxy(context, { model: 'scripted/fixed', isScripted: true });
  };
  return {
    echo: model(lastText),
    silent: model(() => new Promise(() => undefined)),
    close: async () => undefined,
  };
});

/** Streams for ever; counts what was asked of it and what it noticed. */
class Endless implements LanguageModel {
  readonly model = 'endless';
  readonly isScripted = false;
  parts = 0;
  hasLeft = false;

  generate(): Promise<never> {
    return new Promise(() => undefined);
  }

  async *stream(): AsyncGenerator<LmStreamPart> {
    try {
      for (;;) {
        if (this.parts++ % 1000 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
        yield { type: 'text-delta', index: 0, text: 'x' };
      }
    } finally {
      this.hasLeft = true;
    }
  }
}

test('leaving a stream ends it on the page', async () => {
  const model = new Endless();
  let read = 0;
  for await (const part of proxyOf(model).stream(askFor('x'))) {
    expect(part.type).toBe('text-delta');
    if (++read === 3) break;
  }
  await expect.poll(() => model.hasLeft).toBe(true);
});

test('a reader that stands still is not waited for without bound: the stream ends, and the model with it', async () => {
  const model = new Endless();
  const stream = proxyOf(model).stream(askFor('x'))[Symbol.asyncIterator]();
  await stream.next();
  await expect.poll(() => model.hasLeft, { timeout: 10_000 }).toBe(true);
  let read = 0;
  const readAll = async (): Promise<void> => {
    while (!(await stream.next()).done) read++;
  };
  expect(await codeOf(readAll())).toBe('runtime/stream-overflow');
  expect(read).toBe(65_536);
}, 20_000);

test('what the page lacks is said by name', async () => {
  const { context, worker } = createPage({
    [lmService]: createLmService(() => undefined),
    [executorService]: createExecutorService(() => undefined).service,
  });
  const lm = createLmProxy(context, { model: 'none', isScripted: false });
  expect(await codeOf(lm.generate(askFor('x')))).toBe('runtime/lm-missing');
  const executor = createExecutorProxy(context, traits);
  expect(await codeOf(executor.execute('1'))).toBe('runtime/executor-missing');
  expect(await codeOf(executor.createSession())).toBe('runtime/executor-missing');
  const odd = { [lmService]: 'lm-sing', [executorService]: 'dance' };
  for (const [service, method] of Object.entries(odd))
    expect(await codeOf(worker.call(service, method, {}))).toMatch(
      /^runtime\/(lm-missing|service-method-not-found)$/,
    );
  await expect(worker.call('toString', 'm', {})).rejects.toMatchObject({
    code: 'runtime/service-not-found',
    fields: { known: [lmService, executorService] },
  });
});

const nothing = { stdout: '', stderr: '', durationMs: 0, isSandboxLost: false } as unknown as Outcome;

/** Stands in for the executor where only the order of events counts; the real one is in the browser test. */
class Recorder implements Executor {
  readonly language = 'python';
  readonly capabilities = traits.capabilities;
  readonly events: string[] = [];
  open: () => void = () => undefined;
  gate: Promise<void> = Promise.resolve();
  isStuck = false;

  execute(code: string, _: unknown, options: { readonly signal?: AbortSignal } = {}): Promise<Outcome> {
    this.events.push(`run ${code}`);
    const { signal } = options;
    return new Promise((resolve) => {
      const onAbort = (): void => (this.events.push('cancelled'), resolve({ ...nothing, type: 'cancelled' }));
      if (signal?.aborted) onAbort();
      signal?.addEventListener('abort', onAbort);
    });
  }

  async createSession(): Promise<Session> {
    this.events.push('opening');
    await this.gate;
    this.events.push('opened');
    const session = {
      id: 's' as Session['id'],
      execute: (code: string) => this.execute(code, {}),
      interrupt: () => void this.events.push('interrupted'),
      [Symbol.asyncDispose]: () => {
        this.events.push('disposed');
        return this.isStuck ? Promise.reject(new Error('stuck')) : Promise.resolve();
      },
    };
    return session;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

function createExecutorPage(): {
  readonly recorder: Recorder;
  readonly executor: Executor;
  readonly worker: Peer;
  readonly context: ActorContext;
  readonly page: ExecutorService;
  readonly loseWorker: () => void;
  readonly take: () => void;
} {
  const recorder = new Recorder();
  let current: Executor | undefined = recorder;
  const page = createExecutorService(() => current);
  const { context, worker, loseWorker } = createPage({ [executorService]: page.service });
  open.push(worker);
  return {
    recorder,
    executor: createExecutorProxy(context, traits),
    worker,
    context,
    page,
    loseWorker,
    take: () => (current = undefined),
  };
}

test('a cancelled run has an outcome, not an error; one that is cancelled already never runs', async () => {
  const { executor, recorder } = createExecutorPage();
  const controller = new AbortController();
  const running = executor.execute('long', {}, { signal: controller.signal });
  await expect.poll(() => recorder.events).toEqual(['run long']);
  controller.abort();
  expect(await running).toMatchObject({ type: 'cancelled' });
  expect(await executor.execute('late', {}, { signal: AbortSignal.abort() })).toMatchObject({
    type: 'cancelled',
  });
  expect(recorder.events).toEqual(['run long', 'cancelled', 'run late', 'cancelled']);
});

test('a worker that is lost cancels what it had running', async () => {
  const { executor, recorder, loseWorker } = createExecutorPage();
  executor.execute('long').catch(() => undefined);
  await expect.poll(() => recorder.events).toEqual(['run long']);
  loseWorker();
  await expect.poll(() => recorder.events).toEqual(['run long', 'cancelled']);
});

test('a run ends with the actor that asked for it, which cannot ask for its end any more', async () => {
  const { executor, recorder, page } = createExecutorPage();
  const running = executor.execute('long');
  await expect.poll(() => recorder.events).toEqual(['run long']);
  page.releaseOwner('somebody else');
  expect(recorder.events).toEqual(['run long']);
  page.releaseOwner('m');
  expect(await running).toMatchObject({ type: 'cancelled' });
  expect(recorder.events).toEqual(['run long', 'cancelled']);
});

test('sessions end with their owner, also one that is still being opened, also when ending fails', async () => {
  const { executor, recorder, page } = createExecutorPage();
  recorder.isStuck = true;
  const session = await executor.createSession();
  recorder.gate = new Promise((resolve) => (recorder.open = resolve));
  const late = executor.createSession();
  const outcome = codeOf(late);
  await expect.poll(() => recorder.events).toEqual(['opening', 'opened', 'opening']);
  page.releaseOwner('somebody else');
  expect(recorder.events).toHaveLength(3);
  page.releaseOwner('m');
  await page.settled();
  expect(recorder.events.at(-1)).toBe('disposed');
  recorder.isStuck = false;
  recorder.open();
  expect(await outcome).toBe('actor/peer-died');
  expect(recorder.events.slice(-2)).toEqual(['opened', 'disposed']);
  expect(await codeOf(session.execute('1'))).toBe('executor/session-not-found');
});

test('values arrive in the worker as they left the sandbox: frozen, without prototypes', async () => {
  const value = JSON.parse('{"__proto__": {"polluted": 1}, "list": [{"a": 1}]}') as { list: object[] };
  const given = { ...nothing, type: 'returned', value: new Map([[1, value]]), variables: { value } };
  const answer = { execute: async () => given as unknown as Outcome } as unknown as Executor;
  const { context, worker } = createPage({ [executorService]: createExecutorService(() => answer).service });
  open.push(worker);
  const outcome = (await createExecutorProxy(context, traits).execute('1')) as unknown as {
    readonly value: Map<number, object>;
    readonly variables: { readonly value: typeof value };
  };
  const { variables } = outcome;
  expect(Object.keys(variables.value)).toEqual(['__proto__', 'list']);
  const objects = [variables, variables.value, variables.value.list[0], outcome.value.get(1)];
  for (const object of objects) {
    expect(Object.getPrototypeOf(object)).toBe(null);
    expect(Object.isFrozen(object)).toBe(true);
  }
  expect(Object.isFrozen(variables.value.list)).toBe(true);
});

test("a session is its owner's alone, and its id cannot be guessed", async () => {
  const { executor, worker, context, recorder } = createExecutorPage();
  const session = await executor.createSession();
  expect(session.id).toMatch(/^session-[0-9a-f]{32}$/u);
  const body = {
    owner: 'other',
    incarnation: 1,
    session: session.id,
    code: '1',
    execution: 'e',
    isCancelled: false,
  };
  for (const method of ['execute', 'session-interrupt', 'session-end']) {
    expect(await codeOf(worker.call(executorService, method, body))).toBe('executor/session-not-found');
  }
  expect(recorder.events).toEqual(['opening', 'opened']);
  await worker.call(executorService, 'session-end', { ...body, owner: context.actor });
  expect(recorder.events.at(-1)).toBe('disposed');
});

test('a session of an executor that was taken away can still be ended', async () => {
  const { executor, recorder, take } = createExecutorPage();
  const session = await executor.createSession();
  take();
  await session[Symbol.asyncDispose]();
  expect(recorder.events.at(-1)).toBe('disposed');
});

const oddBodies: readonly (readonly [service: string, method: string, body: unknown, field: string])[] = [
  [lmService, 'lm-generate', undefined, 'body'],
  [lmService, 'lm-stream', 'text', 'body'],
  [lmService, 'lm-generate', {}, 'request'],
  [lmService, 'lm-stream', { request: { messages: [], config: {} } }, 'messages'],
  [lmService, 'lm-generate', { request: askFor('x'), timeoutMs: '5' }, 'timeoutMs'],
  [executorService, 'execute', null, 'body'],
  [executorService, 'execute', { owner: 1 }, 'owner'],
  [executorService, 'session-create', { owner: 'm' }, 'incarnation'],
  [executorService, 'session-create', { owner: 'm', incarnation: '1' }, 'incarnation'],
  [
    executorService,
    'execute',
    { owner: 'm', incarnation: 1, code: '1', execution: 'e', isCancelled: 0 },
    'isCancelled',
  ],
  [
    executorService,
    'execute',
    { owner: 'm', incarnation: 1, code: '1', execution: 'e', isCancelled: false, context: null },
    'context',
  ],
  [
    executorService,
    'execute',
    { owner: 'm', incarnation: 1, code: '1', execution: 'e', isCancelled: false, outputs: [1] },
    'outputs',
  ],
  [executorService, 'execution-cancel', undefined, 'body'],
  [executorService, 'session-create', undefined, 'body'],
  [executorService, 'session-create', {}, 'owner'],
  [executorService, 'session-interrupt', { owner: 'm', incarnation: 1 }, 'session'],
  [executorService, 'session-end', { owner: 'm', incarnation: 1, session: {} }, 'session'],
];

test.each(oddBodies)('%s, %s with %j is refused by a typed error that names %s', async (...given) => {
  const [service, method, body, field] = given;
  let asked = 0;
  // looks at nothing, as a model of the page's own may
  const model = { model: 'trusting', generate: () => (asked++, {}), stream: () => (asked++, []) };
  const recorder = new Recorder();
  const { worker } = createPage({
    [lmService]: createLmService(() => model as unknown as LanguageModel),
    [executorService]: createExecutorService(() => recorder).service,
  });
  open.push(worker);
  await expect(worker.call(service, method, body)).rejects.toMatchObject({
    code: expect.stringMatching(/^(runtime\/service-body-invalid|lm\/invalid-request)$/u) as string,
    fields: { field },
  });
  expect([asked, recorder.events]).toEqual([0, []]);
});
