import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveApp } from './start.mjs';

const outDir = mkdtempSync(join(tmpdir(), 'vivarium-start-'));
const start = resolve(import.meta.dirname, 'start.mjs');
beforeAll(() => {
  writeFileSync(join(outDir, 'index.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(outDir, 'modules.worker.js'), 'export {};');
});
afterAll(() => rmSync(outDir, { recursive: true }));

/** @param {string} url */
async function headersOf(url) {
  const { headers, status } = await fetch(url);
  return { status, policy: headers.get('content-security-policy'), headers };
}

describe('serving the built app', () => {
  it('isolates every answer and gives it a policy', async () => {
    const server = await serveApp({ port: 0, outDir });
    try {
      const page = await headersOf(server.url);
      expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(page.headers.get('cross-origin-embedder-policy')).toBe('credentialless');
      expect(page.policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
      expect(page.policy).toContain("frame-src 'self'");
      const worker = await headersOf(`${server.url}modules.worker.js?edit=x`);
      expect(worker.policy).toContain("script-src 'self' 'wasm-unsafe-eval' blob:;");
      expect((await headersOf(`${server.url}nowhere`)).status).toBe(404);
    } finally {
      await server.close();
    }
  });

  it('takes the next port when one is busy, unless told not to', async () => {
    const first = await serveApp({ port: 0, outDir });
    const port = Number(new URL(first.url).port);
    const second = await serveApp({ port, outDir });
    try {
      expect(Number(new URL(second.url).port)).toBeGreaterThan(port);
      await expect(serveApp({ port, isStrictPort: true, outDir })).rejects.toThrow(/in use/);
    } finally {
      await first.close();
      await second.close();
    }
  });

  it('drops the policy only when a proof asks for it', async () => {
    const server = await serveApp({ port: 0, outDir, isDefended: false });
    try {
      expect((await headersOf(server.url)).policy).toBeNull();
    } finally {
      await server.close();
    }
  });

  it('sends other headers when a proof asks for it', async () => {
    const rewrite = (/** @type {string} */ name, /** @type {string} */ value) =>
      name === 'content-security-policy' ? "frame-src 'self'" : value;
    const server = await serveApp({ port: 0, outDir, rewrite });
    try {
      expect((await headersOf(server.url)).policy).toBe("frame-src 'self'");
    } finally {
      await server.close();
    }
  });
});

describe('the start command', () => {
  it.each(['abc', '0', '70000', '1.5'])('refuses --port %s by name', (port) => {
    const { status, stderr } = spawnSync(process.execPath, [start, '--port', port], { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toBe(`start failed: --port is "${port}"; it must be a whole number from 1 to 65535\n`);
  });

  it('prints its options', () => {
    expect(execFileSync(process.execPath, [start, '--help'], { encoding: 'utf8' })).toContain('--no-open');
  });
});
