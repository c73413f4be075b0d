import { describe, expect, inject, test } from 'vitest';
import { askFor, codeOf } from './language-model.contract.ts';
import { openAiCompatible } from './provider/openai-compatible.ts';
import { diagnoseUnreachable } from './reachability.ts';
import { testEndpoint } from './test-endpoint.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Base URLs of servers on other origins than the page's. */
    readonly openAiServers: Readonly<
      Record<'allow' | 'contract' | 'refuse' | 'noPreflight' | 'withKey' | 'readme' | 'closed', string>
    >;
    /** A page whose headers the query chooses. */
    readonly policyPage: string;
  }
}

const servers = inject('openAiServers');
const open = (baseUrl: string, model = 'echo', apiKey = 'browser-test-key') =>
  openAiCompatible({ baseUrl, model, apiKey, limits: { maxAttempts: 1 } });
const url = (baseUrl: string): string => `${baseUrl}/chat/completions`;

test('the page is isolated and on another origin than the servers', () => {
  expect(crossOriginIsolated).toBe(true);
  expect(new URL(servers.allow).origin).not.toBe(location.origin);
});

describe('a failed call from a page', () => {
  test('works where the server lets the page in', async () => {
    expect((await open(servers.allow).generate(askFor('hi'))).outputs[0]?.text).toBe('hi');
  });

  test.each(['refuse', 'noPreflight'] as const)(
    'a server with CORS "%s" is lm/cors-refused',
    async (name) => {
      const failure = open(servers[name]).generate(askFor('hi'));
      await expect(failure).rejects.toMatchObject({
        code: 'lm/cors-refused',
        isRetryable: false,
        fields: { reason: 'no-permission', url: url(servers[name]) },
      });
      await expect(failure).rejects.toThrow(`Access-Control-Allow-Origin: ${location.origin}`);
    },
  );

  test('a closed port is lm/network', async () => {
    await expect(open(servers.closed).generate(askFor('hi'))).rejects.toMatchObject({
      code: 'lm/network',
      isRetryable: true,
      fields: { reason: 'no-answer' },
    });
  });

  test('a name that does not exist is lm/network', async () => {
    expect(await codeOf(open('http://nowhere.invalid/v1').generate(askFor('hi')))).toBe('lm/network');
  });

  test('a connection that breaks at a server that lets the page in is lm/network', async () => {
    await expect(open(servers.allow, 'reset').generate(askFor('hi'))).rejects.toMatchObject({
      code: 'lm/network',
      isRetryable: true,
      fields: { reason: 'answers-now' },
    });
  });

  test('such a connection is tried again', async () => {
    const lm = openAiCompatible({
      baseUrl: servers.allow,
      model: `reset-then-ok:${Math.random()}`,
      limits: { backOffBaseMs: 5 },
    });
    expect((await lm.generate(askFor('hi'))).outputs[0]?.text).toBe('hi');
  });

  test('a redirect is told apart', async () => {
    expect(await codeOf(open(servers.allow, 'redirect').generate(askFor('hi')))).toBe('lm/invalid-request');
  });

  test('an aborted diagnosis ends at once', async () => {
    const controller = new AbortController();
    const call = codeOf(open(servers.refuse).generate(askFor('hi'), { signal: controller.signal }));
    setTimeout(() => controller.abort(), 1);
    expect(['lm/cancelled', 'lm/cors-refused']).toContain(await call);
  });
});

describe('diagnoseUnreachable', () => {
  test.each([
    ['allow', 'lm/network', 'answers-now'],
    ['refuse', 'lm/cors-refused', 'no-permission'],
    ['closed', 'lm/network', 'no-answer'],
  ] as const)('%s', async (name, code, reason) => {
    expect(await diagnoseUnreachable(url(servers[name]))).toMatchObject({ code, reason });
  });

  test('a header that the server does not permit counts as refused', async () => {
    const options = { headerNames: ['authorization'] };
    expect(await diagnoseUnreachable(url(servers.noPreflight), options)).toMatchObject({
      code: 'lm/cors-refused',
    });
    expect(await diagnoseUnreachable(url(servers.noPreflight))).toMatchObject({ reason: 'answers-now' });
  });
});

/** Asks a page under another policy, in a frame. */
async function diagnoseUnder(policy: Readonly<Record<string, string>>, target: string): Promise<unknown> {
  const frame = document.createElement('iframe');
  const nextMessage = (): Promise<unknown> =>
    new Promise((resolve) => {
      addEventListener('message', function onMessage(event) {
        if (event.source !== frame.contentWindow) return;
        removeEventListener('message', onMessage);
        resolve(event.data);
      });
    });
  const ready = nextMessage();
  frame.src = `${inject('policyPage')}?${String(new URLSearchParams(policy))}`;
  document.body.append(frame);
  await ready;
  const answer = nextMessage();
  frame.contentWindow?.postMessage(target, '*');
  return answer.finally(() => frame.remove());
}

describe('diagnoseUnreachable under other policies', () => {
  test.each([
    ['allow', { code: 'lm/network', reason: 'answers-now' }],
    ['refuse', { code: 'lm/unreachable-or-cors', reason: 'embedder-policy' }],
    ['closed', { code: 'lm/unreachable-or-cors', reason: 'embedder-policy' }],
  ] as const)('require-corp: %s', async (name, expected) => {
    expect(await diagnoseUnder({ embedder: 'require-corp' }, url(servers[name]))).toMatchObject(expected);
  });

  test.each([
    ['refuse', { code: 'lm/cors-refused', reason: 'no-permission' }],
    ['closed', { code: 'lm/network', reason: 'no-answer' }],
  ] as const)('credentialless: %s', async (name, expected) => {
    expect(await diagnoseUnder({ embedder: 'credentialless' }, url(servers[name]))).toMatchObject(expected);
  });

  test("the page's own Content-Security-Policy is named", async () => {
    const policy = { embedder: 'credentialless', content: "connect-src 'self'" };
    expect(await diagnoseUnder(policy, url(servers.allow))).toMatchObject({
      code: 'lm/network',
      reason: 'content-security-policy',
    });
  });
});

describe('testEndpoint from a page', () => {
  test('tells the links apart', async () => {
    expect(await testEndpoint(open(servers.withKey))).toMatchObject({
      cors: 'ok',
      auth: 'ok',
      streaming: 'ok',
      error: null,
    });
    expect(await testEndpoint(open(servers.withKey, 'echo', 'wrong'))).toMatchObject({
      cors: 'ok',
      auth: 'failed',
    });
    expect(await testEndpoint(open(servers.refuse))).toMatchObject({
      reachable: 'ok',
      cors: 'failed',
      auth: 'unknown',
    });
    expect(await testEndpoint(open(servers.closed))).toMatchObject({ reachable: 'failed', cors: 'unknown' });
    expect(await testEndpoint(open(servers.allow, '404'))).toMatchObject({
      auth: 'ok',
      modelKnown: 'failed',
    });
  });
});
