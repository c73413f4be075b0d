import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closedPort, startOpenAiServer } from '../../../tools/openai-server.mjs';
import type { OpenAiServer } from '../../../tools/openai-server.mjs';
import type { CodedError } from '../../base/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { askFor, codeOf, collect } from '../language-model.contract.ts';
import type { LmConfig } from '../message.ts';
import { openAiCompatible } from './openai-compatible.ts';
import type { OpenAiCompatibleOptions } from './openai-compatible.ts';

const key = 'sk-very-secret-0123456789/+=';
let server: OpenAiServer;
beforeAll(async () => {
  server = await startOpenAiServer({
    respond: (_, body) => {
      if (body.model === 'echo-key')
        return { status: 400, body: { error: { message: `bad ${key} in ${encodeURIComponent(key)}` } } };
      if (body.model === 'cut-off') return { text: 'half', finishReason: 'length' };
      return undefined;
    },
  });
});
afterAll(() => server.close());

const quick = { backOffBaseMs: 5, backOffMaxMs: 10 };
const open = (model: string, options: Partial<OpenAiCompatibleOptions> = {}) =>
  openAiCompatible({ baseUrl: server.baseUrl, model, ...options, limits: { ...quick, ...options.limits } });

async function failureOf(model: string, options: Partial<OpenAiCompatibleOptions> = {}): Promise<CodedError> {
  return open(model, options)
    .generate(askFor('hello'))
    .then(
      () => Promise.reject(new Error('it should have failed')),
      (error: unknown) => error as CodedError,
    );
}

describe('what is sent', () => {
  test('every setting under the name that servers know', async () => {
    const config: LmConfig = {
      temperature: 0,
      maxTokens: 7,
      n: 1,
      topP: 0.5,
      stop: ['\n'],
      seed: 3,
      responseFormat: { type: 'json-schema', name: 's', schema: { type: 'object' }, strict: true },
      extensions: { user: 'u', reasoning_effort: 'low' },
    };
    await open('echo').generate({
      config,
      messages: [
        { role: 'system', content: 'be brief' },
        {
          role: 'user',
          name: 'ann',
          content: [
            { type: 'text', text: 'hi' },
            { type: 'image-url', url: 'data:,x', detail: 'low' },
          ],
        },
      ],
    });
    expect(server.bodies.at(-1)).toEqual({
      model: 'echo',
      messages: [
        { role: 'system', content: 'be brief' },
        {
          role: 'user',
          name: 'ann',
          content: [
            { type: 'text', text: 'hi' },
            { type: 'image_url', image_url: { url: 'data:,x', detail: 'low' } },
          ],
        },
      ],
      temperature: 0,
      max_tokens: 7,
      n: 1,
      top_p: 0.5,
      stop: ['\n'],
      seed: 3,
      response_format: {
        type: 'json_schema',
        json_schema: { name: 's', schema: { type: 'object' }, strict: true },
      },
      user: 'u',
      reasoning_effort: 'low',
    });
  });

  test('nothing that was not asked for', async () => {
    await open('echo').generate(askFor('x'));
    expect(Object.keys(server.bodies.at(-1) ?? {})).toEqual(['model', 'messages']);
  });

  test.each([
    ['o3-mini', 'max_completion_tokens'],
    ['openai/gpt-5-nano', 'max_completion_tokens'],
    ['gpt-5-chat-latest', 'max_tokens'],
    ['gpt-4o', 'max_tokens'],
    ['olmo-2', 'max_tokens'],
  ])('%s takes %s', async (model, name) => {
    await open(model).generate(askFor('x', { maxTokens: 9 }));
    expect(server.bodies.at(-1)?.[name]).toBe(9);
  });

  test('token counts of streams, unless the server refuses to be asked', async () => {
    await collect(open('echo').stream(askFor('x')));
    expect(server.bodies.at(-1)).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    const { response } = await collect(open('echo', { streamsUsage: false }).stream(askFor('x')));
    expect(server.bodies.at(-1)).not.toHaveProperty('stream_options');
    expect(response.usage.totalTokens).toBe(0);
  });

  test('the key goes into the Authorization header, and only there', async () => {
    await open('echo', { apiKey: key, headers: { 'X-Extra': 'extra-value' } }).generate(askFor('x'));
    expect(server.lastHeaders.authorization).toBe(`Bearer ${key}`);
    expect(server.lastHeaders['x-extra']).toBe('extra-value');
    expect(JSON.stringify({ ...server.lastHeaders, authorization: '' })).not.toContain(key);
    expect(JSON.stringify(server.bodies)).not.toContain(key);
  });

  test('no Authorization header without a key', async () => {
    await open('echo', { apiKey: '' }).generate(askFor('x'));
    expect(server.lastHeaders.authorization).toBeUndefined();
  });

  test('the base URL may end in a slash or in the whole path', async () => {
    for (const baseUrl of [`${server.baseUrl}/`, `${server.baseUrl}/chat/completions`]) {
      expect((await open('echo', { baseUrl }).generate(askFor('x'))).outputs[0]?.text).toBe('x');
    }
  });
});

