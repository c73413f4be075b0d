// One browser of any engine, behind one small face: open a page, evaluate in it, close. For proofs that must hold in all of them.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchBrowser, requireBrowser } from './browser.mjs';
import { findProgram } from './find-browser.mjs';
import { openSession, waitForDriver } from './web-driver.mjs';

/**
 * @typedef {'chromium' | 'firefox' | 'webkit'} EngineName
 * @typedef {object} EnginePage
 * @property {(expression: string) => Promise<unknown>} evaluate in the page's own realm; the value as JSON carries it
 * @property {() => Promise<void>} close with the whole browser
 * @typedef {EnginePage & { version: string }} OpenPage
 */

/** How often a long call is asked whether it is done. */
const pollMs = 250;

/** @returns {Promise<number>} a port that was free a moment ago */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

const programs = {
  firefox: {
    variable: 'VIVARIUM_FIREFOX',
    names: ['firefox', 'firefox-esr'],
    wellKnown: [
      '/Applications/Firefox.app/Contents/MacOS/firefox',
      String.raw`C:\Program Files\Mozilla Firefox\firefox.exe`,
    ],
    install: "install Firefox (Debian's package is firefox-esr)",
  },
  webKitDriver: {
    variable: 'VIVARIUM_WEBKIT_DRIVER',
    names: ['WebKitWebDriver'],
    install: "install WebKitGTK's driver (Debian's package is webkit2gtk-driver)",
  },
  screen: {
    variable: 'VIVARIUM_XVFB',
    names: ['Xvfb'],
    install: "install Xvfb (Debian's package is xvfb)",
  },
};

/** @param {keyof typeof programs} name @returns {string} */
function requireProgram(name) {
  const program = programs[name];
  const path = findProgram(program);
  if (path) return path;
  const { names, install, variable } = program;
  throw new Error(`${names[0]} was not found: ${install}, or set ${variable} to its executable`);
}

/** @param {string} url @returns {Promise<OpenPage>} */
async function openChromium(url) {
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(url);
    return {
      version: `Chromium ${browser.version()}`,
      evaluate: (expression) => page.evaluate(expression),
      close: () => browser.close(),
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

/** @param {string} url @returns {Promise<OpenPage>} */
async function openFirefox(url) {
  const executablePath = requireProgram('firefox');
  const { default: puppeteer } = await import('puppeteer-core');
  const browser = await puppeteer.launch({
    browser: 'firefox',
    protocol: 'webDriverBiDi',
    executablePath,
    headless: true,
    protocolTimeout: 60_000,
  });
  try {
    const page = await browser.newPage();
    await page.goto(url);
    return {
      version: (await browser.version()).replace('firefox/', 'Firefox '),
      evaluate: (expression) => page.evaluate(expression),
      close: () => browser.close(),
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

/** A process that does not outlive this one, however this one ends. @type {typeof spawn} */
const spawnTied = (/** @type {any[]} */ ...given) => {
  const child = spawn(.../** @type {Parameters<typeof spawn>} */ (given));
  const stop = () => child.kill('SIGKILL');
  const leave = () => process.exit(1);
  process.on('exit', stop).on('SIGINT', leave).on('SIGTERM', leave);
  child.once('exit', () => process.off('exit', stop).off('SIGINT', leave).off('SIGTERM', leave));
  return child;
};

/** Ends a process of ours and waits for it. @param {import('node:child_process').ChildProcess} child */
async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 5000);
  await gone;
  clearTimeout(force);
}

/** A screen that nobody sees: MiniBrowser has no headless mode. @returns {Promise<{ display: string, close: () => Promise<void> }>} */
async function openScreen() {
  // it chooses a free number itself and writes it to descriptor 3
  const args = ['-displayfd', '3', '-screen', '0', '1024x768x24', '-nolisten', 'tcp'];
  const child = spawnTied(requireProgram('screen'), args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const number = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`Xvfb ended with ${code}`)));
    child.stdio[3]?.once('data', (data) => resolve(String(data).trim()));
  });
  return { display: `:${number}`, close: () => end(child) };
}

/** @param {string} url @returns {Promise<OpenPage>} */
async function openWebKit(url) {
  const path = requireProgram('webKitDriver');
  const screen = await openScreen();
  const home = mkdtempSync(join(tmpdir(), 'vivarium-webkit-'));
  const port = await freePort();
  const child = spawnTied(path, [`--port=${port}`], {
    stdio: 'ignore',
    // a profile of its own, and no settings of whoever runs this
    env: {
      ...process.env,
      DISPLAY: screen.display,
      HOME: home,
      XDG_CACHE_HOME: home,
      XDG_CONFIG_HOME: home,
      XDG_DATA_HOME: home,
    },
  });
  const endAll = async () => {
    await end(child);
    await screen.close();
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await waitForDriver(`http://127.0.0.1:${port}`);
    const session = await openSession(`http://127.0.0.1:${port}`);
    await session.goTo(url);
    const close = async () => {
      await session.close().catch(() => undefined);
      await endAll();
    };
    return { version: `WebKitGTK (${session.version})`, evaluate: session.evaluate, close };
  } catch (error) {
    await endAll();
    throw error;
  }
}

/** @type {Readonly<Record<EngineName, (url: string) => Promise<OpenPage>>>} */
const openers = { chromium: openChromium, firefox: openFirefox, webkit: openWebKit };

/** Names of all engines. */
export const engineNames = /** @type {readonly EngineName[]} */ (Object.keys(openers));

/** Throws when something that the engine needs is not installed, saying what to install. @param {EngineName} name */
export function requireInstalled(name) {
  if (name === 'chromium') requireBrowser();
  else if (name === 'firefox') requireProgram('firefox');
  else for (const needed of /** @type {const} */ (['webKitDriver', 'screen'])) requireProgram(needed);
}

/**
 * A browser of its own with one page. Throws when the engine is not installed, saying what to install.
 * @param {EngineName} name
 * @param {string} url
 * @returns {Promise<OpenPage>}
 */
export function openPage(name, url) {
  return openers[name](url);
}

/**
 * Calls a function of a module in the page and waits for its answer, however long that takes.
 * @param {EnginePage} page
 * @param {{ module: string, name: string, values: readonly unknown[], timeoutMs: number }} call `module` is a path on the page's server
 * @returns {Promise<any>} the answer, as JSON carries it
 */
export async function callInPage(page, { module, name, values, timeoutMs }) {
  const call = `m[${JSON.stringify(name)}](...${JSON.stringify(values)})`;
  await page.evaluate(
    `(() => { const call = globalThis.proofCall = { state: 'running' };
      import(new URL(${JSON.stringify(module)}, location.href).href).then((m) => ${call}).then(
        (value) => { call.text = JSON.stringify(value); call.state = 'done'; },
        (error) => { call.text = String(error && error.stack || error) + ' ' + String(error); call.state = 'failed'; });
      return true; })()`,
  );
  const end = performance.now() + timeoutMs;
  for (;;) {
    const state = await page.evaluate('globalThis.proofCall && globalThis.proofCall.state');
    if (state !== 'running') break;
    if (performance.now() > end) {
      const at = await page.evaluate('globalThis.proofCall.at ?? "an unknown step"');
      throw new Error(`${name} did not end within ${timeoutMs} ms; it was at ${String(at)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const [state, text] = /** @type {[string, string]} */ (
    await page.evaluate(
      'globalThis.proofCall ? [globalThis.proofCall.state, globalThis.proofCall.text] : ["lost", ""]',
    )
  );
  if (state !== 'done') throw new Error(`${name} in the page: ${state}: ${text}`);
  return text === undefined ? undefined : JSON.parse(text);
}
