// Area `size`: what an install costs on disk, what a page loads, and how soon it is there.
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { launchBrowser } from '../browser.mjs';
import { packPackage, runNpm } from '../packed.mjs';
import { weighEntry } from '../size.mjs';
import { serveApp } from '../start.mjs';
import { judge } from './table.mjs';

const root = resolve(import.meta.dirname, '../..');
const mebibyte = 2 ** 20;
const rounds = 5;
/** What `--sabotage` puts in the way: a slow connection, and the tools of development in the install. */
const slowNetwork = { offline: false, latency: 400, downloadThroughput: 200_000, uploadThroughput: 200_000 };

/** @param {string} path @returns {number} */
function sizeOf(path) {
  const entry = lstatSync(path);
  if (!entry.isDirectory()) return entry.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

/** @param {{ sabotage: boolean }} options */
function measureInstall({ sabotage }) {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-size-'));
  try {
    const tarball = packPackage(folder);
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const more = sabotage
      ? { typescript: devDependencies.typescript, playwright: devDependencies.playwright }
      : {};
    const dependencies = { vivarium: `file:${tarball}`, ...more };
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'x', private: true, dependencies }));
    runNpm(
      ['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts', '--silent'],
      folder,
    );
    const installed = join(folder, 'node_modules');
    return {
      tarballMib: sizeOf(tarball) / mebibyte,
      installedMib: sizeOf(installed) / mebibyte,
      ownMib: sizeOf(join(installed, 'vivarium')) / mebibyte,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * From the start of navigation in a new browser profile, nothing cached.
 * @param {string} url
 * @param {import('playwright').Browser} browser
 * @param {{ sabotage: boolean }} options
 */
async function measurePage(url, browser, { sabotage }) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    if (sabotage) {
      const session = await context.newCDPSession(page);
      await session.send('Network.enable');
      await session.send('Network.emulateNetworkConditions', slowNetwork);
    }
    await page.goto(url, { waitUntil: 'commit' });
    const times = await page.evaluate(async () => {
      await customElements.whenDefined('vivarium-playground');
      const element = document.querySelector('vivarium-playground');
      await Reflect.get(element ?? {}, 'updateComplete');
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      const readyMs = performance.now();
      const paintMs = await new Promise((resolve) => {
        const observer = new PerformanceObserver((list) => {
          const [entry] = list.getEntriesByName('first-contentful-paint');
          if (entry) resolve(entry.startTime);
        });
        observer.observe({ type: 'paint', buffered: true });
      });
      const loaded = performance.getEntriesByType('resource').reduce((sum, entry) => {
        return sum + Number(Reflect.get(entry, 'encodedBodySize') ?? 0);
      }, 0);
      return { paintMs: Number(paintMs), readyMs, loaded };
    });
    return times;
  } finally {
    await context.close();
  }
}

/** @param {number[]} values */
function summarise(values) {
  const sorted = values.toSorted((one, other) => one - other);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return { median, spread: `${sorted[0]?.toFixed(0)}–${sorted.at(-1)?.toFixed(0)}` };
}

/** @param {{ sabotage: boolean }} options */
async function measureApp(options) {
  if (!existsSync(join(root, 'dist-app/index.html')))
    throw new Error('dist-app is missing: run `npm run build` first');
  const server = await serveApp({ port: 4273 });
  const browser = await launchBrowser();
  try {
    const runs = [];
    for (let round = 0; round < rounds; round++) runs.push(await measurePage(server.url, browser, options));
    return {
      paint: summarise(runs.map((run) => run.paintMs)),
      ready: summarise(runs.map((run) => run.readyMs)),
      loadedKib: (runs[0]?.loaded ?? 0) / 1024,
      browserVersion: browser.version(),
    };
  } finally {
    await browser.close();
    await server.close();
  }
}

/** @param {{ sabotage: boolean }} options */
export async function benchSize(options) {
  const install = measureInstall(options);
  const { first } = await weighEntry('index');
  const entryKib = first.reduce((sum, part) => sum + part.gzipBytes, 0) / 1024;
  /** @type {{ entries: Record<string, number> }} */
  const budgets = JSON.parse(readFileSync(join(root, 'tools/size-budgets.json'), 'utf8'));
  const app = await measureApp(options);
  const rows = [
    { name: 'tarball', ours: install.tarballMib, unit: 'MiB', goal: 10 },
    { name: 'package, unpacked', ours: install.ownMib, unit: 'MiB', goal: 18 },
    { name: 'install with dependencies', ours: install.installedMib, unit: 'MiB', goal: 110 },
    { name: 'entry `vivarium`, gzip', ours: entryKib, unit: 'KiB', goal: budgets.entries['index'] ?? null },
    { name: 'app, loaded before it is ready', ours: app.loadedKib, unit: 'KiB', goal: 500 },
    { name: 'app, first paint', ours: app.paint.median, spread: app.paint.spread, unit: 'ms', goal: 1500 },
    { name: 'app, ready', ours: app.ready.median, spread: app.ready.spread, unit: 'ms', goal: 2000 },
  ];
  return { rows: rows.map(judge), browserVersion: app.browserVersion };
}
