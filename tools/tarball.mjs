// Installs the packed package into an empty folder and runs examples/worker-entry from it: types, development server, build.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { launchBrowser } from './browser.mjs';
import { packPackage, runNpm } from './packed.mjs';

const root = resolve(import.meta.dirname, '..');
const pageTimeoutMs = 120_000;
const expected = {
  isIsolated: true,
  kind: 'qa',
  answer: 'Forty-two. (QA, in a worker)',
  python: 42,
  determinant: 7,
  device: 'wasm',
};

/** @param {string} folder an empty one */
function install(folder) {
  cpSync(join(root, 'examples/worker-entry'), folder, {
    recursive: true,
    filter: (path) => !/node_modules|dist/.test(path.slice(root.length)),
  });
  const tarball = packPackage(folder);
  const file = join(folder, 'package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  manifest.dependencies.vivarium = `file:${tarball}`;
  writeFileSync(file, JSON.stringify(manifest));
  runNpm(['install', '--no-audit', '--no-fund', '--prefer-offline', '--silent'], folder);
}

/** Vite as the folder has it, not ours. @param {string} folder @returns {Promise<typeof import('vite')>} */
async function viteOf(folder) {
  const manifest = createRequire(join(folder, 'package.json')).resolve('vite/package.json');
  return import(pathToFileURL(join(manifest, '../dist/node/index.js')).href);
}

/** @param {string | undefined} url @param {string} what */
async function checkPage(url, what) {
  if (!url) throw new Error(`${what}: the server has no address`);
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    /** @type {string[]} */
    const complaints = [];
    let loads = 0;
    page.on('load', () => loads++);
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url);
    const facts = page.locator('#facts', { hasText: '}' });
    await facts.waitFor({ timeout: pageTimeoutMs }).catch(() => {
      throw new Error(`${what}: the page showed nothing. ${complaints.join('; ')}`);
    });
    const shown = JSON.parse((await facts.textContent()) ?? '');
    const { worker, ...rest } = shown;
    const isAsExpected = JSON.stringify(rest) === JSON.stringify(expected) && typeof worker === 'string';
    if (!isAsExpected)
      throw new Error(`${what}: the page showed ${JSON.stringify(shown)}. ${complaints.join('; ')}`);
    if (loads !== 1) throw new Error(`${what}: the page loaded ${loads} times`);
    if (complaints.length > 0) throw new Error(`${what}: ${complaints.join('; ')}`);
    console.log(`${what}: ${JSON.stringify(shown)}`);
  } finally {
    await browser.close();
  }
}

/** @param {string} folder */
async function checkDevelopment(folder) {
  const { createServer } = await viteOf(folder);
  const server = await createServer({ root: folder, logLevel: 'error', server: { port: 0 } });
  try {
    await server.listen();
    await checkPage(server.resolvedUrls?.local[0], 'development');
  } finally {
    await server.close();
  }
}

/** @param {string} folder */
async function checkBuild(folder) {
  const { build, preview } = await viteOf(folder);
  await build({ root: folder, logLevel: 'error' });
  const server = await preview({ root: folder, logLevel: 'error', preview: { port: 0 } });
  try {
    await checkPage(server.resolvedUrls?.local[0], 'build');
  } finally {
    await server.close();
  }
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-tarball-'));
  try {
    install(folder);
    const tsc = join(folder, 'node_modules/typescript/bin/tsc');
    execFileSync(process.execPath, [tsc, '-p', 'tsconfig.json'], { cwd: folder, stdio: 'inherit' });
    console.log('types: the example passes with the published declarations');
    await checkDevelopment(folder);
    await checkBuild(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error) => {
  console.error(`tarball failed: ${error.message}`);
  process.exitCode = 1;
});
