// 50 modules in 4 workers under steady calls while a random worker is ended every second. Sabotaged: the supervisor gives up at the first loss.
import { join, resolve } from 'node:path';
import { build, preview } from 'vite';
import { launchProfile } from '../browser.mjs';

const root = resolve(import.meta.dirname, '../..');
const page = 'tools/prove/availability/page.html';
const defaultSeconds = 20;
/** A call under way in the worker that is ended is lost: of one worker in four, for as long as a call takes. */
const minFirstRatio = 0.95;
const minRetriedRatio = 0.999;

/** @returns {Promise<{ url: string, close: () => Promise<void> }>} */
async function serveProof() {
  const outDir = join(root, '.cache/prove/availability');
  const shared = /** @type {const} */ ({ root, configFile: join(root, 'vite.config.ts'), logLevel: 'warn' });
  await build({
    ...shared,
    plugins: [
      {
        name: 'vivarium-proof',
        enforce: 'pre',
        // Merging would add the page to the app's inputs; it replaces them.
        config: (merged) => {
          if (merged.build?.rolldownOptions) merged.build.rolldownOptions.input = { proof: join(root, page) };
        },
      },
    ],
    build: { outDir, emptyOutDir: true },
  });
  const server = await preview({ ...shared, build: { outDir }, preview: { port: 0, open: false } });
  const url = server.resolvedUrls?.local[0];
  if (!url) throw new Error('the server of the proof has no local address');
  return { url: `${url}${page}`, close: () => server.close() };
}

/** @param {{ seconds: number, sabotage: boolean }} options */
async function runInBrowser(options) {
  const server = await serveProof();
  const browser = await launchProfile();
  try {
    browser.page.on('pageerror', (error) => console.error(`  page error: ${error.message}`));
    await browser.page.goto(server.url);
    await browser.page.waitForFunction(() => Reflect.get(globalThis, 'isProofReady') === true);
    return await browser.page.evaluate((given) => Reflect.get(globalThis, 'runAvailability')(given), options);
  } finally {
    await browser.close();
    await server.close();
  }
}

const ratioOf = ({ asked, answered }) => (asked === 0 ? 0 : answered / asked);

/** @param {string} name */
function lineOf(name, account) {
  const { asked, wrong, codes } = account;
  const failures = Object.entries({ ...codes, ...(wrong > 0 ? { wrong } : {}) }).map((entry) =>
    entry.join(' × '),
  );
  const percent = (100 * ratioOf(account)).toFixed(3);
  return `${name.padEnd(28)} ${String(asked).padStart(7)} asked  ${percent.padStart(8)} %  ${failures.join(', ')}`;
}

/** @type {import('../prove.mjs').Prove} */
export async function prove({ sabotage, seconds = defaultSeconds, print }) {
  const report = await runInBrowser({ seconds, sabotage });
  const { accounts, kills, noticed, unanswered, unread, lostWrites, running, modules, workers } = report;
  print(lineOf('calls, first attempt', accounts.first));
  print(lineOf('calls, after retry', accounts.retried));
  print(lineOf('memory writes acknowledged', accounts.writes));
  print(lineOf('reads after a write', accounts.checks));
  print(
    `workers ended ${kills}, noticed ${noticed}; at the end ${running} of ${modules} modules run in ${workers} workers`,
  );
  print(
    `acknowledged memory writes lost: ${lostWrites}; modules that could not be read at the end: ${unread}`,
  );
  print(`calls unanswered: ${unanswered}`);
  const isServed = ratioOf(accounts.first) >= minFirstRatio && ratioOf(accounts.retried) >= minRetriedRatio;
  const isWhole =
    lostWrites === 0 &&
    unread === 0 &&
    unanswered === 0 &&
    accounts.first.wrong + accounts.retried.wrong === 0;
  return isServed && isWhole && running === modules && kills >= seconds - 1 && noticed >= kills - 1;
}
