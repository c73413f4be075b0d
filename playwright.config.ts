import { spawnSync } from 'node:child_process';
import { defineConfig } from '@playwright/test';
import { chromiumFlags } from './tools/chromium-flags.mjs';
import { findBrowser } from './tools/find-browser.mjs';

/** The configuration is read again in every worker process; the first reading chooses the port for all. */
function choosePort(): string {
  const chosen = process.env['VIVARIUM_E2E_PORT'];
  if (chosen) return chosen;
  const script =
    "const s = require('node:net').createServer().listen(0, () => { console.log(s.address().port); s.close(); })";
  const port = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stdout.trim();
  process.env['VIVARIUM_E2E_PORT'] = port;
  return port;
}

const port = choosePort();
const executablePath = findBrowser();

export default defineConfig({
  testDir: 'e2e',
  testMatch: '*.spec.ts',
  outputDir: 'test-results',
  // Two shared cores: Python's first start alone takes seconds.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  workers: 1,
  retries: 0,
  forbidOnly: Boolean(process.env['CI']),
  reporter: 'list',
  use: {
    baseURL: `http://localhost:${port}`,
    screenshot: 'off',
    trace: 'off',
    video: 'off',
    launchOptions: { args: chromiumFlags, ...(executablePath ? { executablePath } : {}) },
  },
  webServer: {
    command: `node tools/start.mjs --no-open --strict-port --port ${port}`,
    url: `http://localhost:${port}`,
    timeout: 300_000,
    reuseExistingServer: false,
    stdout: 'pipe',
  },
});
