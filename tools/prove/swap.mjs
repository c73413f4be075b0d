// 1,000 calls a second to a module that is swapped 50 times between two versions. Sabotaged: it is stopped and started instead.
import { join, resolve } from 'node:path';
import { build, preview } from 'vite';
import { launchProfile } from '../browser.mjs';

const root = resolve(import.meta.dirname, '../..');
const page = 'tools/prove/swap/page.html';
const defaultSeconds = 10;
const swaps = 50;

/** @returns {Promise<{ url: string, close: () => Promise<void> }>} */
async function serveProof() {
  const outDir = join(root, '.cache/prove/swap');
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
    return await browser.page.evaluate((given) => Reflect.get(globalThis, 'runSwap')(given), options);
  } finally {
    await browser.close();
    await server.close();
  }
}

/** @type {import('../prove.mjs').Prove} */
export async function prove({ sabotage, seconds = defaultSeconds, print }) {
  const report = await runInBrowser({ seconds, sabotage });
  const { asked, answered, codes, rate, wrongVersion, outOfOrder, endedOnOld, counted, isMigrated } = report;
  const failures = Object.entries(codes).map((entry) => entry.join(' × '));
  print(
    `calls ${asked}, ${rate.toFixed(0)} a second; answered ${answered}, failed: ${failures.join(', ') || 'none'}`,
  );
  print(
    `swaps ${report.swaps} of ${swaps}; p50 ${report.swapP50Ms?.toFixed(1)} ms, longest ${report.swapMaxMs?.toFixed(1)} ms; failed: ${report.swapErrors.join(', ') || 'none'}`,
  );
  print(`answers of another version than the one in charge when they were asked: ${wrongVersion}`);
  print(
    `calls that began after a later one of their caller: ${outOfOrder}; that ended on the version before: ${endedOnOld}`,
  );
  print(
    `answers that the module itself has counted: ${counted}; its other state is carried over: ${isMigrated}`,
  );
  const isServed = answered === asked && wrongVersion === 0 && outOfOrder === 0;
  return isServed && report.swaps === swaps && counted === answered && isMigrated;
}
