// 10,000 warm and 300 fresh runs of Python in a row, and a hundred callers at once: workers, frames, ports and memory stay what the pool needs.
// Sabotaged, one run in ten leaves a session and a megabyte behind, and the callers are served in the wrong order.
import { readFileSync } from 'node:fs';
import { launchProfile } from '../browser.mjs';
import { serveProof } from '../proof-page.mjs';

const page = 'tools/prove/endurance/page.mjs';
const warmRuns = 10_000;
const freshRuns = 300;
/** Of each kind, before anything is counted: code is compiled, buffers have their size. */
const warmUp = { warm: 1000, fresh: 20 };
/** All processes of pages together, from half of the runs to the end: what the browser's own housekeeping moves. One interpreter has 50 MB. */
const allowedGrowthBytes = 24 * 2 ** 20;
const callers = 100;
const mebibytes = (/** @type {number} */ bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

/** Memory that these processes have made themselves: what a file on disk would give back moves with its other readers. @param {readonly number[]} ids */
function memoryOf(ids) {
  const sizes = ids.map((id) => {
    const text = readFileSync(`/proc/${id}/smaps_rollup`, 'utf8');
    return Number(/^Anonymous:\s+(?<kib>\d+)/mu.exec(text)?.groups?.['kib'] ?? 0) * 1024;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** @typedef {{ workers: number, frames: number, ports: number, sandboxes: number, memoryBytes: number | undefined }} Counts */

class Watched {
  #browser;
  #session;

  /** @param {Awaited<ReturnType<typeof launchProfile>>} browser @param {import('playwright').CDPSession} session */
  constructor(browser, session) {
    this.#browser = browser;
    this.#session = session;
  }

  /** @param {string} name @param {unknown} [given] @returns {Promise<any>} */
  call(name, given) {
    return this.#browser.page.evaluate(
      ([asked, options]) => Reflect.get(globalThis, /** @type {string} */ (asked))(options),
      [name, given],
    );
  }

  /** What is there when nothing runs. @returns {Promise<Counts>} */
  async count() {
    const { page: tab } = this.#browser;
    // the pool fills again, ended workers go, and memory is collected
    await tab.waitForTimeout(6000);
    await tab.requestGC();
    await tab.waitForTimeout(1000);
    const { ports, sandboxes } = await this.call('count');
    return {
      workers: tab.workers().length,
      frames: tab.frames().length,
      ports,
      sandboxes,
      memoryBytes: await this.#memory(),
    };
  }

  async #memory() {
    if (process.platform !== 'linux') return undefined;
    const { processInfo } = await this.#session.send('SystemInfo.getProcessInfo');
    return memoryOf(processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id));
  }
}

/** @param {Counts} before @param {Counts} half @param {Counts} after @param {(line: string) => void} print */
function hasStayed(before, half, after, print) {
  const names = /** @type {const} */ (['workers', 'frames', 'ports', 'sandboxes']);
  for (const name of names) print(`${name}: ${before[name]} before, ${after[name]} after`);
  // the probe itself: one session and one that waits
  if (before.workers < 2 || before.ports < 2 || before.frames < 2) {
    print('what is counted is not there: this proves nothing');
    return false;
  }
  const isBounded = names.every((name) => after[name] <= before[name]);
  if (before.memoryBytes === undefined || half.memoryBytes === undefined || after.memoryBytes === undefined) {
    print('memory: not measured on this system');
    return isBounded;
  }
  const sizes = [before.memoryBytes, half.memoryBytes, after.memoryBytes].map(mebibytes);
  print(
    `memory of the renderers: ${sizes[0]} before, ${sizes[1]} after half of the runs, ${sizes[2]} at the end; allowed growth from half to end ${mebibytes(allowedGrowthBytes)}`,
  );
  return isBounded && after.memoryBytes - half.memoryBytes <= allowedGrowthBytes;
}

/**
 * A hundred callers at once begin in exactly the order in which they came: places are given in order of call, and so are interpreters, whichever
 * is there first. In which order they end is their own affair.
 * @param {Watched} watched @param {string} language @param {boolean} sabotage @param {(line: string) => void} print
 */
async function isInTurn(watched, language, sabotage, print) {
  const { refused, begun } = /** @type {{ refused: string, begun: number[] }} */ (
    await watched.call('runCrowd', { language, sabotage })
  );
  const outOfTurn = begun.filter((caller, place) => caller !== place).length;
  print(
    `${language}, ${callers} callers at once: ${begun.length} began, ${outOfTurn} of them out of turn; the one beyond the queue got ${refused}`,
  );
  return begun.length === callers && outOfTurn === 0 && refused === 'executor/queue-full';
}

/** @type {import('../prove.mjs').Prove} */
export async function prove({ sabotage, print }) {
  const server = await serveProof(page);
  const browser = await launchProfile();
  try {
    const session = await browser.context.browser()?.newBrowserCDPSession();
    if (!session) throw new Error('the browser has no session for itself');
    const watched = new Watched(browser, session);
    browser.page.on('pageerror', (error) => print(`  page error: ${error.message}`));
    await browser.page.goto(server.url);
    await browser.page.waitForFunction(() => Reflect.get(globalThis, 'isProofReady') === true);
    await watched.call('open');
    await watched.call('runWarm', { count: warmUp.warm });
    await watched.call('runFresh', { count: warmUp.fresh, sabotage: false });
    const before = await watched.count();
    const startMs = performance.now();
    const runHalf = async () => {
      await watched.call('runWarm', { count: warmRuns / 2 });
      await watched.call('runFresh', { count: freshRuns / 2, sabotage });
      return watched.count();
    };
    const half = await runHalf();
    const after = await runHalf();
    print(
      `${warmRuns} warm and ${freshRuns} fresh runs in ${((performance.now() - startMs) / 1000).toFixed(0)} s`,
    );
    const stayed = hasStayed(before, half, after, print);
    const turns = [];
    for (const language of ['javascript', 'python'])
      turns.push(await isInTurn(watched, language, sabotage, print));
    return stayed && turns.every(Boolean);
  } finally {
    await browser.close();
    await server.close();
  }
}
