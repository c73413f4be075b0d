import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isCodedError } from '../base/index.ts';
import { fetchAsset } from './asset.ts';

let server: Server;
let base = '';

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/missing') response.writeHead(404).end();
    else if (request.url === '/broken') response.writeHead(503).end();
    else if (request.url === '/fallback.wasm')
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>');
    else if (request.url === '/never') response.writeHead(200).write('a');
    else response.writeHead(200).end(Buffer.alloc(1000, 7));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => error,
  );

test('the bytes arrive', async () => {
  expect(new Uint8Array(await fetchAsset(`${base}/file`))).toEqual(new Uint8Array(1000).fill(7));
});

test.each([
  ['/missing', false, 'status 404'],
  ['/broken', true, 'status 503'],
  ['/fallback.wasm', false, 'page instead of the file'],
])('%s is platform/asset-failed, retryable %s', async (path, isRetryable, text) => {
  const error = await failure(fetchAsset(base + path));
  expect(isCodedError(error, 'platform/asset-failed')).toBe(true);
  expect(error).toMatchObject({ isRetryable, fields: { url: base + path } });
  expect((error as Error).message).toContain(text);
});

test('nobody there is platform/asset-failed, retryable', async () => {
  const error = await failure(fetchAsset('http://127.0.0.1:1/x'));
  expect(error).toMatchObject({ code: 'platform/asset-failed', isRetryable: true });
});

test('one byte over the size is refused, the exact size is not', async () => {
  await expect(fetchAsset(`${base}/file`, { maxSizeBytes: 999 })).rejects.toMatchObject({
    code: 'platform/asset-failed',
  });
  await expect(fetchAsset(`${base}/file`, { maxSizeBytes: 1000 })).resolves.toHaveProperty(
    'byteLength',
    1000,
  );
});

test('an aborted signal ends a load that never ends', async () => {
  const controller = new AbortController();
  const loading = failure(fetchAsset(`${base}/never`, { signal: controller.signal }));
  setTimeout(() => controller.abort(new Error('enough')), 50);
  expect(await loading).toMatchObject({ message: 'enough' });
});
