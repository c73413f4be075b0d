// The tests whose inputs are drawn, again and again, each time from new seeds. Sabotaged: one of the properties is false.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const defaultSeconds = 600;

/** Those that draw themselves or by a contract. */
function findPropertyTests() {
  const isDrawn = (/** @type {string} */ path) =>
    /from 'fast-check'|\.contract\.ts'/.test(readFileSync(join(root, path), 'utf8'));
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .map((path) => join('src', path))
    .filter((path) => path.endsWith('.test.ts') && !path.endsWith('.browser.test.ts') && isDrawn(path))
    .concat('tools/property-seed.test.mjs');
}

/** @type {import('../prove.mjs').Prove} */
export async function prove({ sabotage, seconds = defaultSeconds, print }) {
  const files = findPropertyTests();
  const { PROPERTY_SEED: _, CI: __, ...env } = process.env;
  if (sabotage) env['PROPERTY_SABOTAGE'] = 'true';
  const endMs = performance.now() + seconds * 1000;
  for (let round = 1; round === 1 || performance.now() < endMs; round++) {
    const args = ['vitest', 'run', '--project', 'unit', '--reporter', 'dot', ...files];
    const { status, stdout, stderr } = spawnSync('npx', args, { cwd: root, env, encoding: 'utf8' });
    print(`round ${round}: ${files.length} files, ${status === 0 ? 'all hold' : 'one does not hold'}`);
    if (status === 0) continue;
    print(stdout.slice(-4000) + stderr.slice(-4000));
    return false;
  }
  return true;
}
