// The peer of area `dspy`: DSPy itself, timed by fixtures/dspy/time_cases.py in a Python that has it.
import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';

const script = join(resolve(import.meta.dirname, '../..'), 'fixtures/dspy/time_cases.py');
/** The version whose output the fixtures are. */
const pinned = '3.3.1';
/** Importing DSPy alone takes half a minute on a busy machine. */
const timeoutMs = 5 * 60_000;
const probe = 'from importlib.metadata import version; print(version("dspy"))';

export const howToGet = `python3 -m venv venv && venv/bin/pip install dspy==${pinned}, then VIVARIUM_DSPY_PYTHON=venv/bin/python`;

/** @typedef {{ cases: number, roundsUs: number[] }} Group */
/** @typedef {{ dspy: string, python: string, groups: Record<string, Group> }} Timing */
/** @typedef {import('./table.mjs').Reported & { group?: string }} GroupRow */

/** @param {string} file @param {readonly string[]} args @returns {Promise<string>} */
function run(file, args) {
  return new Promise((answer, reject) => {
    execFile(file, args, { timeout: timeoutMs, maxBuffer: 2 ** 24 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${file} failed: ${stderr.trim().split('\n').at(-1) || error.message}`));
      else answer(stdout);
    });
  });
}

/**
 * A Python that has the pinned DSPy, or why there is none. One that is named and does not have it is an error: nobody names one
 * to be told `not measured`.
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {Promise<{ python: string } | { why: string }>}
 */
export async function findDspy(environment = process.env) {
  const named = environment['VIVARIUM_DSPY_PYTHON'];
  const python = named || 'python3';
  const found = await run(python, ['-c', probe]).then(
    (text) => text.trim(),
    () => undefined,
  );
  if (found === pinned) return { python };
  const why = found === undefined ? `${python} has no DSPy` : `${python} has DSPy ${found}, not ${pinned}`;
  if (named) throw new Error(`VIVARIUM_DSPY_PYTHON: ${why}; to get it: ${howToGet}`);
  return { why };
}

/** @param {string} python @returns {Promise<Timing>} */
export async function timeDspy(python) {
  return readTiming(await run(python, [script]));
}

/** What time_cases.py printed; anything else is refused. @param {string} text @returns {Timing} */
export function readTiming(text) {
  const timing = JSON.parse(text);
  if (timing?.dspy !== pinned) throw new Error(`time_cases.py timed DSPy ${timing?.dspy}, not ${pinned}`);
  for (const [name, { cases, roundsUs }] of Object.entries(/** @type {Timing} */ (timing).groups)) {
    const isRight = cases > 0 && roundsUs.length > 0 && roundsUs.every((us) => Number.isFinite(us) && us > 0);
    if (!isRight) throw new Error(`time_cases.py says of ${name}: ${JSON.stringify({ cases, roundsUs })}`);
  }
  return timing;
}

/**
 * Puts what DSPy took beside each row: the median of all rounds of all runs of it. Without a run the row is `not measured`.
 * @param {readonly GroupRow[]} rows
 * @param {readonly Timing[]} timings
 * @returns {import('./table.mjs').Reported[]}
 */
export function putBeside(rows, timings) {
  return rows.map(({ group = '', ...row }) => {
    if (timings.length === 0) return { ...row, isMeasured: false };
    const roundsUs = timings.flatMap((timing) => {
      const timed = timing.groups[group];
      if (!timed) throw new Error(`time_cases.py has no group "${group}" for the row "${row.name}"`);
      if (!row.name.endsWith(` ${timed.cases}`))
        throw new Error(`"${row.name}" was timed over ${timed.cases} cases by DSPy`);
      return timed.roundsUs;
    });
    const sorted = roundsUs.toSorted((one, other) => one - other);
    const [least = 0, middle = 0, most = 0] = [0, sorted.length >> 1, sorted.length - 1].map(
      (at) => sorted[at],
    );
    const spread = `${String(row.spread)} beside ${least.toFixed(1)}–${most.toFixed(1)}`;
    return { ...row, beside: middle, spread };
  });
}

/**
 * Runs the bench of the page between two runs of DSPy.
 * @template {{ reported: GroupRow[] }} Outcome
 * @param {() => Promise<Outcome>} runOurs
 */
export async function besideDspy(runOurs) {
  const found = await findDspy();
  if ('why' in found) {
    console.log(`DSPy is not measured: ${found.why}. To get it: ${howToGet}\n`);
    const outcome = await runOurs();
    return { ...outcome, reported: putBeside(outcome.reported, []) };
  }
  const before = await timeDspy(found.python);
  const outcome = await runOurs();
  const after = await timeDspy(found.python);
  return { ...outcome, reported: putBeside(outcome.reported, [before, after]) };
}
