// Rounds: a browser is opened on the kept profile, what it finds there is checked, its tabs and workers get to work, and are killed.
import { cpSync, createWriteStream, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BrowserProcess } from './browser-process.mjs';
import { EpochChecker } from './check.mjs';
import { History } from './history.mjs';
import { Log } from './log.mjs';
import { SeededRandom } from './random.mjs';
import { acceptSockets } from './socket-server.mjs';

const tabs = 3;
const workersPerTab = 1;
const abortShare = 0.02;
/** Rounds that share keys: fewer would never meet old data, more make each check longer. */
const roundsPerEpoch = 5;
const startTimeoutMs = 60_000;
/** Longer than any limit of the store itself. */
const idleTimeoutMs = 45_000;
const readTimeoutMs = 120_000;
/** Work before the first kill of a round, and between kills. */
const workMs = { least: 60, most: 300 };
/** How often nobody is killed until everything that was begun has ended. */
const roundsPerQuiet = 10;

/** @typedef {'worker' | 'page' | 'browser'} KillKind */
/** @typedef {{ name: string, socket: import('./socket-server.mjs').Socket, isIdle: boolean, isGone: boolean }} Client */

/** @param {() => boolean} isTrue @param {number} timeoutMs @param {string} what */
async function until(isTrue, timeoutMs, what) {
  for (const startMs = performance.now(); !isTrue(); await sleep(5))
    if (performance.now() - startMs > timeoutMs) throw new Error(`${what}: not within ${timeoutMs} ms`);
}

export class Run {
  kills = { worker: 0, page: 0, browser: 0 };
  /** Operations under way in those who were killed. */
  cutShort = { worker: 0, page: 0, browser: 0 };
  /** @type {import('./check.mjs').Violation[]} */
  violations = [];
  /** What the browser said each time it threw its own database away. @type {string[]} */
  losses = [];
  log;
  logFile;
  #options;
  #server;
  #profile = mkdtempSync(join(tmpdir(), 'vivarium-durability-'));
  #random;
  #closeSockets;
  #closeLog;
  /** @type {Map<string, Client>} */
  #clients = new Map();
  /** @type {Map<string, { targetId: string, workers: string[] }>} */
  #tabs = new Map();
  /** @type {Map<string, EpochChecker>} */
  #checkers = new Map();
  /** @type {(read: any) => void} */
  #onRead = () => undefined;
  /** @type {BrowserProcess | undefined} */
  #browser;
  #named = 0;
  #epochs = 0;

  /**
   * @param {{ url: string, httpServer: import('node:http').Server }} server of the page
   * @param {{ seed: string, kind: string, folder: string }} options `kind` of store, `folder` for the log
   */
  constructor(server, options) {
    this.#server = server;
    this.#options = options;
    this.#random = new SeededRandom(`killer ${options.seed}`);
    mkdirSync(options.folder, { recursive: true });
    this.logFile = join(options.folder, `${options.kind}.jsonl`);
    const stream = createWriteStream(this.logFile);
    this.#closeLog = () => new Promise((resolve) => stream.end(resolve));
    this.log = new Log((line) => stream.write(line));
    this.#closeSockets = acceptSockets(server.httpServer, (socket) => this.#meet(socket));
  }

  /** One round: one worker, one page and the browser are killed; then all of it is opened again and checked. @param {number} round */
  async round(round) {
    if (round % roundsPerEpoch === 0) this.#epochs++;
    const epoch = `epoch-${this.#epochs}`;
    await this.#start(epoch);
    if (round % roundsPerQuiet === roundsPerQuiet - 1) await this.#expectQuiet(epoch);
    for (const kill of [() => this.#killWorker(), () => this.#killPage(), () => this.#killBrowser()]) {
      await sleep(workMs.least + this.#random.next() * (workMs.most - workMs.least));
      await kill();
    }
    await this.#check(epoch);
  }

  /** Everything that was ever written, once more. */
  async checkAll() {
    for (const epoch of this.#checkers.keys()) await this.#check(epoch);
  }

  async close() {
    await this.#browser?.kill();
    this.#closeSockets();
    await this.#closeLog();
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }

  async #open() {
    if (!this.#browser || this.#browser.hasEnded) this.#browser = new BrowserProcess(this.#profile);
    return this.#browser;
  }

  /** @param {object} settings */
  #address(settings) {
    const address = this.#server.url.replace(/^http/, 'ws');
    return `${this.#server.url}#${encodeURIComponent(JSON.stringify({ address, ...settings }))}`;
  }

  /** @param {import('./socket-server.mjs').Socket} socket */
  #meet(socket) {
    socket.onmessage = ({ name }) => {
      const client = { name, socket, isIdle: false, isGone: false };
      this.#clients.set(name, client);
      socket.onclose = () => (client.isGone = true);
      socket.onmessage = (message) => this.#hear(client, message);
    };
  }

  /** @param {Client} client @param {any} message */
  #hear(client, message) {
    if (message.type === 'begin') {
      this.log.begin(client.name, /^[^:]*/.exec(client.name)?.[0] ?? '', message);
      client.socket.send({ type: 'go', op: message.op });
    } else if (message.type === 'end') this.log.end(client.name, message);
    else if (message.type === 'idle') client.isIdle = true;
    else if (message.type === 'read') this.#onRead(message);
  }

