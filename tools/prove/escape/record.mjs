// What the escape proof has found in each engine, kept in docs/escapes.json, and the table in docs/security.md that is made of it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const docs = resolve(import.meta.dirname, '../../../docs');
const recordFile = join(docs, 'escapes.json');
const tableFile = join(docs, 'security.md');
const [begin, end] = ['<!-- begin: engines -->\n', '<!-- end: engines -->'];

/**
 * What was found in one engine. Attempts are named by their ids.
 * @typedef {object} EngineFinding
 * @property {string} browser
 * @property {string} on the day
 * @property {number} attempts made with all walls, in each kind of frame
 * @property {readonly string[]} gotOut with all walls, or the frame alone
 * @property {readonly string[]} [unproved] what its own control showed nothing for
 * @property {{ made: number, gotOut: number }} control without walls
 * @property {readonly string[]} absent what no guest can do there
 * @property {string} [note] on what got out
 * @property {Readonly<Record<string, string>>} can a question, and the answer
 */

/** @typedef {Readonly<Record<string, EngineFinding>>} Findings by engine, in the order of the table */

/** @typedef {import('../page/capabilities.mjs').Capabilities} Capabilities */

/** @returns {Findings} */
export const readFindings = () => JSON.parse(readFileSync(recordFile, 'utf8'));

/** Without how long it took. @param {string} cell */
const withoutTime = (cell) => cell.replaceAll(/,? ?\d+ ms\b/g, '').trim();

/** Languages with the same answer, named together; those that have nothing like it are left out. @param {Record<string, string>} answers */
function joinAnswers(answers) {
  /** @type {Map<string, string[]>} */
  const languagesOf = new Map();
  for (const [language, cell] of Object.entries(answers)) {
    const words = withoutTime(cell) || 'yes';
    if (words !== '–') languagesOf.set(words, [...(languagesOf.get(words) ?? []), `\`${language}\``]);
  }
  if (languagesOf.size === 1) return [...languagesOf.keys()].join('');
  return [...languagesOf].map(([words, languages]) => `${languages.join(', ')}: ${words}`).join('; ');
}

/** The others are answered alike by every engine, or the proof falls short. */
const asked = new Map([
  ['first result', 'runs programs'],
  ['an endless loop, after 500 ms', 'a loop at its time limit'],
  ['also after a loop was stopped', 'its session has its variables afterwards'],
  ['a loop that is cancelled', 'a loop that is cancelled'],
  ['a tool that is waited for', 'a tool that is waited for'],
  ['a tool that is awaited', 'a tool that is awaited'],
]);

/** What stands in the table of what the executor can do there. @param {Capabilities} capabilities @returns {Record<string, string>} */
export function summarize({ platform, rows }) {
  const has = (/** @type {string} */ name) => (platform[name] === 'true' ? 'yes' : 'no');
  const answers = rows.flatMap(({ question, answers: cells }) => {
    const title = asked.get(question);
    return title === undefined ? [] : [[title, joinAnswers(cells)]];
  });
  return {
    'memory shared with the guest': has('SharedArrayBuffer'),
    'a guest that waits without it (JSPI)': has('JSPI'),
    'Python from an image of its memory': withoutTime(platform['Python from a snapshot'] ?? 'no').replace(
      ' to the first result',
      '',
    ),
    ...Object.fromEntries(answers),
  };
}

const code = (/** @type {readonly string[]} */ names) => names.map((name) => `\`${name}\``).join(', ');

/**
 * @param {Findings} findings
 * @param {number} attempts how many there are by now
 */
export function writeEngineTable(findings, attempts) {
  const engines = Object.values(findings);
  const everywhere = (engines[0]?.absent ?? []).filter((name) =>
    engines.every(({ absent }) => absent.includes(name)),
  );
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`).replaceAll(/\s+/g, ' ')).join(' | ')} |`;
  /** @param {string} title @param {(finding: EngineFinding) => string} cell */
  const row = (title, cell) => line([title, ...engines.map(cell)]);
  const questions = [...new Set(engines.flatMap(({ can }) => Object.keys(can)))];
  return [
    row('', ({ browser }) => browser),
    line(['---', ...engines.map(() => '---')]),
    row('found on', ({ on }) => on),
    row('attempts seen to get out, in both kinds of frame', (found) => {
      const out = found.gotOut.length === 0 ? 'none' : `${found.gotOut.length} (${code(found.gotOut)})`;
      const of = `${out} of ${found.attempts}`;
      const since = found.attempts === attempts ? '' : `; there are ${attempts} now`;
      const unproved = found.unproved?.length ? `; unproved: ${code(found.unproved)}` : '';
      return `${of}${since}${unproved}${found.note ? `. ${found.note}` : ''}`;
    }),
    row('without any wall (the control)', ({ control }) => `${control.gotOut} of ${control.made}`),
    row('attempts that cannot be made, and count as absent', ({ absent }) => {
      const own = absent.filter((name) => !everywhere.includes(name));
      return `${absent.length}${own.length > 0 ? `: also ${code(own)}` : ''}`;
    }),
    ...questions.map((question) => row(question, ({ can }) => can[question] ?? 'not asked')),
    '',
  ].join('\n');
}

/** What stands in docs/security.md. */
export function readEngineTable() {
  const [, rest = ''] = readFileSync(tableFile, 'utf8').split(begin);
  return rest.split(end)[0] ?? '';
}

/** @param {string} table */
export function putEngineTable(table) {
  const text = readFileSync(tableFile, 'utf8');
  const [before = '', rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`${tableFile} has no lines "${begin.trim()}" and "${end}"`);
  writeFileSync(tableFile, `${before}${begin}${table}${end}${after}`);
}

/**
 * Into docs/escapes.json, in the place of what was found there before, and into the table.
 * @param {string} engine
 * @param {EngineFinding} finding
 */
export function recordFinding(engine, finding) {
  const findings = { ...readFindings(), [engine]: finding };
  writeFileSync(recordFile, `${JSON.stringify(findings, undefined, 2)}\n`);
  putEngineTable(writeEngineTable(findings, finding.attempts));
}
