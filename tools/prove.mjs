// `npm run prove -- NAME [--sabotage] [--seconds N] [--kills N] [--seed TEXT] [--strace] [--engine NAME] [--record]`: a proof too long for the tests.
// Proofs live in tools/prove/NAME.mjs.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const folder = resolve(import.meta.dirname, 'prove');
const maxSeconds = 86_400;
const maxKills = 100_000;

/**
 * @typedef {object} ProofOptions
 * @property {boolean} sabotage
 * @property {number | undefined} seconds
 * @property {number | undefined} kills of each kind
 * @property {string | undefined} seed
 * @property {boolean} strace
 * @property {string | undefined} engine
 * @property {boolean} record what was found goes into the documents
 * @property {(line: string) => void} print
 *
 * Prints what it does and finds, and answers whether the claim held; `skipped` where this machine cannot tell.
 * @typedef {(options: ProofOptions) => Promise<boolean | 'skipped'>} Prove
 */

function findProofs() {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.mjs') && !name.endsWith('.test.mjs'))
    .map((name) => name.replace('.mjs', ''))
    .toSorted();
}

function readArgs() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      sabotage: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      kills: { type: 'string' },
      seed: { type: 'string' },
      strace: { type: 'boolean', default: false },
      engine: { type: 'string' },
      record: { type: 'boolean', default: false },
    },
  });
  const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
  if (seconds !== undefined && !(seconds > 0 && seconds <= maxSeconds))
    throw new Error(`--seconds is "${values.seconds}"; it must be more than 0 and at most ${maxSeconds}`);
  const kills = values.kills === undefined ? undefined : Number(values.kills);
  if (kills !== undefined && !(Number.isInteger(kills) && kills > 0 && kills <= maxKills))
    throw new Error(`--kills is "${values.kills}"; it must be a whole number from 1 to ${maxKills}`);
  const { sabotage, seed, strace, engine, record } = values;
  return { name: positionals[0], options: { sabotage, seconds, kills, seed, strace, engine, record } };
}

/** @returns {Promise<boolean | 'skipped'>} */
async function main() {
  const { name, options } = readArgs();
  const proofs = findProofs();
  if (!name || !proofs.includes(name))
    throw new Error(
      `${name ? `there is no proof "${name}"` : 'name a proof'}; there are ${proofs.join(', ')}`,
    );
  const module = await import(pathToFileURL(join(folder, `${name}.mjs`)).href);
  if (typeof module.prove !== 'function') throw new Error(`tools/prove/${name}.mjs does not export prove`);
  const hasHeld = await module.prove({ ...options, print: console.log });
  if (typeof hasHeld !== 'boolean' && hasHeld !== 'skipped')
    throw new Error(`the proof answered ${String(hasHeld)}, not true, false or skipped`);
  return hasHeld;
}

const hasHeld = await main().catch((error) => {
  console.error(`prove failed: ${error.message}`);
  return false;
});
if (hasHeld === 'skipped') console.log('skipped');
else console.log(hasHeld ? 'held' : 'fell short');
process.exitCode = hasHeld ? 0 : 1;