  /** @param {string} epoch @param {string} what */
  #settings(epoch, what) {
    const { seed, kind } = this.#options;
    const name = `${epoch}:${what}${this.#named++}`;
    return { name, epoch, seed, kind, abortShare, store: 'durability', role: 'client' };
  }

  /** @param {string} epoch */
  async #start(epoch) {
    const browser = await this.#open();
    const names = [];
    for (let at = 0; at < tabs; at++) {
      const settings = this.#settings(epoch, 'tab');
      const targetId = await browser.open(this.#address(settings));
      this.#tabs.set(settings.name, { targetId, workers: [] });
      names.push(settings.name);
    }
    await until(() => names.every((name) => this.#clients.has(name)), startTimeoutMs, 'tabs start');
    for (const [tab, { workers }] of this.#tabs) {
      for (let at = 0; at < workersPerTab; at++) {
        const settings = {
          ...this.#settings(epoch, 'worker'),
          address: this.#server.url.replace(/^http/, 'ws'),
        };
        this.#clients.get(tab)?.socket.send({ type: 'start-worker', settings });
        workers.push(settings.name);
      }
    }
    const workers = [...this.#tabs.values()].flatMap((tab) => tab.workers);
    await until(() => workers.every((name) => this.#clients.has(name)), startTimeoutMs, 'workers start');
  }

  /** Everything that was begun must end by itself. @param {string} epoch */
  async #expectQuiet(epoch) {
    await sleep(workMs.most);
    const clients = [...this.#clients.values()].filter(({ isGone }) => !isGone);
    for (const { socket } of clients) socket.send({ type: 'stop' });
    await until(() => clients.every(({ isIdle }) => isIdle), idleTimeoutMs, 'quiet').catch(() => undefined);
    for (const { name, isIdle } of clients) {
      if (isIdle) continue;
      const open = this.log.openOf(name).map(({ op, kind }) => `${op} (${kind})`);
      this.violations.push({ reason: 'no answer', detail: open.join(', ') || name });
    }
    await this.#endTabs();
    await this.#start(epoch);
  }

  async #endTabs() {
    for (const { targetId } of this.#tabs.values()) await this.#browser?.closePage(targetId);
    const clients = [...this.#clients.values()];
    await until(() => clients.every(({ isGone }) => isGone), startTimeoutMs, 'tabs end');
    this.#tabs.clear();
    this.#clients.clear();
  }

  /** @param {KillKind} kind @param {readonly string[]} names */
  async #gone(kind, names) {
    await until(
      () => names.every((name) => this.#clients.get(name)?.isGone),
      startTimeoutMs,
      `end of a ${kind}`,
    );
    this.kills[kind]++;
    this.cutShort[kind] += names.reduce((sum, name) => sum + this.log.openOf(name).length, 0);
    this.log.note({ type: 'killed', kind, names });
  }

  async #killWorker() {
    const [tab, { workers }] = this.#random.of([...this.#tabs]);
    const name = this.#random.of(workers);
    this.#clients.get(tab)?.socket.send({ type: 'end-worker', name });
    await this.#gone('worker', [name]);
    workers.splice(workers.indexOf(name), 1);
  }

  /** Closed without a word, or its process crashed. */
  async #killPage() {
    const [tab, { targetId, workers }] = this.#random.of([...this.#tabs]);
    const isCrash = this.kills.page % 2 === 1;
    await (isCrash ? this.#browser?.crashPage(targetId) : this.#browser?.closePage(targetId));
    await this.#gone('page', [tab, ...workers]);
    this.#tabs.delete(tab);
  }

  async #killBrowser() {
    const names = [...this.#clients.values()].filter(({ isGone }) => !isGone).map(({ name }) => name);
    await this.#browser?.kill();
    await this.#gone('browser', names);
    this.#keepFiles();
    this.#tabs.clear();
    this.#clients.clear();
  }

  /** The database as the killed browser left it, for whoever wants to know why something is missing. */
  #keepFiles() {
    const found = join(this.#profile, 'Default/IndexedDB');
    const kept = join(this.#options.folder, `${this.#options.kind}-files`);
    rmSync(kept, { recursive: true, force: true });
    if (existsSync(found)) cpSync(found, kept, { recursive: true });
  }

  /** @param {string} epoch */
  async #check(epoch) {
    const operations = this.log.of(epoch);
    const keys = new History(operations).wanted();
    const state = await this.#read({ name: 'durability', epoch, keys });
    if (state.loss !== undefined) return this.#lose(state.loss);
    const checker = this.#checkers.get(epoch) ?? new EpochChecker();
    this.#checkers.set(epoch, checker);
    const violations = checker.check(operations, state);
    for (const violation of violations) this.log.note({ type: 'violation', ...violation });
    this.violations.push(...violations);
    return undefined;
  }

  /** The store begins anew, and so does what it is held to. @param {string} message of the browser */
  #lose(message) {
    this.log.note({ type: 'loss', message });
    this.losses.push(message);
    this.#checkers.clear();
    this.#epochs++;
  }

  /** @param {{ name: string, epoch: string, keys: string[][] }} asked */
  async #read(asked) {
    const browser = await this.#open();
    const name = `reader${this.#named++}`;
    const targetId = await browser.open(this.#address({ role: 'reader', name }));
    await until(() => this.#clients.has(name), startTimeoutMs, 'the reader starts');
    const answer = new Promise((resolve) => (this.#onRead = resolve));
    this.#clients.get(name)?.socket.send(asked);
    const late = sleep(
      readTimeoutMs,
      { error: `no answer of the reader within ${readTimeoutMs} ms` },
      { ref: false },
    );
    const state = await Promise.race([answer, late]);
    await browser.closePage(targetId);
    this.#clients.delete(name);
    if (state.error) throw new Error(`what is stored cannot be read: ${state.error}`);
    return state;
  }
}