describe('what comes back', () => {
  test('the response, with its id and the reason why an answer is cut off', async () => {
    expect(await open('cut-off').generate(askFor('x'))).toEqual({
      model: 'cut-off',
      outputs: [{ text: 'half', finishReason: 'length' }],
      usage: { inputTokens: 2, outputTokens: 1, totalTokens: 3 },
      responseId: 'chatcmpl-local',
    });
  });

  test('a server that ignores stream: true still answers', async () => {
    const { texts, parts } = await collect(open('no-stream').stream(askFor('a b c')));
    expect(texts).toEqual(['a b c']);
    expect(parts).toBe(2);
  });
});

describe('errors', () => {
  test.each([
    ['401', 'lm/auth', 401, false],
    ['403', 'lm/auth', 403, false],
    ['402', 'lm/billing', 402, false],
    ['quota', 'lm/billing', 429, false],
    ['404', 'lm/model-not-found', 404, false],
    ['400', 'lm/invalid-request', 400, false],
    ['422', 'lm/invalid-request', 422, false],
    ['context', 'lm/context-window-exceeded', 400, false],
    ['408', 'lm/timeout', 408, true],
    ['429', 'lm/rate-limited', 429, true],
    ['500', 'lm/server', 500, true],
    ['503', 'lm/server', 503, true],
    ['501', 'lm/server', 501, false],
    ['redirect', 'lm/invalid-request', 302, false],
  ])('%s is %s', async (model, code, status, isRetryable) => {
    const error = await failureOf(`${model}:table`);
    expect(error).toMatchObject({ code, isRetryable, fields: { model: `${model}:table`, status } });
    expect(error.message).toContain(`[${model}:table]`);
    expect(error.fields['requestId']).toMatch(/^request-\d+$/);
  });

  test.each([
    ['garbage', 'not-json'],
    ['html', 'not-json'],
    ['no-choices', 'wrong-shape'],
    ['truncated', 'not-json'],
  ])('%s is lm/response-invalid (%s)', async (model, reason) => {
    expect(await failureOf(model)).toMatchObject({ code: 'lm/response-invalid', fields: { reason } });
  });

  test.each([
    ['garbage', 'lm/response-invalid'],
    ['html', 'lm/response-invalid'],
    ['no-choices', 'lm/response-invalid'],
    ['truncated', 'lm/response-invalid'],
    ['cut', 'lm/network'],
    ['streamed-error', 'lm/server'],
    ['401', 'lm/auth'],
    ['500', 'lm/server'],
    ['redirect', 'lm/invalid-request'],
  ])('a stream of %s ends with %s', async (model, code) => {
    expect(await codeOf(collect(open(`${model}:stream`).stream(askFor('x'))))).toBe(code);
  });

  test('a truncated stream says so, and can be tried again', async () => {
    await expect(collect(open('truncated').stream(askFor('x')))).rejects.toMatchObject({
      isRetryable: true,
      fields: { reason: 'truncated', receivedChars: 8 },
    });
  });

  test('a connection that breaks, and a port where nothing listens', async () => {
    expect(await failureOf('cut')).toMatchObject({ code: 'lm/network', isRetryable: true });
    const error = await failureOf('echo', {
      baseUrl: `${await closedPort()}/v1`,
      limits: { maxAttempts: 1 },
    });
    expect(error).toMatchObject({ code: 'lm/network', isRetryable: true });
    expect(String(error.cause)).toContain('ECONNREFUSED');
  });

  test('a server that never answers, and one that falls silent', async () => {
    expect(await failureOf('never', { limits: { firstByteTimeoutMs: 60 } })).toMatchObject({
      code: 'lm/timeout',
      fields: { reason: 'first-byte', timeoutMs: 60 },
    });
    expect(await failureOf('never', { limits: { timeoutMs: 60 } })).toMatchObject({
      fields: { reason: 'call' },
    });
    expect(await failureOf('stall', { limits: { idleTimeoutMs: 60 } })).toMatchObject({
      fields: { reason: 'idle' },
    });
    const stream = collect(open('stall', { limits: { idleTimeoutMs: 60 } }).stream(askFor('x')));
    await expect(stream).rejects.toMatchObject({ code: 'lm/timeout', fields: { reason: 'idle' } });
    await expect.poll(() => server.stats.open).toBe(0);
  });
});

