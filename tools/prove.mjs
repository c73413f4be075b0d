// `npm run prove -- NAME [--sabotage] [--seconds N]`: a proof too long for the tests. Proofs live in tools/prove/NAME.mjs.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const folder = resolve(import.meta.dirname, 'prove');
const maxSeconds = 86_400;

/**
 * Prints what it does and finds, and answers whether the claim held.
 * @typedef {(options: { sabotage: boolean, seconds: number | undefined, print: (line: string) => void }) => Promise<boolean>} Prove
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
    options: { sabotage: { type: 'boolean', default: false }, seconds: { type: 'string' } },
  });
  const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
  if (seconds !== undefined && !(seconds > 0 && seconds <= maxSeconds))
    throw new Error(`--seconds is "${values.seconds}"; it must be more than 0 and at most ${maxSeconds}`);
  return { name: positionals[0], sabotage: values.sabotage, seconds };
}

/** @returns {Promise<boolean>} */
async function main() {
  const { name, sabotage, seconds } = readArgs();
  const proofs = findProofs();
  if (!name || !proofs.includes(name))
    throw new Error(
      `${name ? `there is no proof "${name}"` : 'name a proof'}; there are ${proofs.join(', ')}`,
    );
  const module = await import(pathToFileURL(join(folder, `${name}.mjs`)).href);
  if (typeof module.prove !== 'function') throw new Error(`tools/prove/${name}.mjs does not export prove`);
  const hasHeld = await module.prove({ sabotage, seconds, print: console.log });
  if (typeof hasHeld !== 'boolean')
    throw new Error(`the proof answered ${String(hasHeld)}, not true or false`);
  return hasHeld;
}

const hasHeld = await main().catch((error) => {
  console.error(`prove failed: ${error.message}`);
  return false;
});
console.log(hasHeld ? 'held' : 'fell short');
process.exitCode = hasHeld ? 0 : 1;
