// Runs a proof that needs a page: builds and serves it, and calls one function in it.
import { basename, dirname } from 'node:path';
import { launchProfile } from './browser.mjs';
import { servePage } from './serve-page.mjs';

/** @param {string} script of the proof's page, below the root */
export const serveProof = (script) => servePage({ script, name: `prove/${basename(dirname(script))}` });

/**
 * @param {string} script of the proof's page, such as `tools/prove/swap/page.mjs`
 * @param {string} name of the function that the page offers once it is ready
 * @param {unknown} options its argument
 * @returns {Promise<any>} what it answers
 */
export async function runProofPage(script, name, options) {
  const server = await serveProof(script);
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