describe('bounds', () => {
  test('an answer that never ends is left at maxResponseBytes', async () => {
    const limits = { maxResponseBytes: 200_000 };
    expect(await failureOf('flood', { limits })).toMatchObject({
      code: 'lm/response-invalid',
      fields: { reason: 'too-large' },
    });
    expect(await codeOf(collect(open('flood', { limits }).stream(askFor('x'))))).toBe('lm/response-invalid');
    await expect.poll(() => server.stats.open).toBe(0);
  });

  test('a prompt beyond maxRequestBytes is not sent', async () => {
    const before = server.stats.requests;
    const call = open('echo', { limits: { maxRequestBytes: 1000 } }).generate(askFor('x'.repeat(2000)));
    await expect(call).rejects.toMatchObject({
      code: 'lm/invalid-request',
      fields: { maxRequestBytes: 1000 },
    });
    expect(server.stats.requests).toBe(before);
  });

  test.each([
    ['maxResponseBytes', NaN],
    ['maxAttempts', '3'],
    ['idleTimeoutMs', -1],
    ['maxRetries', 3],
  ])('the limit %s of %s is refused', (name, value) => {
    const open = (): unknown =>
      openAiCompatible({ baseUrl: server.baseUrl, model: 'echo', limits: { [name]: value } });
    expect(open).toThrow(
      expect.objectContaining({
        code: 'lm/invalid-request',
        fields: expect.objectContaining({ field: `limits.${name}` }) as object,
      }) as Error,
    );
  });

  test('a long error answer is read and shown in part', async () => {
    const long = await startOpenAiServer({
      respond: () => ({ status: 400, body: { error: { message: 'y'.repeat(1e6) } } }),
    });
    const error = await failureOf('any', { baseUrl: long.baseUrl });
    expect(error.message.length).toBeLessThan(1000);
    await long.close();
  });
});

describe('trying again', () => {
  test.each(['429-then-ok:a', '500-then-ok:a', '503-then-ok:a', 'reset-then-ok:a'])(
    '%s succeeds',
    async (model) => {
      expect((await open(model).generate(askFor('hello'))).outputs[0]?.text).toBe('hello');
    },
  );

  test.each(['429-then-ok:b', '500-then-ok:b', 'reset-then-ok:b'])(
    '%s succeeds as a stream',
    async (model) => {
      expect((await collect(open(model).stream(askFor('hello')))).texts).toEqual(['hello']);
    },
  );

  test.each([
    ['500:count', 4],
    ['429:count', 4],
    ['401:count', 1],
    ['404:count', 1],
    ['400:count', 1],
    ['429-wait', 1],
    ['garbage', 1],
  ])('%s is asked %i times', async (model, times) => {
    const before = server.stats.requests;
    await failureOf(model);
    expect(server.stats.requests - before).toBe(times);
  });

  test('a pause longer than we wait is told to the caller', async () => {
    expect(await failureOf('429-wait')).toMatchObject({
      fields: { retryAfterMs: 3_600_000 },
      isRetryable: true,
    });
  });

  test('never after a piece of a stream was delivered', async () => {
    const before = server.stats.requests;
    expect(await codeOf(collect(open('cut').stream(askFor('x'))))).toBe('lm/network');
    expect(await codeOf(collect(open('streamed-error').stream(askFor('x'))))).toBe('lm/server');
    expect(server.stats.requests - before).toBe(2);
  });
});

