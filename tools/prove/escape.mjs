// Guests try to get out of the built app, under the headers it is served with; a listener outside counts what reaches it.
// Sabotaged: no policy on any answer and no frame. Then the same attempts must be seen to get out.
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { launchBrowser } from '../browser.mjs';
import { buildAll, isBuilt } from '../build.mjs';
import { startListener } from '../listener.mjs';
import { serveApp } from '../start.mjs';

const root = resolve(import.meta.dirname, '../..');
const timeoutMs = 10 * 60_000;

/** @typedef {{ attempt: string, watcher: string, leaked: boolean, leaksUnprotected: boolean, detail: string }} Row */

async function bundleSuite() {
  const outcome = await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2022',
      rolldownOptions: {
        input: join(root, 'tools/prove/page/escape.mjs'),
        preserveEntrySignatures: 'strict',
        output: { codeSplitting: false },
      },
    },
  });
  const [chunk] = [outcome].flat().flatMap((one) => ('output' in one ? one.output : []));
  if (chunk?.type !== 'chunk') throw new Error('the escape suite could not be bundled');
  return chunk.code;
}

/** The app as it is served, and one script more. Also for the e2e tests. @param {string} folder */
export async function prepareApp(folder) {
  if (!isBuilt()) await buildAll();
  cpSync(join(root, 'dist-app'), folder, { recursive: true });
  if (!existsSync(join(folder, 'sandbox/frame.html')))
    throw new Error('the built app holds no sandbox frame');
  writeFileSync(join(folder, 'escape-suite.js'), await bundleSuite());
}

/**
 * Every attempt, in a browser of its own. Also for the e2e tests.
 * @param {string} url
 * @param {string} kind
 * @param {string} listenerUrl
 * @returns {Promise<Row[]>}
 */
export async function runIn(url, kind, listenerUrl) {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(timeoutMs);
    await page.goto(url);
    const rows = await page.evaluate(
      async ([walls, listener]) => {
        const path = '/escape-suite.js';
        const suite = await import(path);
        return suite.run(walls, listener);
      },
      /** @type {const} */ ([kind, listenerUrl]),
    );
    requireJudged(kind, rows);
    return rows;
  } finally {
    await browser.close();
  }
}

/** An interpreter that never ran has kept nothing in. @param {string} kind @param {Row[]} rows */
function requireJudged(kind, rows) {
  const notRun = rows.find((row) => /^executor\/(boot-failed|frame-unavailable|frame-lost)/.test(row.detail));
  if (notRun)
    throw new Error(`walls: ${kind}: ${notRun.attempt} never ran, so nothing is known: ${notRun.detail}`);
  if (rows.length === 0) throw new Error(`walls: ${kind}: no attempt was made`);
}

/** @param {string} kind @param {Row[]} rows @param {(line: string) => void} print */
function report(kind, rows, print) {
  const leaks = rows.filter((row) => row.leaked);
  print(`walls: ${kind} · ${rows.length} attempts · ${leaks.length} got out`);
  for (const { attempt, leaked, detail } of rows)
    print(`  ${leaked ? 'LEAKED' : 'held  '}  ${attempt.padEnd(30)} ${detail}`);
  return leaks.length === 0;
}

/** @type {import('../prove.mjs').Prove} */
export async function prove({ sabotage, print }) {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-escape-'));
  const listener = await startListener();
  try {
    await prepareApp(folder);
    const server = await serveApp({ port: 4373, outDir: folder, isDefended: !sabotage });
    try {
      let hasHeld = true;
      for (const kind of sabotage ? ['none'] : ['whole', 'frame alone'])
        hasHeld = report(kind, await runIn(server.url, kind, listener.url), print) && hasHeld;
      return hasHeld;
    } finally {
      await server.close();
    }
  } finally {
    await listener.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
