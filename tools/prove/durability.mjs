// Tabs and workers of a real browser work on one store while workers, pages and the whole browser are killed; then a checker goes
// over the log, which lies outside of all of them. Sabotaged: stores that are broken on purpose, each of which must be caught.
import { join, resolve } from 'node:path';
import { serveProof } from '../proof-page.mjs';
import { Run } from './durability/run.mjs';
import { traceFlushes } from './durability/trace-flushes.mjs';

const root = resolve(import.meta.dirname, '../..');
const page = 'tools/prove/durability/page.mjs';
const folder = join(root, '.cache/prove/durability-log');
const defaultKills = 200;
/** Of each kind, to catch a broken store. */
const defaultKillsToCatch = 20;
const roundsPerLine = 20;

/** What each broken store must be caught at, all of it; other faults may show as well. */
export const brokenStores = {
  'early-acknowledging': ['acknowledged, then lost', 'acknowledged before complete'],
  'without-compare': ['compared wrongly'],
  weaker: ['weaker than asked'],
  unfenced: ['an older token after a newer'],
  torn: ['torn commit', 'torn read'],
  'deaf-to-abort': ['acknowledged, then lost', 'acknowledged although aborted'],
};

/** @param {import('./durability/run.mjs').Run} run */
function countEnds({ log }) {
  const counts = { acknowledged: 0, strict: 0, reads: 0, refused: 0, unknown: 0 };
  for (const { endedAt, isOk, isUnknown, entries, level } of log.operations.values()) {
    if (endedAt === undefined || isUnknown) counts.unknown++;
    else if (!isOk) counts.refused++;
    else if (entries) counts.reads++;
    else counts.acknowledged++;
    if (isOk && level === 'strict') counts.strict++;
  }
  return counts;
}

/** @param {Run} run */
const killsOf = ({ kills, cutShort }) =>
  Object.entries(kills)
    .map(
      ([kind, count]) =>
        `${kind} ${count} (${cutShort[/** @type {keyof typeof cutShort} */ (kind)]} operations cut short)`,
    )
    .join(', ');

/**
 * Kills of each kind, until there are enough or the wanted fault has shown. Also for the e2e tests.
 * @param {{ kind: string, kills: number, seed: string, wanted?: readonly string[], print?: (line: string) => void }} options `wanted`: go on until all of this is found
 */
export async function runKills({ kind, kills, seed, wanted, print = () => undefined }) {
  const server = await serveProof(page);
  const run = new Run(server, { seed, kind, folder });
  const isFound = (/** @type {string} */ reason) => run.violations.some((each) => each.reason === reason);
  const isOver = () => (wanted ? wanted.every(isFound) : run.violations.length > 0);
  try {
    for (let round = 0; round < kills && !isOver(); round++) {
      await run.round(round);
      if (round % roundsPerLine === roundsPerLine - 1) print(`  ${killsOf(run)}`);
    }
    if (!isOver()) await run.checkAll();
  } finally {
    await run.close();
    await server.close();
  }
  return {
    ...countEnds(run),
    kills: run.kills,
    cutShort: run.cutShort,
    violations: run.violations,
    losses: run.losses,
    logFile: run.logFile,
  };
}

/** @param {Awaited<ReturnType<typeof runKills>>} found @param {(line: string) => void} print */
function report(found, print) {
  print(`killed: ${killsOf(/** @type {any} */ (found))}`);
  const { acknowledged, strict, reads, refused, unknown } = found;
  print(
    `writes acknowledged ${acknowledged}, of them strict ${strict}; reads ${reads}; refused ${refused}; without an answer ${unknown}`,
  );
  print(
    `the browser found its own database damaged by a kill, threw it away and said so: ${found.losses.length} times`,
  );
  for (const message of new Set(found.losses)) print(`  ${message}`);
  for (const { reason, detail } of found.violations) print(`fell short: ${reason}: ${detail}`);
  print(`the log: ${found.logFile}`);
}

/** Answers whether each was caught at what is wrong with it. */
async function catchBroken({ kills, seed, print }) {
  let isEachCaught = true;
  for (const [kind, wanted] of Object.entries(brokenStores)) {
    const { violations, kills: killed } = await runKills({ kind, kills, seed, wanted });
    const missing = wanted.filter((reason) => !violations.some((each) => each.reason === reason));
    const others = new Set(
      violations.map(({ reason }) => reason).filter((reason) => !wanted.includes(reason)),
    );
    isEachCaught &&= missing.length === 0;
    print(
      missing.length === 0
        ? `${kind}: caught after ${killed.browser} kills of each kind`
        : `${kind}: NOT CAUGHT by ${killed.browser} kills of each kind: nothing of "${missing.join('", "')}"`,
    );
    for (const reason of wanted)
      for (const { detail } of violations.filter((each) => each.reason === reason).slice(0, 1))
        print(`  ${reason}: ${detail}`);
    if (others.size > 0) print(`  also: ${[...others].join(', ')}`);
  }
  return isEachCaught;
}

/** @type {import('../prove.mjs').Prove} */
export async function prove({ sabotage, kills, seed = '1', strace, print }) {
  if (strace) return traceFlushes({ page, kind: sabotage ? 'weaker' : 'good', print });
  print(`seed ${seed}: it repeats what is asked and when it is killed, not how the browser takes turns`);
  if (sabotage) return !(await catchBroken({ kills: kills ?? defaultKillsToCatch, seed, print }));
  const found = await runKills({ kind: 'good', kills: kills ?? defaultKills, seed, print });
  report(found, print);
  return found.violations.length === 0;
}