describe('secrets', () => {
  const everything = (error: CodedError): string =>
    inspect(error, { depth: 10, showHidden: true }) +
    JSON.stringify(error) +
    String(error.stack) +
    String(error.cause);

  test('a server that repeats the key does not bring it into the error', async () => {
    const locked = await startOpenAiServer({ apiKey: 'the-right-one' });
    const error = await failureOf('echo', { baseUrl: locked.baseUrl, apiKey: key });
    expect(error.code).toBe('lm/auth');
    expect(error.message).toContain('[redacted]');
    expect(everything(error)).not.toContain(key);
    await locked.close();
    const echoed = everything(await failureOf('echo-key', { apiKey: key }));
    expect(echoed).not.toContain(key);
    expect(echoed).not.toContain(encodeURIComponent(key));
  });

  test('the model shows nothing of it', () => {
    const baseUrl = `${server.baseUrl}?key=in-the-query`;
    const model = open('echo', { baseUrl, apiKey: key, headers: { 'x-api-key': 'another-secret' } });
    const shown =
      inspect(model, { depth: 10, showHidden: true }) +
      JSON.stringify(model) +
      JSON.stringify(Object.entries(model));
    expect(shown).not.toContain(key);
    expect(shown).not.toContain('another-secret');
    expect(shown).not.toContain('in-the-query');
  });

  test.each([
    ['a key with a line break', { apiKey: `${key}\n` }],
    ['a key that is no ASCII', { apiKey: `${key}é` }],
    ['a header with a line break', { headers: { 'x-key': `${key}\r\nx: y` } }],
    ['two keys', { apiKey: 'a', headers: { Authorization: key } }],
    ['an address that is a key', { baseUrl: key }],
    ['an address with a password', { baseUrl: `http://user:${key.replace('/', '')}@localhost` }],
    ['an address that is no http', { baseUrl: `ftp://x/${key}` }],
  ])('%s is refused without showing it', (_, options) => {
    let error: CodedError | undefined;
    try {
      open('echo', options);
    } catch (thrown) {
      error = thrown as CodedError;
    }
    expect(error?.code).toBe('lm/invalid-request');
    expect(everything(error as CodedError)).not.toContain(key.slice(0, 12));
  });

  test('a key in the query of the address stays out of errors', async () => {
    const baseUrl = `${await closedPort()}/v1?key=${encodeURIComponent(key)}`;
    const error = await failureOf('echo', { baseUrl, limits: { maxAttempts: 1 } });
    expect(error.code).toBe('lm/network');
    expect(everything(error)).not.toContain('sk-very');
  });
});

describe('extensions', () => {
  test.each(['model', 'messages', 'stream', 'stream_options'])('may not replace %s', async (name) => {
    const call = open('echo').generate(askFor('x', { extensions: { [name]: 'mine' } }));
    await expect(call).rejects.toMatchObject({
      code: 'lm/invalid-request',
      fields: { field: `config.extensions.${name}` },
    });
  });
});

describe('telemetry', () => {
  const span = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };

  test('start, retry and end carry the span', async () => {
    const hub = createHub();
    using sink = createMemorySink(hub);
    await open('500-then-ok:telemetry', { hub }).generate(askFor('x y'), { span });
    expect(sink.events.map((event) => event.type)).toEqual(['lm-start', 'lm-retry', 'lm-end']);
    expect(sink.events.every((event) => event.span === span)).toBe(true);
    expect(sink.ofType('lm-retry')[0]).toMatchObject({ attempt: 1, error: { code: 'lm/server' } });
    expect(sink.ofType('lm-end')[0]).toMatchObject({ inputTokens: 3, outputTokens: 2 });
  });

  test('each start is followed by one end or failure, also for a reader who leaves', async () => {
    const hub = createHub();
    using sink = createMemorySink(hub);
    await codeOf(open('401', { hub }).generate(askFor('x')));
    for await (const part of open('echo', { hub }).stream(askFor('x y z')))
      if (part.type === 'text-delta') break;
    await collect(open('echo', { hub }).stream(askFor('x')));
    expect(sink.events.map((event) => event.type)).toEqual([
      'lm-start',
      'lm-fail',
      'lm-start',
      'lm-fail',
      'lm-start',
      'lm-end',
    ]);
    expect(sink.ofType('lm-fail').map((event) => event.error.code)).toEqual(['lm/auth', 'lm/cancelled']);
  });
});
