// Finds a Chromium-family browser that is already on this machine. It never downloads.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright';

const names = [
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
  'microsoft-edge-stable',
  'microsoft-edge',
];
const wellKnown = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * @typedef {object} Program
 * @property {string} variable of the environment that names its executable
 * @property {readonly string[]} names to look for along PATH
 * @property {readonly string[]} [wellKnown] other places
 */

/** Order: the variable, the names along PATH, the other places. @param {Program} program @returns {string | undefined} */
export function findProgram({ variable, names: programNames, wellKnown: places = [] }) {
  const named = process.env[variable];
  if (named) {
    if (!isExecutable(named)) throw new Error(`${variable} is "${named}", which is not an executable file`);
    return named;
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const installed = programNames.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...installed, ...places].find(isExecutable);
}

/** Order: VIVARIUM_BROWSER, an installed browser, Playwright's own. @returns {string | undefined} */
export function findBrowser() {
  return findProgram({
    variable: 'VIVARIUM_BROWSER',
    names,
    wellKnown: [...wellKnown, chromium.executablePath()],
  });
}
