import { afterEach, expect, test } from 'vitest';
import type { ActorContext, MessageSource } from '../../actor/index.ts';
import { CodedError, isCodedError } from '../../base/index.ts';
import { denyByDefault } from '../../executor/index.ts';
import type { ExecutionContext, ExecutionOptions, Executor, Outcome, Tools } from '../../executor/index.ts';
import { createLoopback, Peer } from '../../port/index.ts';
import { createExecutorProxy } from './executor-proxy.ts';
import { createExecutorService, executorService } from './executor-service.ts';
import { createServiceRouter } from './page-service.ts';
import { traits } from './traits-test-scene.ts';

const open: Peer[] = [];
afterEach(() => {
  for (const peer of open.splice(0)) peer.close(new CodedError('actor/peer-died', 'gone'));
});

type Run = (context: ExecutionContext, options: ExecutionOptions, signal: AbortSignal) => Promise<unknown>;

/** A page whose executor is `run`: what it answers is the value. The real executor is in the browser test. */
function createPage(run: Run): { readonly executor: Executor; readonly worker: Peer } {
  const execute = async (_code: string, context: ExecutionContext = {}, options: ExecutionOptions = {}) => {
    const over = new AbortController();
    try {
      return { type: 'returned', value: await run(context, options, over.signal), variables: {} };
    } finally {
      over.abort();
    }
  };
  const { service } = createExecutorService(() => ({ execute }) as unknown as Executor);
  const [near, far] = createLoopback();
  const serve = createServiceRouter({ [executorService]: service });
  const source: MessageSource = { worker: 'w', whereIs: () => 'here', violate: () => undefined };
  open.push(new Peer(near, { onCall: (call) => serve(call, source) }));
  const worker = new Peer(far);
  open.push(worker);
  const context = {
    actor: 'm',
    incarnation: 1,
    callPage: (name: string, method: string, body: unknown, options: object) =>
      worker.call(name, method, body, options),
  } as unknown as ActorContext;
  return { executor: createExecutorProxy(context, traits), worker };
}

const ask = (tools: Tools | undefined, name: string, given: readonly never[], signal: AbortSignal) =>
  Promise.resolve(tools?.[name]?.call({ arguments: given, named: {}, signal, policy: denyByDefault }));

const valueOf = (outcome: Outcome): unknown => (outcome as { readonly value?: unknown }).value;

test('a tool of a module is called where the module is, and its answer comes back', async () => {
  const { executor } = createPage(async ({ tools }, _options, signal) => [
    tools?.['add']?.parameters,
    await ask(tools, 'add', [2, 3] as never[], signal),
  ]);
  expect(executor).toMatchObject(traits);
  expect(Object.isFrozen(executor.capabilities)).toBe(true);
  const seen: unknown[] = [];
  const add: Tools[string] = {
    parameters: ['left', 'right'],
    call: ({ arguments: [left, right], policy, named }) => {
      seen.push(policy, Object.getPrototypeOf(named));
      return Number(left) + Number(right);
    },
  };
  expect(valueOf(await executor.execute('', { tools: { add } }))).toEqual([['left', 'right'], 5]);
  expect(seen).toEqual([denyByDefault, null]);
});

test('what a tool throws arrives with its code and fields; what cannot cross is an error, too', async () => {
  const { executor } = createPage(async ({ tools }, _options, signal) => {
    const errors = ['denied', 'plain', 'rubbish'].map((name) =>
      ask(tools, name, [], signal).catch((error: unknown) => error),
    );
    return (await Promise.all(errors)).map((error) =>
      isCodedError(error) ? [error.code, error.message, error.fields] : error,
    );
  });
  const fields = { permission: 'network', name: 'GET https://a.example', rule: 'network' };
  const outcome = await executor.execute('', {
    tools: {
      denied: {
        call: () => {
          throw new CodedError('executor/denied', 'no', { fields });
        },
      },
      plain: { call: () => Promise.reject(new Error('broken')) },
      rubbish: { call: () => (() => 1) as never },
    },
  });
  expect(valueOf(outcome)).toMatchObject([
    ['executor/denied', 'no', fields],
    ['executor/tool-failed', 'broken', {}],
    ['executor/tool-answer-invalid', 'the tool "rubbish" answered what cannot cross', { name: 'rubbish' }],
  ]);
});

