// `npm run ok`: everything CI does, in order of speed. It stops at the first failure unless `--keep-going`.
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');
const steps = ['format:check', 'lint', 'types', 'dead', 'unit', 'browser', 'build', 'package', 'size', 'e2e'];

/** @param {string} step @returns {Promise<boolean>} */
function runStep(step) {
  return new Promise((answer) => {
    const child = spawn('npm', ['run', '--silent', step], {
      cwd: root,
      stdio: 'inherit',
      shell: process.platform === 'win32',
    });
    child.once('error', () => answer(false));
    child.once('exit', (code) => answer(code === 0));
  });
}

const { values } = parseArgs({ options: { 'keep-going': { type: 'boolean', default: false } } });
/** @type {{ step: string, outcome: string, seconds: string }[]} */
const rows = [];
for (const step of steps) {
  const hasFailed = rows.some((row) => row.outcome === 'failed');
  if (hasFailed && !values['keep-going']) {
    rows.push({ step, outcome: 'not run', seconds: '' });
    continue;
  }
  console.log(`\n── ${step}`);
  const startMs = performance.now();
  const passed = await runStep(step);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  rows.push({ step, outcome: passed ? 'passed' : 'failed', seconds });
}

console.log('');
for (const { step, outcome, seconds } of rows) {
  console.log(
    `${step.padEnd(14)} ${outcome.padEnd(8)} ${seconds ? `${seconds.padStart(7)} s` : ''}`.trimEnd(),
  );
}
/** @param {string} outcome */
const count = (outcome) => rows.filter((row) => row.outcome === outcome).length;
if (count('failed') > 0) process.exitCode = 1;
console.log(`${count('passed')} passed, ${count('failed')} failed`);
