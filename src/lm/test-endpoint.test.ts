import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import { closedPort, startOpenAiServer } from '../../tools/openai-server.mjs';
import type { OpenAiServer } from '../../tools/openai-server.mjs';
import type { ErrorCode } from '../base/index.ts';
import type { LmErrorCode } from './error.ts';
import type { LanguageModel } from './language-model.ts';
import { openAiCompatible } from './provider/openai-compatible.ts';
import { scriptedLm } from './provider/scripted.ts';
import { testEndpoint } from './test-endpoint.ts';

let server: OpenAiServer;
beforeAll(async () => {
  server = await startOpenAiServer({ apiKey: 'right-key' });
});
afterAll(() => server.close());

const open = (model: string, baseUrl: string = server.baseUrl, apiKey = 'right-key') =>
  openAiCompatible({ baseUrl, model, apiKey, limits: { maxAttempts: 1 } });

describe('testEndpoint', () => {
  test('an endpoint where everything works', async () => {
    const report = await testEndpoint(open('echo'));
    expect(report).toMatchObject({
      model: 'echo',
      isScripted: false,
      reachable: 'ok',
      cors: 'ok',
      auth: 'ok',
      modelKnown: 'ok',
      answer: 'ok',
      streaming: 'ok',
      answeredBy: 'echo',
      error: null,
    });
    expect(report.latencyMs).toBeGreaterThan(0);
    expect(report.firstTextMs).toBeGreaterThan(0);
    expect(structuredClone(report)).toEqual(report);
  });

  test.each([
    ['404', { reachable: 'ok', auth: 'ok', modelKnown: 'failed', answer: 'unknown' }, 'lm/model-not-found'],
    ['429', { reachable: 'ok', auth: 'unknown', answer: 'failed' }, 'lm/rate-limited'],
    ['500', { reachable: 'ok', answer: 'failed' }, 'lm/server'],
    ['html', { reachable: 'ok', answer: 'failed' }, 'lm/response-invalid'],
    ['quota', { auth: 'ok', answer: 'failed' }, 'lm/billing'],
  ])('%s', async (model, verdicts, code) => {
    const report = await testEndpoint(open(model));
    expect(report).toMatchObject({ ...verdicts, streaming: 'unknown', latencyMs: null, error: { code } });
  });

  test('a wrong key', async () => {
    const report = await testEndpoint(open('echo', server.baseUrl, 'wrong-key'));
    expect(report).toMatchObject({
      reachable: 'ok',
      auth: 'failed',
      modelKnown: 'unknown',
      error: { code: 'lm/auth' },
    });
    expect(JSON.stringify(report)).not.toContain('wrong-key');
  });

  test('nothing at that address', async () => {
    const report = await testEndpoint(open('echo', `${await closedPort()}/v1`));
    expect(report).toMatchObject({
      reachable: 'failed',
      cors: 'unknown',
      auth: 'unknown',
      error: { code: 'lm/network' },
    });
  });

  test('answers without streaming', async () => {
    expect(await testEndpoint(open('no-stream'))).toMatchObject({
      answer: 'ok',
      streaming: 'failed',
      error: null,
    });
  });

  test('a server that never answers costs the limit, no more', async () => {
    const report = await testEndpoint(open('never'), { timeoutMs: 100 });
    expect(report).toMatchObject({ reachable: 'unknown', error: { code: 'lm/timeout' } });
  });

  test('a model that throws something without a code is reported with one that is in the table', async () => {
    const broken: LanguageModel = {
      ...scriptedLm({ script: () => 'never asked' }),
      generate: () => Promise.reject(new TypeError('x is not a function')),
    };
    const unexpected: LmErrorCode = 'lm/unexpected';
    const { error, reachable } = await testEndpoint(broken);
    expect(error).toEqual({ code: unexpected, message: 'x is not a function' });
    expect(reachable).toBe('unknown');
    expectTypeOf(error).toEqualTypeOf<{ readonly code: ErrorCode; readonly message: string } | null>();
  });

  test('a scripted model says so', async () => {
    const report = await testEndpoint(scriptedLm({ script: () => 'one two' }));
    expect(report).toMatchObject({ isScripted: true, answer: 'ok', answeredBy: 'scripted/lm' });
  });
});
