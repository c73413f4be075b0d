// A browser of one's own on a kept profile, in a process group of its own, spoken to through a pipe: it can be killed as a whole.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { chromiumFlags } from '../../chromium-flags.mjs';
import { findBrowser } from '../../find-browser.mjs';

const answerTimeoutMs = 60_000;
const endTimeoutMs = 20_000;
const separator = '\0';
const sleep = (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs));

/** Pages in the background work like the one in front. */
const evenFlags = [
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/** Processes that were started for the profile and are not dead, whatever group they are in. @param {string} folder */
function processesOf(folder) {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`--user-data-dir=${folder}`);
      } catch {
        return false; // it ended while we looked
      }
    })
    .map(Number);
}

export class BrowserProcess {
  #folder;
  #child;
  #nextId = 1;
  #rest = '';
  /** @type {Map<number, { resolve: (result: any) => void, reject: (error: Error) => void }>} */
  #calls = new Map();

  /**
   * @param {string} folder of the profile
   * @param {{ wrap?: readonly string[] }} [options] a command that starts the browser, such as a tracer
   */
  constructor(folder, { wrap = [] } = {}) {
    const executable = findBrowser();
    if (!executable) throw new Error('no browser found');
    this.#folder = folder;
    const [command, ...args] = [
      ...wrap,
      executable,
      '--headless=new',
      '--remote-debugging-pipe',
      `--user-data-dir=${folder}`,
      '--no-default-browser-check',
      '--password-store=basic',
      ...chromiumFlags,
      ...evenFlags,
      'about:blank',
    ];
    this.#child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    this.#child.on('error', () => this.#failAll('it cannot be started'));
    this.#child.on('exit', () => this.#failAll('it has ended'));
    const [, , , input, output] = this.#child.stdio;
    // what is written to a browser that died is answered by its exit
    input?.on('error', () => undefined);
    if (!output || !('setEncoding' in output)) throw new Error('the browser has no pipe');
    output.setEncoding('utf8').on('data', (/** @type {string} */ data) => this.#take(data));
    output.on('error', () => undefined);
  }

  get hasEnded() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** One command of the DevTools protocol. @param {string} method @param {object} [params] @param {string} [sessionId] */
  send(method, params = {}, sessionId) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#calls.delete(id);
        reject(new Error(`the browser did not answer ${method}`));
      }, answerTimeoutMs);
      const end = (/** @type {(value: any) => void} */ settle) => (/** @type {any} */ value) => {
        clearTimeout(timer);
        settle(value);
      };
      this.#calls.set(id, { resolve: end(resolve), reject: end(reject) });
      const message = JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) });
      /** @type {import('node:stream').Writable} */ (this.#child.stdio[3]).write(`${message}${separator}`);
    });
  }

  /** @param {string} url @returns {Promise<string>} the page's target */
  async open(url) {
    const { targetId } = await this.send('Target.createTarget', { url });
    return targetId;
  }

  /** Without a word to the page: neither `beforeunload` nor `unload` runs. @param {string} targetId */
  async closePage(targetId) {
    await this.send('Target.closeTarget', { targetId });
  }

  /** Ends the process that shows the page. @param {string} targetId */
  async crashPage(targetId) {
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    // the answer never comes: who would give it
    this.send('Page.crash', {}, sessionId).catch(() => undefined);
  }

  /** SIGKILL to every process of the browser at once; resolves when none is left. */
  async kill() {
    const ended = this.hasEnded || new Promise((resolve) => this.#child.once('exit', resolve));
    try {
      process.kill(-(this.#child.pid ?? Number.NaN), 'SIGKILL');
    } catch {
      // all of them are gone
    }
    await ended;
    for (const startMs = performance.now(); ; await sleep(10)) {
      const left = processesOf(this.#folder);
      if (left.length === 0) return;
      if (performance.now() - startMs > endTimeoutMs)
        throw new Error(`processes ${left.join(', ')} outlive their SIGKILL`);
      for (const pid of left) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // gone
        }
      }
    }
  }

  /** @param {string} why */
  #failAll(why) {
    for (const { reject } of this.#calls.values()) reject(new Error(`no answer of the browser: ${why}`));
    this.#calls.clear();
  }

  /** @param {string} data */
  #take(data) {
    const messages = `${this.#rest}${data}`.split(separator);
    this.#rest = messages.pop() ?? '';
    for (const text of messages) {
      const { id, result, error } = JSON.parse(text);
      const call = this.#calls.get(id);
      this.#calls.delete(id);
      if (error) call?.reject(new Error(`${error.message}`));
      else call?.resolve(result);
    }
  }
}
