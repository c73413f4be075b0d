// Runs a proof that needs a page: builds it under the app's settings, serves it with the app's headers, and calls one function in it.
import { basename, dirname, join, resolve } from 'node:path';
import { build, preview } from 'vite';
import { launchProfile } from './browser.mjs';

const root = resolve(import.meta.dirname, '..');

/**
 * @param {string} page below the root
 * @returns {Promise<{ url: string, httpServer: import('node:http').Server, close: () => Promise<void> }>}
 */
export async function serveProof(page) {
  const outDir = join(root, '.cache/prove', basename(dirname(page)));
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
  const httpServer = /** @type {import('node:http').Server} */ (server.httpServer);
  return { url: `${url}${page}`, httpServer, close: () => server.close() };
}

/**
 * @param {string} page below the root, such as `tools/prove/swap/page.html`
 * @param {string} name of the function that the page offers once it is ready
 * @param {unknown} options its argument
 * @returns {Promise<any>} what it answers
 */
export async function runProofPage(page, name, options) {
  const server = await serveProof(page);
  const browser = await launchProfile();
  try {
    browser.page.on('pageerror', (error) => console.error(`  page error: ${error.message}`));
    await browser.page.goto(server.url);
    await browser.page.waitForFunction(() => Reflect.get(globalThis, 'isProofReady') === true);
    return await browser.page.evaluate(
      ([asked, given]) => Reflect.get(globalThis, /** @type {string} */ (asked))(given),
      [name, options],
    );
  } finally {
    await browser.close();
    await server.close();
  }
}
