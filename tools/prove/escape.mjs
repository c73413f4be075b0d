// Guests try to get out of the built app, under the headers it is served with, in an engine of choice; a listener outside counts what reaches it.
// First comes what the executor can do in this engine. Sabotaged: no policy on any answer and no frame; then the attempts must be seen to get out.
// With `--record` what was found goes into docs/escapes.json and, as a column of its table, into docs/security.md.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { buildAll, isBuilt } from '../build.mjs';
import { callInPage, engineNames, openPage, requireInstalled } from '../engine.mjs';
import { startListener } from '../listener.mjs';
import { serveApp } from '../start.mjs';
import { recordFinding, summarize } from './escape/record.mjs';

const root = resolve(import.meta.dirname, '../..');
const timeoutMs = 20 * 60_000;
/** With fewer leaks the control says nothing about an engine. */
const minControlLeaks = 20;

/**
 * @typedef {import('./escape.d.mts').Setting} Setting
 * @typedef {import('./escape.d.mts').EscapeResult} Row
 * @typedef {import('./page/capabilities.mjs').Capabilities} Capabilities
 * @typedef {(line: string) => void} Print
 */

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
 * The app's own headers, and for the frame in `srcdoc`, which the app's `script-src` would forbid, those of a host whose pages have the
 * sandbox's rule and no other (docs/hosting.md). The control has no policy at all.
 * @param {string} folder
 * @param {Setting} setting
 */
export function serveSetting(folder, { walls, frame }) {
  if (walls === 'none') return serveApp({ port: 0, outDir: folder, isDefended: false });
  if (frame === 'file') return serveApp({ port: 0, outDir: folder });
  const { pageRule } = JSON.parse(readFileSync(join(folder, 'sandbox/headers.json'), 'utf8'));
  return serveApp({
    port: 0,
    outDir: folder,
    rewrite: (name, value) => (name === 'content-security-policy' ? pageRule : value),
  });
}

/** Calls one function of the suite in a browser of its own; also for the e2e tests. @type {typeof import('./escape.d.mts').callSuite} */
export async function callSuite(folder, setting, name, values) {
  const { engine = 'chromium' } = setting;
  const server = await serveSetting(folder, setting);
  try {
    const page = await openPage(engine, server.url);
    try {
      return await callInPage(page, { module: '/escape-suite.js', name, values, timeoutMs });
    } finally {
      await page.close();
    }
  } finally {
    await server.close();
  }
}

/** Every attempt; also for the e2e tests. @type {typeof import('./escape.d.mts').runIn} */
export async function runIn(folder, setting, listenerUrl) {
  const { walls, frame, watchers } = setting;
  const rows = /** @type {readonly Row[]} */ (
    await callSuite(folder, setting, 'run', [walls, frame, listenerUrl, watchers])
  );
  requireJudged(setting, rows);
  return rows;
}

/** @param {Setting} setting */
const nameOf = ({ walls, frame }) =>
  walls === 'none' ? 'no walls' : `walls: ${walls}, frame: ${frame === 'file' ? 'a file' : frame}`;

/** An interpreter that never ran has kept nothing in. @param {Setting} setting @param {readonly Row[]} rows */
function requireJudged(setting, rows) {
  const notRun = rows.find((row) => /^executor\/(boot-failed|frame-unavailable|frame-lost)/.test(row.detail));
  if (notRun)
    throw new Error(`${nameOf(setting)}: ${notRun.attempt} never ran, so nothing is known: ${notRun.detail}`);
  if (rows.length === 0) throw new Error(`${nameOf(setting)}: no attempt was made`);
}