test('what is no tool is refused by the executor, not lost on the way', async () => {
  const { executor } = createPage(async ({ tools }) =>
    Object.entries(tools ?? {}).map(([name, tool]) => [name, (tool as Tools[string] | null)?.parameters]),
  );
  const wrong = { nothing: null, number: { call: 1 }, odd: { call: () => 1, parameters: [() => 1] } };
  const outcome = await executor.execute('', { tools: wrong as unknown as Tools });
  expect(valueOf(outcome)).toEqual([
    ['nothing', undefined],
    ['number', undefined],
    ['odd', ['']],
  ]);
});

test('a run that ends tells tools that still work, and drops what they answer', async () => {
  const { executor } = createPage(async ({ tools }, _options, signal) => {
    ask(tools, 'slow', [], signal).catch(() => undefined);
    await asked;
    return 'done';
  });
  let isAsked: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => (isAsked = resolve));
  const heard = new Promise<string>((resolve) => {
    const slow: Tools[string] = {
      call: ({ signal }) => {
        isAsked();
        return new Promise((answer) => {
          signal.addEventListener('abort', () => (resolve('told'), answer('late')));
        });
      },
    };
    void executor.execute('', { tools: { slow } }).then((outcome) => expect(valueOf(outcome)).toBe('done'));
  });
  expect(await heard).toBe('told');
});

test('rich values are told as they come, frozen, and a listener that throws harms nobody', async () => {
  const bundle = { 'text/html': '<b>1</b>' };
  const { executor } = createPage(async (_context, { onDisplay }) => {
    onDisplay?.(bundle);
    onDisplay?.({ 'text/plain': '2' });
    return 'done';
  });
  const seen: unknown[] = [];
  const onDisplay = (value: object): void => {
    seen.push({ ...value }, Object.getPrototypeOf(value), Object.isFrozen(value));
    throw new Error('mine');
  };
  expect(valueOf(await executor.execute('', {}, { onDisplay }))).toBe('done');
  expect(seen).toEqual([bundle, null, true, { 'text/plain': '2' }, null, true]);
});

test("answers to nothing, to another's run or of the wrong form do no harm", async () => {
  let release: (value: unknown) => void = () => undefined;
  const { executor, worker } = createPage(async ({ tools }, _options, signal) => {
    void ask(tools, 'never', [], signal).then(release, release);
    return new Promise((resolve) => (release = resolve));
  });
  let called = 0;
  const never: Tools[string] = { call: () => (called++, new Promise(() => undefined)) };
  const running = executor.execute('', { tools: { never } });
  await expect.poll(() => called).toBe(1);
  const body = { owner: 'other', incarnation: 1, execution: 'x', call: 1, value: 'forged' };
  await worker.call(executorService, 'tool-answer', body);
  await worker.call(executorService, 'tool-answer', { ...body, owner: 'm' });
  for (const odd of [{ call: 'x' }, { failure: { code: 1 } }, { execution: 7 }]) {
    await expect(
      worker.call(executorService, 'tool-answer', { ...body, owner: 'm', ...odd }),
    ).rejects.toMatchObject({ code: 'runtime/service-body-invalid' });
  }
  for (const tools of [{}, [['a']], [[1, {}]], Array.from({ length: 1001 }, () => ['a', {}])]) {
    const asked = { ...body, owner: 'm', code: '', isCancelled: false, tools };
    await expect(worker.call(executorService, 'execute', asked)).rejects.toMatchObject({
      code: 'runtime/service-body-invalid',
      fields: { field: 'tools' },
    });
  }
  release('mine');
  expect(valueOf(await running)).toBe('mine');
});
