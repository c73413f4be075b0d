import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { GuestValue } from '../guest-value.ts';
import { createFetchTool } from './fetch-tool.ts';
import { resolvePolicy } from './policy.ts';

interface Hit {
  readonly request: string;
  readonly headers: IncomingHttpHeaders;
}

let server: Server;
let origin = '';
let hits: Hit[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    hits.push({ request: `${request.method} ${request.url}`, headers: request.headers });
    if (request.url === '/away') response.writeHead(302, { location: '/secret' }).end();
    else if (request.url === '/large') response.writeHead(200).end(Buffer.alloc(5000));
    else request.pipe(response.writeHead(201, { 'x-a': '1' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  hits = [];
});

const tool = createFetchTool({ fetch, maxResponseBytes: 1000, maxRequestBytes: 10 });

async function ask(named: Record<string, GuestValue>): Promise<GuestValue> {
  const policy = resolvePolicy({ network: [{ origin, methods: ['GET', 'POST'] }] });
  const { signal } = new AbortController();
  return (await tool.call({ arguments: [], named, signal, policy })) as GuestValue;
}

test('an allowed request goes out, and its answer comes back', async () => {
  const answer = await ask({
    url: `${origin}/a?b`,
    method: 'post',
    body: 'text',
    headers: { Accept: 'x/y' },
  });
  expect(answer).toMatchObject({
    status: 201,
    headers: { 'x-a': '1' },
    body: new TextEncoder().encode('text'),
  });
  expect(hits).toMatchObject([{ request: 'POST /a?b', headers: { accept: 'x/y' } }]);
});

test.each<[string, () => Record<string, GuestValue>]>([
  ['a method that is not listed', () => ({ url: origin, method: 'DELETE' })],
  ['another host', () => ({ url: 'http://127.0.0.2/' })],
  ['another port', () => ({ url: 'http://127.0.0.1:1/' })],
  ['another scheme', () => ({ url: origin.replace('http:', 'https:') })],
  ['a host that looks like it', () => ({ url: 'http://127.0.0.1.example/' })],
])('%s is denied, and nothing goes out', async (_name, named) => {
  await expect(ask(named())).rejects.toMatchObject({
    code: 'executor/denied',
    fields: { permission: 'network' },
  });
  expect(hits).toEqual([]);
});

test.each<[string, () => Record<string, GuestValue>]>([
  ['no address', () => ({})],
  ['a path alone', () => ({ url: '/a' })],
  ['a file', () => ({ url: 'file:///etc/passwd' })],
  ['a script', () => ({ url: 'javascript:1' })],
  ['a user', () => ({ url: origin.replace('//', '//user:word@') })],
  ['an address of great length', () => ({ url: `${origin}/${'x'.repeat(9000)}` })],
  ['a method with a line end', () => ({ url: origin, method: 'GET\r\n' })],
  ['a cookie', () => ({ url: origin, headers: { Cookie: 'a=b' } })],
  ['an authorization', () => ({ url: origin, headers: { Authorization: 'x' } })],
  ['a header with a line end', () => ({ url: origin, headers: { Accept: 'a\r\nCookie: b' } })],
  ['a body that is too large', () => ({ url: origin, method: 'POST', body: 'x'.repeat(11) })],
  ['a body that is a number', () => ({ url: origin, method: 'POST', body: 1 })],
])('%s is refused, and nothing goes out', async (_name, named) => {
  await expect(ask(named())).rejects.toMatchObject({ code: 'executor/tool-arguments-invalid' });
  expect(hits).toEqual([]);
});

test('a redirect is not followed', async () => {
  await expect(ask({ url: `${origin}/away` })).rejects.toMatchObject({ code: 'executor/fetch-failed' });
  expect(hits.map(({ request }) => request)).toEqual(['GET /away']);
});

test('an answer that is too large is given up', async () => {
  await expect(ask({ url: `${origin}/large` })).rejects.toMatchObject({
    code: 'executor/fetch-failed',
    message: expect.stringContaining('more than 1000 bytes') as string,
  });
});
