// `npm run bench -- AREA [--json FILE] [--sabotage] [--growth]`: runs src/*/AREA.bench.ts in a real browser and judges its rows.
// Curves are printed, and with `--json` drawn beside the rows. `--growth` is for areas that grow something for minutes.
import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { besideDeno } from './bench/deno.mjs';
import { besideDspy } from './bench/dspy.mjs';
import { plotFileOf, toPlotTable } from './bench/plot.mjs';
import { conclude, judge, machineLine, toJsonRows, toTable } from './bench/table.mjs';
import { launchProfile } from './browser.mjs';
import { servePage } from './serve-page.mjs';

/** @typedef {import('./bench/table.mjs').PrintedRow} PrintedRow */
/** @typedef {import('./bench/table.mjs').Reported} Reported */
/** @typedef {import('./bench/plot.mjs').BenchPlot} BenchPlot */
/** @typedef {{ plot: BenchPlot, svg: string }} Drawn */
/** @typedef {Record<string, (name: string) => Promise<number>>} Exposed functions of the page, by name */
/** @typedef {{ reported: Reported[], drawn: Drawn[], browserVersion: string }} Outcome */

const root = resolve(import.meta.dirname, '..');
const source = join(root, 'src');
/**
 * Areas whose peer does not run in a page: what runs it around the bench and puts its figures beside the rows, or hands the page functions to ask
 * for them.
 * @type {Map<string, (runOurs: (expose?: Exposed) => Promise<Outcome>) => Promise<Outcome>>}
 */
const peers = new Map(Object.entries({ dspy: besideDspy, executor: besideDeno }));
/** A bench that takes longer than this has hung. */
const timeoutMs = 15 * 60_000;

/** @returns {Map<string, string>} area → bench module */
function findAreas() {
  /** @type {Map<string, string>} */
  const areas = new Map();
  for (const layer of readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    for (const file of readdirSync(join(source, layer.name)).filter((name) => name.endsWith('.bench.ts')))
      areas.set(file.replace('.bench.ts', ''), join(source, layer.name, file));
  }
  return areas;
}

/** @param {string} area @param {string} file */
const serveBench = (area, file) =>
  servePage({
    script: 'tools/bench/page.mjs',
    name: `bench/${area}`,
    modules: { 'virtual:bench': file },
    prepare(outDir) {
      // the peer of the executor's bench, as its package ships it
      if (area === 'executor')
        cpSync(join(root, 'node_modules/pyodide'), join(outDir, 'raw-pyodide'), { recursive: true });
    },
  });

/**
 * @param {string} area
 * @param {string} file
 * @param {{ sabotage: boolean, growth: boolean }} options
 * @param {Exposed} expose
 * @returns {Promise<Outcome>}
 */
async function runInBrowser(area, file, options, expose) {
  const server = await serveBench(area, file);
  const browser = await launchProfile({
    args: ['--enable-precise-memory-info', '--js-flags=--expose-gc'],
  });
  try {
    const { page } = browser;
    /** @type {Reported[]} */
    const reported = [];
    /** @type {Drawn[]} */
    const drawn = [];
    page.on('console', (message) => console.error(`  page: ${message.text()}`));
    page.on('pageerror', (error) => console.error(`  page error: ${error.message}`));
    await page.exposeFunction('reportRow', (/** @type {Reported} */ row) => {
      const { name, ours, beside, unit } = judge(row);
      reported.push(row);
      console.error(
        `  ${name}: ${ours.toPrecision(4)} ${unit}${beside === null ? '' : `, beside ${beside.toPrecision(4)}`}`,
      );
    });
    await page.exposeFunction(
      'reportPlot',
      (/** @type {BenchPlot} */ plot, /** @type {string} */ svg) => void drawn.push({ plot, svg }),
    );
    for (const [name, work] of Object.entries(expose)) await page.exposeFunction(name, work);
    await page.exposeFunction('timeInNewTab', (/** @type {string} */ name) =>
      timeInNewTab(browser.context, server.url, name),
    );
    await page.goto(server.url);
    await page.waitForFunction(() => Reflect.get(globalThis, 'isBenchReady') === true);
    const name = `bench${area.charAt(0).toUpperCase()}${area.slice(1)}`;
    const run = page.evaluate(
      ([benchName, benchOptions]) => Reflect.get(globalThis, 'runBench')(benchName, benchOptions),
      /** @type {const} */ ([name, options]),
    );
    await withTimeout(run, `the ${area} bench`);
    return { reported, drawn, browserVersion: browser.browserVersion };
  } finally {
    await browser.close();
    await server.close();
  }
}

/**
 * From the start of its navigation until one function of the bench has ended.
 * @param {import('playwright').BrowserContext} context @param {string} url @param {string} name @returns {Promise<number>}
 */
async function timeInNewTab(context, url, name) {
  const tab = await context.newPage();
  try {
    await tab.goto(url, { waitUntil: 'commit' });
    await tab.waitForFunction(() => Reflect.get(globalThis, 'isBenchReady') === true, undefined, {
      polling: 5,
    });
    await tab.evaluate((asked) => Reflect.get(globalThis, 'runBench')(asked, {}), name);
    return await tab.evaluate(() => performance.now());
  } finally {
    await tab.close();
  }
}

/** @template T @param {Promise<T>} promise @param {string} what @returns {Promise<T>} */
function withTimeout(promise, what) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} took more than ${timeoutMs / 60_000} minutes`)),
      timeoutMs,
    );
  });
  return Promise.race([promise, /** @type {Promise<never>} */ (late)]).finally(() => clearTimeout(timer));
}

function readArgs() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'string' },
      sabotage: { type: 'boolean', default: false },
      growth: { type: 'boolean', default: false },
    },
  });
  return { area: positionals[0], ...values };
}

/** @param {string} area @param {string} file @param {{ sabotage: boolean, growth: boolean }} options */
async function runArea(area, file, options) {
  const runOurs = (/** @type {Exposed} */ expose = {}) => runInBrowser(area, file, options, expose);
  const { reported, ...rest } = await (peers.get(area)?.(runOurs) ?? runOurs());
  return { rows: reported.map(judge), ...rest };
}

async function main() {
  const { area, json, sabotage, growth } = readArgs();
  const areas = findAreas();
  const known = [...areas.keys(), 'size'].toSorted();
  if (!area || !known.includes(area))
    throw new Error(`${area ? `there is no area "${area}"` : 'name an area'}; there are ${known.join(', ')}`);
  const file = areas.get(area);
  const { rows, browserVersion, drawn } = file
    ? await runArea(area, file, { sabotage, growth })
    : { drawn: [], ...(await (await import('./bench/size.mjs')).benchSize({ sabotage })) };
  if (rows.length === 0) throw new Error(`the ${area} bench reported no row`);
  console.log(`${machineLine(browserVersion)}\n\n${toTable(rows)}\n`);
  for (const { plot, svg } of drawn) {
    console.log(`${toPlotTable(plot)}\n`);
    if (json) writeFileSync(plotFileOf(json, plot), svg);
  }
  if (json) writeFileSync(json, `${JSON.stringify(toJsonRows(rows), null, 2)}\n`);
  const { lines, exitCode } = conclude(rows, sabotage);
  console.log(lines.join('\n'));
  process.exitCode = exitCode;
}

main().catch((error) => {
  console.error(`bench failed: ${error.message}`);
  process.exitCode = 1;
});