/** @param {readonly string[][]} lines @param {Print} print */
function printTable(lines, print) {
  const widths = (lines[0] ?? []).map((_cell, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  for (const line of lines) print(`  ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`);
}

/**
 * What the executor can do there, and whether it kept all promises.
 * @param {string} folder @param {Setting} setting @param {Print} print
 */
async function reportCapabilities(folder, setting, print) {
  const capabilities = /** @type {Capabilities} */ (await callSuite(folder, setting, 'ask', [setting.frame]));
  const { platform, rows } = capabilities;
  print(`\n${setting.engine}, frame: ${setting.frame === 'file' ? 'a file' : setting.frame}`);
  printTable(Object.entries(platform), print);
  print('');
  const languages = Object.keys(rows[0].answers);
  const lines = rows.map(({ question, answers }) => [question, ...languages.map((name) => answers[name])]);
  printTable([['', ...languages], ...lines], print);
  const hasHeld =
    rows.every(({ isWrong }) => !isWrong) &&
    Object.values(platform).every((cell) => !cell.startsWith('WRONG'));
  return { capabilities, hasHeld };
}

const idOf = (/** @type {Row} */ { language, attempt }) => `${language} ${attempt}`;

/**
 * What a row says in this engine. What never gets out is no proof of a wall: it is `absent`, whether nothing can do it anywhere or only not here,
 * and also where a guest lacks what the attempt is made of. `unproved`: the attempt's own control showed nothing.
 * @param {Row} row
 * @param {ReadonlySet<string>} possible
 */
function verdictOf(row, possible) {
  if (row.leaked) return 'LEAKED';
  if (row.lacks.length > 0) return 'absent';
  if (row.control === 'beside') return row.shown ? 'held' : 'unproved';
  return row.control === 'without walls' && possible.has(idOf(row)) ? 'held' : 'absent';
}

/**
 * The attempts under each verdict, and whether none got out and none was unproved.
 * @param {Setting} setting
 * @param {readonly Row[]} rows
 * @param {ReadonlySet<string>} possible the attempts that get out of this engine where there are no walls
 * @param {Print} print
 */
function reportRows(setting, rows, possible, print) {
  const words = rows.map((row) => verdictOf(row, possible));
  const counts = ['held', 'absent', 'unproved', 'LEAKED'].map(
    (word) => `${words.filter((one) => one === word).length} ${word.toLowerCase()}`,
  );
  print(`\n${setting.engine} · ${nameOf(setting)} · ${rows.length} attempts · ${counts.join(' · ')}`);
  for (const [at, { language, attempt, detail }] of rows.entries())
    print(`  ${words[at]?.padEnd(8)}  ${language.padEnd(10)}  ${attempt.padEnd(32)} ${detail}`);
  const [leaked, unproved, absent] = ['LEAKED', 'unproved', 'absent'].map((word) =>
    rows.filter((_row, at) => words[at] === word).map(({ attempt }) => attempt),
  );
  return { leaked, unproved, absent, hasHeld: !words.includes('LEAKED') && !words.includes('unproved') };
}

/** @param {string} engine @returns {asserts engine is import('../engine.mjs').EngineName} */
function requireEngine(engine) {
  if (!engineNames.some((name) => name === engine))
    throw new Error(`--engine is "${engine}"; it must be one of ${engineNames.join(', ')}`);
}

/** @type {import('../prove.mjs').Prove} */
export async function prove({ sabotage, record, engine = 'chromium', print }) {
  requireEngine(engine);
  requireInstalled(engine);
  if (sabotage && record) throw new Error('--record does not go with --sabotage');
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-escape-'));
  const listener = await startListener();
  try {
    await prepareApp(folder);
    const bare = await openPage(engine, 'about:blank');
    const browser = bare.version;
    print(browser);
    await bare.close();
    const parts = { folder, engine, listenerUrl: listener.url, print };
    if (sabotage) return (await tryWithoutWalls(parts)).isClean;
    const { finding, hasHeld } = await findAll(parts);
    if (record) {
      recordFinding(engine, { browser, ...finding });
      print('recorded in docs/escapes.json and docs/security.md');
    }
    return hasHeld;
  } finally {
    await listener.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @typedef {{ folder: string, engine: import('../engine.mjs').EngineName, listenerUrl: string, print: Print }} Parts */

/** The control. @param {Parts} parts */
async function tryWithoutWalls({ folder, engine, listenerUrl, print }) {
  /** @type {Setting} */
  const setting = { engine, walls: 'none', frame: 'file' };
  const rows = await runIn(folder, setting, listenerUrl);
  const possible = new Set(rows.filter(({ leaked }) => leaked).map(idOf));
  const isClean = reportRows(setting, rows, possible, print).hasHeld;
  return { possible, made: rows.length, isClean };
}

/** All there is to be found in an engine. @param {Parts} parts */
async function findAll(parts) {
  const { folder, engine, listenerUrl, print } = parts;
  const frames = /** @type {const} */ (['file', 'srcdoc']);
  const asked = [];
  for (const frame of frames)
    asked.push(await reportCapabilities(folder, { engine, walls: 'whole', frame }, print));
  const { possible, made } = await tryWithoutWalls(parts);
  const isControl = possible.size >= minControlLeaks;
  if (!isControl) print(`without walls only ${possible.size} attempts got out: silence would prove nothing`);
  const found = [];
  for (const walls of /** @type {const} */ (['whole', 'frame alone']))
    for (const frame of frames) {
      const setting = { engine, walls, frame };
      const rows = await runIn(folder, setting, listenerUrl);
      found.push({ attempts: rows.length, ...reportRows(setting, rows, possible, print) });
    }
  const all = (/** @type {'leaked' | 'unproved'} */ kind) => [...new Set(found.flatMap((one) => one[kind]))];
  const finding = {
    on: new Date().toISOString().slice(0, 10),
    // with all walls every attempt is made
    attempts: found[0].attempts,
    gotOut: all('leaked'),
    unproved: all('unproved'),
    control: { made, gotOut: possible.size },
    absent: found[0].absent,
    can: summarize(asked[0].capabilities),
  };
  return { finding, hasHeld: isControl && [...asked, ...found].every(({ hasHeld }) => hasHeld) };
}
