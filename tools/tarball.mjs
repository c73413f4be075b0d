// Installs the packed package into an empty folder and runs examples from it: worker-entry (types, development server with an edited
// file, build), executor (types, development server, build), and plain-es-modules, from the installed files alone.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { launchBrowser } from './browser.mjs';
import { checkExecutorPage, checkExecutorServed } from './executor-page.mjs';
import { checkHotSwap } from './hot-swap-page.mjs';
import { packPackage, runNpm } from './packed.mjs';
import { serveFolder } from './static-server.mjs';

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

/** Nine words of 44 characters: too long for five words, and for five times six characters. */
const expectedPlain = {
  first: { version: '1.0.0', isFine: false },
  second: { version: '1.1.0', isFine: false },
  maxCharacters: 30,
  maxWords: 5,
  versions: ['1.0.0', '1.1.0'],
  version: '1.0.0',
};

/** Projects that are built, as workspaces of one folder: what they need is installed once. */
const projects = ['worker-entry', 'executor'];

/** @param {string} folder an empty one */
function install(folder) {
  const tarball = packPackage(folder);
  for (const name of projects) {
    cpSync(join(root, 'examples', name), join(folder, name), {
      recursive: true,
      filter: (path) => !/node_modules|dist/.test(path.slice(root.length)),
    });
    const file = join(folder, name, 'package.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8'));
    manifest.dependencies.vivarium = `file:${tarball}`;
    writeFileSync(file, JSON.stringify(manifest));
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, workspaces: projects }));
  runNpm(['install', '--no-audit', '--no-fund', '--prefer-offline', '--silent'], folder);
}

/** Vite as the folder has it, not ours. @param {string} folder @returns {Promise<typeof import('vite')>} */
async function viteOf(folder) {
  const manifest = createRequire(join(folder, 'package.json')).resolve('vite/package.json');
  return import(pathToFileURL(join(manifest, '../dist/node/index.js')).href);
}

/**
 * Opens a page in a browser of its own and watches over it.
 * @param {string | undefined} url
 * @param {string} what
 * @param {(page: import('playwright').Page) => Promise<void>} check
 * @param {{ mayComplain?: boolean }} [options]
 */
async function withPage(url, what, check, { mayComplain = false } = {}) {
  if (!url) throw new Error(`${what}: the server has no address`);
  const browser = await launchBrowser();
  /** @type {string[]} */
  const complaints = [];
  try {
    const page = await browser.newPage();
    let loads = 0;
    page.on('load', () => loads++);
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url);
    await check(page);
    if (loads !== 1) throw new Error(`the page loaded ${loads} times`);
    if (complaints.length > 0 && !mayComplain) throw new Error('the console complains');
  } catch (error) {
    throw new Error(
      `${what}: ${error instanceof Error ? error.message : String(error)} ${complaints.join('; ')}`,
    );
  } finally {
    await browser.close();
  }
}

/** @param {import('playwright').Page} page @param {string} what */
async function checkFacts(page, what) {
  const facts = page.locator('#facts', { hasText: '}' });
  await facts.waitFor({ timeout: pageTimeoutMs }).catch(() => {
    throw new Error('the page showed nothing.');
  });
  const shown = JSON.parse((await facts.textContent()) ?? '');
  const { worker, ...rest } = shown;
  if (JSON.stringify(rest) !== JSON.stringify(expected) || typeof worker !== 'string')
    throw new Error(`the page showed ${JSON.stringify(shown)}.`);
  console.log(`${what}: ${JSON.stringify(shown)}`);
}

/** @param {string} folder @param {(url: string | undefined) => Promise<void>} use */
async function withDevelopment(folder, use) {
  const { createServer } = await viteOf(folder);
  const server = await createServer({ root: folder, logLevel: 'silent', server: { port: 0 } });
  try {
    await server.listen();
    await use(server.resolvedUrls?.local[0]);
  } finally {
    await server.close();
  }
}

/** @param {string} folder @param {(url: string | undefined) => Promise<void>} use */
async function withBuild(folder, use) {
  const { build, preview } = await viteOf(folder);
  await build({ root: folder, logLevel: 'error' });
  const server = await preview({ root: folder, logLevel: 'error', preview: { port: 0 } });
  try {
    await use(server.resolvedUrls?.local[0]);
  } finally {
    await server.close();
  }
}

/** @param {string} folder */
function checkTypes(folder) {
  const tsc = createRequire(join(folder, 'package.json')).resolve('typescript/package.json');
  execFileSync(process.execPath, [join(tsc, '../bin/tsc'), '-p', 'tsconfig.json'], {
    cwd: folder,
    stdio: 'inherit',
  });
  console.log(`types: ${basename(folder)} passes with the published declarations`);
}

/** @param {string} folder */
async function checkWorkerEntry(folder) {
  checkTypes(folder);
  await withDevelopment(folder, async (url) => {
    await withPage(url, 'development', (page) => checkFacts(page, 'development'));
    // an edit with an error in it is meant to complain
    await withPage(url, 'hot swap', (page) => checkHotSwap(page, folder), { mayComplain: true });
  });
  await withBuild(folder, (url) => withPage(url, 'build', (page) => checkFacts(page, 'build')));
  checkNoHotCode(join(folder, 'dist'));
}

/** @param {string} folder */
async function checkExecutor(folder) {
  checkTypes(folder);
  await withDevelopment(folder, (url) => withPage(url, 'executor in development', checkExecutorServed));
  await withBuild(folder, (url) => withPage(url, 'executor', checkExecutorPage));
}

/** What development alone needs must not be in a build. @param {string} folder */
function checkNoHotCode(folder) {
  const scripts = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.js'),
  );
  const hot = scripts.filter((path) =>
    /import\.meta\.hot|vite:afterUpdate|acceptUpdates/i.test(readFileSync(join(folder, path), 'utf8')),
  );
  if (scripts.length === 0 || hot.length > 0)
    throw new Error(`build: of ${scripts.length} scripts these have code for hot swaps: ${hot.join(', ')}`);
  console.log(`build: ${scripts.length} scripts, none with code for hot swaps`);
}

/** The same package, served as it lies there. @param {string} folder of the other example */
async function checkPlain(folder) {
  const plain = join(folder, 'plain');
  cpSync(join(root, 'examples/plain-es-modules'), plain, { recursive: true });
  cpSync(join(folder, 'node_modules/vivarium'), join(plain, 'node_modules/vivarium'), { recursive: true });
  const server = await serveFolder(plain);
  try {
    await withPage(server.url, 'plain ES modules', async (page) => {
      const facts = page.locator('#facts', { hasText: '}' });
      await facts.waitFor({ timeout: pageTimeoutMs });
      const shown = JSON.stringify(JSON.parse((await facts.textContent()) ?? ''));
      if (shown !== JSON.stringify(expectedPlain)) throw new Error(`the page showed ${shown}.`);
      console.log(`plain ES modules: ${shown}`);
    });
  } finally {
    await server.close();
  }
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-tarball-'));
  try {
    install(folder);
    await checkWorkerEntry(join(folder, 'worker-entry'));
    await checkExecutor(join(folder, 'executor'));
    await checkPlain(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error) => {
  console.error(`tarball failed: ${error.message}`);
  process.exitCode = 1;
});
