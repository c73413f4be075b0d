// Every case that DSPy itself produced (fixtures/dspy) against ours, byte for byte. Sabotaged: one mark of the chat format is off by one sign.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const test = 'src/program/dspy-conformance.test.ts';
/** The least number of cases for the claim to mean anything. */
const minCases = 50;

/** @param {string} folder */
function copyTree(folder) {
  for (const part of ['src', 'fixtures', 'tsconfig.json'])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'vite.config.mjs'), 'export default {};\n');
}

/** @param {string} folder */
function damage(folder) {
  const file = join(folder, 'src/program/adapter/chat.ts');
  const text = readFileSync(file, 'utf8');
  const damaged = text.replaceAll('[[ ## ', '[[ # ');
  if (damaged === text) throw new Error('the chat format holds no mark to damage');
  writeFileSync(file, damaged);
}

/** @typedef {{ status: string, ancestorTitles: string[], title: string }} Case */

/** @param {string} folder @returns {Case[]} */
function runCases(folder) {
  const report = join(folder, 'report.json');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const preload = join(root, 'tools/map-group-by.mjs');
  const args = ['--import', preload, vitest, 'run', test, '--reporter=json', `--outputFile=${report}`];
  const { stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  try {
    const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
    return testResults.flatMap((/** @type {{ assertionResults: Case[] }} */ file) => file.assertionResults);
  } catch (error) {
    throw new Error(`the conformance tests left no report: ${stderr}`, { cause: error });
  }
}

/** @type {import('../prove.mjs').Prove} */
export async function prove({ sabotage, print }) {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-dspy-'));
  try {
    copyTree(folder);
    if (sabotage) damage(folder);
    const cases = runCases(folder);
    /** @type {Map<string, { passed: number, failed: number }>} */
    const groups = new Map();
    for (const { ancestorTitles, status } of cases) {
      const group = ancestorTitles.join(' › ') || 'cases';
      const counts = groups.get(group) ?? { passed: 0, failed: 0 };
      counts[status === 'passed' ? 'passed' : 'failed']++;
      groups.set(group, counts);
    }
    for (const [group, { passed, failed }] of groups)
      print(`${String(passed).padStart(5)} equal  ${String(failed).padStart(5)} not   ${group}`);
    const failed = cases.filter(({ status }) => status !== 'passed');
    for (const { title } of failed.slice(0, 5)) print(`      not equal: ${title}`);
    return failed.length === 0 && cases.length >= minCases;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
