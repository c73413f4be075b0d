// The page of a bench or a proof: built under the app's settings, served with the app's headers. tools/page.html is the page of all of them.
import { join, resolve } from 'node:path';
import { build, preview } from 'vite';
import { buildAssets } from './build-assets.mjs';

const root = resolve(import.meta.dirname, '..');
const page = 'tools/page.html';

/**
 * @typedef {object} PageOptions
 * @property {string} script below the root: what the page runs
 * @property {string} name where it is built, below `.cache`
 * @property {Readonly<Record<string, string>>} [modules] files by the names under which the script imports them
 * @property {(outDir: string) => void} [prepare] puts more beside what was built
 */

/**
 * @param {PageOptions} options
 * @returns {Promise<{ url: string, httpServer: import('node:http').Server, close: () => Promise<void> }>}
 */
export async function servePage({ script, name, modules = {}, prepare }) {
  // a guest of an earlier state of the code would be measured in its place
  await buildAssets();
  const outDir = join(root, '.cache', name);
  const shared = /** @type {const} */ ({ root, configFile: join(root, 'vite.config.ts'), logLevel: 'warn' });
  /** @type {Readonly<Record<string, string>>} */
  const named = { ...modules, 'virtual:page': join(root, script) };
  await build({
    ...shared,
    plugins: [
      {
        name: 'vivarium-page',
        enforce: 'pre',
        resolveId: (/** @type {string} */ id) => named[id],
        // Merging would add the page to the app's inputs; it replaces them.
        config: (merged) => {
          if (merged.build?.rolldownOptions) merged.build.rolldownOptions.input = { page: join(root, page) };
        },
      },
    ],
    build: { outDir, emptyOutDir: true },
  });
  prepare?.(outDir);
  const server = await preview({ ...shared, build: { outDir }, preview: { port: 0, open: false } });
  const url = server.resolvedUrls?.local[0];
  if (!url) throw new Error('the server of the page has no local address');
  const httpServer = /** @type {import('node:http').Server} */ (server.httpServer);
  return { url: `${url}${page}`, httpServer, close: () => server.close() };
}
