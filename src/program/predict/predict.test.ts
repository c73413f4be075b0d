import { afterEach, expect, test } from 'vitest';
import type { LanguageModel, LmMessage, LmRequest, ScriptedReply } from '../../lm/index.ts';
import { scriptedLm } from '../../lm/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { configure } from '../settings.ts';
import { Example } from '../example.ts';
import { parseSignature } from '../parse-signature.ts';
import { Trace } from '../trace.ts';
import type { CallSettings } from '../settings.ts';
import { ChainOfThought } from './chain-of-thought.ts';
import { Predict } from './predict.ts';
import { context } from '../run.ts';

const undo: (() => void)[] = [];
afterEach(() => {
  for (const end of undo.splice(0).toReversed()) end();
});

function answering(reply: string | ScriptedReply | ((request: LmRequest) => string | ScriptedReply)): {
  lm: LanguageModel;
  requests: LmRequest[];
} {
  const requests: LmRequest[] = [];
  const lm = scriptedLm({
    script: (request) => {
      requests.push(request);
      return typeof reply === 'function' ? reply(request) : reply;
    },
  });
  return { lm, requests };
}

const fields = (values: Record<string, string>): string =>
  Object.entries(values)
    .map(([name, value]) => `[[ ## ${name} ## ]]\n${value}\n\n`)
    .join('');
const textOf = (message: LmMessage | undefined): string =>
  JSON.stringify(message?.content).replaceAll('\\n', '\n');

test('a predictor asks in the chat format and answers with typed fields', async () => {
  const { lm, requests } = answering(fields({ answer: '4', why: 'counted' }));
  const predict = new Predict('question, k: int -> answer: int, why');
  const prediction = await predict.call({ question: 'two and two?', k: 3 }, { lm });
  const sum: number = prediction.answer + 1;
  expect(sum).toBe(5);
  expect(Object.assign({}, prediction)).toEqual({ answer: 4, why: 'counted' });
  expect(requests).toHaveLength(1);
  expect(textOf(requests[0]?.messages.at(-1))).toContain('[[ ## k ## ]]\n3');
});

test('chain of thought reasons first, under the path predict', async () => {
  const { lm, requests } = answering(fields({ reasoning: 'because', answer: 'b' }));
  const trace = new Trace();
  const think = new ChainOfThought('question -> answer');
  const prediction = await think.call({ question: 'q' }, { lm, trace });
  expect(prediction.reasoning).toBe('because');
  expect(prediction.answer).toBe('b');
  const system = textOf(requests[0]?.messages[0]);
  expect(system.indexOf('reasoning')).toBeLessThan(system.indexOf('`answer`'));
  expect(trace.entries.map((entry) => entry.path)).toEqual(['predict']);
  expect(trace.entries[0]?.predictor).toBe(think.predict);
});

test('the model of the call goes before the predictor own, and that before the inherited one', async () => {
  const [given, own, inherited] = ['given', 'own', 'inherited'].map((a) => answering(fields({ a })).lm);
  const predict = new Predict('q -> a');
  const ask = async (settings?: CallSettings): Promise<string> => (await predict.call({ q: '' }, settings)).a;
  undo.push(configure({ lm: inherited }));
  expect(await ask()).toBe('inherited');
  predict.lm = own;
  expect(await ask()).toBe('own');
  expect(await context({ lm: inherited }, async (run) => (await predict.call({ q: '' }, run)).a)).toBe('own');
  expect(await ask({ lm: given })).toBe('given');
  const think = new ChainOfThought('q -> a', {});
  think.setLm(own);
  const reasoned = answering(fields({ reasoning: '', a: 'given' })).lm;
  expect((await think.call({ q: '' }, { lm: reasoned })).a).toBe('given');
});

test('without a model the error says what to do', async () => {
  await expect(new Predict('q -> a').call({ q: '' })).rejects.toMatchObject({
    code: 'program/lm-missing',
    message: expect.stringMatching(/\{ lm \}.*configure/) as string,
  });
  const wrong = { lm: 'openai/gpt-4o' as unknown as LanguageModel };
  await expect(new Predict('q -> a').call({ q: '' }, wrong)).rejects.toMatchObject({
    code: 'program/lm-invalid',
  });
});

