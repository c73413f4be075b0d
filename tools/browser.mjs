// The Chromium that benches and proofs drive: the one the tests use, with the same flags.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { chromiumFlags } from './chromium-flags.mjs';
import { findBrowser } from './find-browser.mjs';

/** Its executable; throws when there is none, saying what to install. @returns {string} */
export function requireBrowser() {
  const executablePath = findBrowser();
  if (executablePath) return executablePath;
  throw new Error(
    'no browser found: install Chromium, Chrome or Edge, or set VIVARIUM_BROWSER to its executable',
  );
}

/** @param {import('playwright').LaunchOptions} [options] */
export async function launchBrowser(options = {}) {
  const args = [...chromiumFlags, ...(options.args ?? [])];
  return chromium.launch({ ...options, executablePath: requireBrowser(), args });
}

/**
 * A browser with a profile on disk. Private contexts keep IndexedDB in memory, where a strict write costs nothing:
 * whatever measures or proves durability needs a profile.
 * @param {import('playwright').LaunchOptions} [options]
 */
export async function launchProfile(options = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'vivarium-profile-'));
  const args = [...chromiumFlags, ...(options.args ?? [])];
  const context = await chromium.launchPersistentContext(folder, {
    ...options,
    executablePath: requireBrowser(),
    args,
  });
  const page = context.pages()[0] ?? (await context.newPage());
  const browserVersion = await page.evaluate(
    () => /Chrom\w*\/([\d.]+)/.exec(navigator.userAgent)?.[1] ?? 'unknown',
  );
  const close = async () => {
    await context.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  return { context, page, browserVersion, close };
}
