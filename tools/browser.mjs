// The Chromium that benches and proofs drive: the one the tests use, with the same flags.
import { chromium } from 'playwright';
import { chromiumFlags } from './chromium-flags.mjs';
import { findBrowser } from './find-browser.mjs';

/** @param {import('playwright').LaunchOptions} [options] */
export async function launchBrowser(options = {}) {
  const executablePath = findBrowser();
  if (!executablePath)
    throw new Error(
      'no browser found: install Chromium, Chrome or Edge, or set VIVARIUM_BROWSER to its executable',
    );
  const args = [...chromiumFlags, ...(options.args ?? [])];
  return chromium.launch({ ...options, executablePath, args });
}