test.each([undefined, null, 'text', 3, ['a']])('an input that is %j is refused by name', async (input) => {
  const { lm } = answering(fields({ a: '' }));
  await expect(new Predict('q -> a').call(input as never, { lm })).rejects.toMatchObject({
    code: 'program/input-invalid',
    fields: { expected: ['q'] },
  });
});

test('missing and extra inputs are notes, and extra ones stay in the trace', async () => {
  const hub = createHub();
  const sink = createMemorySink(hub);
  const trace = new Trace();
  const { lm } = answering(fields({ a: 'x' }));
  await new Predict('q, r -> a').call({ q: '1', z: 2 } as never, { lm, telemetry: hub, trace });
  const notes = sink.ofType('note');
  expect(notes.map((note) => note.data)).toEqual([
    { extra: ['z'], expected: ['q', 'r'] },
    { missing: ['r'], expected: ['q', 'r'] },
  ]);
  expect(notes.every((note) => note.span?.traceId.length === 32)).toBe(true);
  expect(trace.entries[0]?.inputs).toEqual({ q: '1', z: 2 });
});

test('an answer that cannot be read ends the call with adapter-parse-failed, and its tokens count', async () => {
  const { lm } = answering('no headers here');
  const usages: number[] = [];
  await context({ lm }, async (run) => {
    await expect(new Predict('q -> a: int').call({ q: '' }, run)).rejects.toMatchObject({
      code: 'program/adapter-parse-failed',
    });
    usages.push(run.usage.total.outputTokens, run.usage.calls);
  });
  expect(usages).toEqual([3, 1]);
});

test('an adapter of the user that throws anything is reported with its name', async () => {
  const { lm } = answering('x');
  const adapter = {
    name: 'Mine',
    format: () => [{ role: 'user' as const, content: 'hi' }],
    parse: (): never => {
      throw new RangeError('odd');
    },
  };
  await expect(new Predict('q -> a').call({ q: '' }, { lm, adapter })).rejects.toMatchObject({
    code: 'program/adapter-parse-failed',
    fields: { adapter: 'Mine' },
  });
});

test('several answers: completions, and a temperature that lets them differ', async () => {
  const texts = ['1', '2', '3'].map((a) => fields({ a }));
  const { lm, requests } = answering({ text: texts });
  const predict = new Predict('q -> a: int', { n: 3 });
  const prediction = await predict.call({ q: '' }, { lm });
  expect(prediction.a).toBe(1);
  expect(prediction.completions?.field('a')).toEqual([1, 2, 3]);
  await predict.call({ q: '' }, { lm, config: { temperature: 0.15 } });
  await predict.call({ q: '' }, { lm, config: { temperature: 0.2 } });
  await predict.call({ q: '' }, { lm, config: { n: 1, temperature: 0 } });
  expect(requests.map((request) => request.config)).toEqual([
    { n: 3, temperature: 0.7 },
    { n: 3, temperature: 0.7 },
    { n: 3, temperature: 0.2 },
    { n: 1, temperature: 0 },
  ]);
});

test('with onDelta the answer streams, each piece under the path of its predictor', async () => {
  const whole = fields({ reasoning: 'one two', a: 'three' });
  const { lm } = answering(whole);
  const deltas: { path: string; text: string }[] = [];
  const think = new ChainOfThought('q -> a');
  const prediction = await think.call(
    { q: '' },
    { lm, onDelta: ({ path, text }) => deltas.push({ path, text }) },
  );
  expect(prediction.a).toBe('three');
  expect(deltas.length).toBeGreaterThan(3);
  expect(deltas.map(({ text }) => text).join('')).toBe(whole);
  expect(new Set(deltas.map(({ path }) => path))).toEqual(new Set(['predict']));
});

test('an onDelta that throws is a note, and the call goes on', async () => {
  const hub = createHub();
  const sink = createMemorySink(hub);
  const { lm } = answering(fields({ a: 'x' }));
  const onDelta = (): never => {
    throw new Error('broken listener');
  };
  expect((await new Predict('q -> a').call({ q: '' }, { lm, onDelta, telemetry: hub })).a).toBe('x');
  expect(sink.ofType('note')[0]?.text).toContain('broken listener');
});

test('demos, signature and config may be given for one call, by chain of thought too', async () => {
  const { lm, requests } = answering(fields({ reasoning: 'r', a: 'x', b: 'y' }));
  const think = new ChainOfThought('q -> a');
  const demo = new Example({ q: 'demo question', reasoning: 'demo reason', a: 'demo answer' }).withInputs(
    'q',
  );
  await think.call({ q: 'real' }, { lm, demos: [demo], config: { temperature: 0.5 } });
  expect(requests[0]?.config).toEqual({ temperature: 0.5 });
  expect(requests[0]?.messages.map((message) => message.role)).toEqual([
    'system',
    'user',
    'assistant',
    'user',
  ]);
  expect(textOf(requests[0]?.messages[2])).toContain('demo answer');
  const other = parseSignature('q -> b');
  const changed: unknown = await think.predict.call({ q: 'real' }, { lm, signature: other as never });
  expect(changed).toMatchObject({ b: 'y' });
  expect(think.predict.demos).toEqual([]);
});

test('usage is on the outermost answer, by model', async () => {
  const { lm } = answering(fields({ reasoning: 'a b', a: 'x' }));
  const prediction = await new ChainOfThought('q -> a').call({ q: 'one' }, { lm });
  expect(Object.keys(prediction.lmUsage ?? {})).toEqual(['scripted/lm']);
  expect(prediction.lmUsage?.['scripted/lm']?.totalTokens).toBeGreaterThan(10);
});

test('isTraced false and trace null leave no entry; a full trace drops the oldest', async () => {
  const { lm } = answering(fields({ a: 'x' }));
  const trace = new Trace(2);
  const predict = new Predict('q -> a');
  await predict.call({ q: '0' }, { lm, trace, isTraced: false });
  expect(trace.entries).toHaveLength(0);
  for (const q of ['1', '2', '3']) await predict.call({ q }, { lm, trace });
  expect(trace.entries.map((entry) => entry.inputs.q)).toEqual(['2', '3']);
  expect(trace.dropped).toBe(1);
  expect(trace.entries[0]?.path).toBe('self');
  await context({ lm, trace: null }, async (run) => {
    expect(run.trace).toBeUndefined();
    await predict.call({ q: '4' }, run);
  });
});

test('a deadline ends a call whose model never answers, and the model is told', async () => {
  let told = false;
  const lm: LanguageModel = {
    model: 'never',
    isScripted: true,
    generate: (_request, options) =>
      new Promise(() => {
        options?.signal?.addEventListener('abort', () => {
          told = true;
        });
      }),
    stream: () => {
      throw new Error('not used');
    },
  };
  await expect(new ChainOfThought('q -> a').call({ q: '' }, { lm, timeoutMs: 20 })).rejects.toMatchObject({
    code: 'port/timeout',
  });
  expect(told).toBe(true);
  const controller = new AbortController();
  const pending = new Predict('q -> a').call({ q: '' }, { lm, signal: controller.signal });
  controller.abort();
  await expect(pending).rejects.toMatchObject({ code: 'port/cancelled' });
});

test('a stream that ends without a response is a typed, retryable error', async () => {
  const lm: LanguageModel = {
    model: 'short',
    isScripted: true,
    generate: () => Promise.reject(new Error('not used')),
    async *stream() {
      yield { type: 'text-delta', index: 0, text: 'x' };
    },
  };
  await expect(new Predict('q -> a').call({ q: '' }, { lm, onDelta: () => undefined })).rejects.toMatchObject(
    {
      code: 'program/stream-incomplete',
      isRetryable: true,
    },
  );
});
