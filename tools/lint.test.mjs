// Proves that the fence holds: one miniature tree that breaks every rule of the layer table, one that breaks none.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');
/** @type {string[]} */
const folders = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/**
 * @param {Record<string, string>} files
 * @returns {Promise<{ exitCode: number, findings: { code: string, file: string, message: string }[] }>}
 */
function lint(files) {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-lint-'));
  folders.push(folder);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const name of ['oxlint.config.mjs', 'tsconfig.json', '.gitignore'])
    cpSync(join(root, name), join(folder, name));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const args = [oxlint, '-c', 'oxlint.config.mjs', '--format=json', 'src'];
  return new Promise((answer, reject) => {
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 25 }, (error, stdout) => {
      if (error && typeof error.code !== 'number') return reject(error);
      const findings = JSON.parse(stdout).diagnostics.map(
        (/** @type {{ code: string, filename: string, message: string }} */ { code, filename, message }) => ({
          code,
          file: filename,
          message,
        }),
      );
      answer({ exitCode: error ? Number(error.code) : 0, findings });
    });
  });
}

const clean = {
  'src/base/index.ts': "export { one } from './one.ts';\n",
  'src/base/one.ts': 'export const one: number = 1;\n',
  'src/platform/index.ts': "export { nowMs } from './clock.ts';\n",
  'src/platform/clock.ts': 'export const nowMs = (): number => performance.now() + Date.now();\n',
  'src/state/index.ts': "export { open } from './backend/indexeddb.ts';\n",
  'src/state/backend/indexeddb.ts':
    "import { openDB } from 'idb';\nimport { one } from '../../base/index.ts';\nexport const open = (): unknown => [one, openDB, indexedDB];\n",
  'src/compute/index.ts': "export { spawnCompute } from './spawn-compute.ts';\n",
  'src/compute/spawn-compute.ts':
    "export const spawnCompute = (): Worker =>\n  new Worker(new URL('./compute.worker.ts', import.meta.url), { type: 'module' });\n",
  'src/program/index.ts':
    "import { nowMs } from '../platform/index.ts';\nexport const open = (): unknown => nowMs();\n",
  'src/index.ts':
    "export { one } from './base/index.ts';\nexport { open } from './program/index.ts';\nexport { spawnCompute } from './compute/index.ts';\nexport { open as openState } from './state/index.ts';\n",
};

const face = { 'src/actor/index.ts': 'export const spawn = (): number => 1;\n' };
const broken = {
  'src/base/upward.ts':
    "import { nowMs } from '../platform/index.ts';\nexport const upward = (): number => nowMs();\n",
  'src/program/sideways.ts':
    "import { spawn } from '../actor/index.ts';\nexport const sideways = (): number => spawn();\n",
  'src/program/lazy-sideways.ts': "export const lazy = (): unknown => import('../actor/index.ts');\n",
  'src/platform/past-the-face.ts':
    "import { one } from '../base/one.ts';\nexport const past = (): number => one;\n",
  'src/past-the-face.ts': "export { one } from './base/one.ts';\n",
  'src/actor/far-package.ts': "import { openDB } from 'idb';\nexport const far = (): unknown => openDB;\n",
  'src/actor/homeless-package.ts': "import { z } from 'rolldown';\nexport const far = (): unknown => z;\n",
  'src/actor/node-module.ts':
    "import { readFileSync } from 'node:fs';\nexport const far = (): unknown => readFileSync;\n",
  'src/actor/hidden-time.ts': 'export const now = (): number => Date.now();\n',
  'src/actor/hidden-timer.ts': 'export const later = (): unknown => globalThis.setTimeout(() => 1, 1);\n',
  'src/actor/hidden-chance.ts': 'export const chance = (): number => Math.random();\n',
  'src/actor/hidden-worker.ts': "export const hidden = (): Worker => new Worker('x.js');\n",
  'src/actor/cycle-one.ts':
    "import { two } from './cycle-two.ts';\nexport const one = (): number => two();\n",
  'src/actor/cycle-two.ts':
    "import { one } from './cycle-one.ts';\nexport const two = (): number => one();\n",
  'src/actor/default-export.ts': 'export default 1;\n',
  'src/actor/console.ts': "export const say = (): void => console.log('x');\n",
};

describe('the layer table as lint', () => {
  /** @type {Awaited<ReturnType<typeof lint>>} */
  let outcome;
  beforeAll(async () => {
    outcome = await lint({ ...clean, ...face, ...broken });
  }, 60_000);

  it.each([
    ['src/base/upward.ts', 'boundaries(dependencies)'],
    ['src/program/sideways.ts', 'boundaries(dependencies)'],
    ['src/program/lazy-sideways.ts', 'boundaries(dependencies)'],
    ['src/platform/past-the-face.ts', 'boundaries(dependencies)'],
    ['src/past-the-face.ts', 'eslint(no-restricted-imports)'],
    ['src/actor/far-package.ts', 'boundaries(dependencies)'],
    ['src/actor/homeless-package.ts', 'boundaries(dependencies)'],
    ['src/actor/node-module.ts', 'boundaries(dependencies)'],
    ['src/actor/hidden-time.ts', 'eslint(no-restricted-properties)'],
    ['src/actor/hidden-timer.ts', 'eslint(no-restricted-globals)'],
    ['src/actor/hidden-chance.ts', 'eslint(no-restricted-properties)'],
    ['src/actor/hidden-worker.ts', 'eslint(no-restricted-globals)'],
    ['src/actor/cycle-one.ts', 'import(no-cycle)'],
    ['src/actor/default-export.ts', 'import(no-default-export)'],
    ['src/actor/console.ts', 'eslint(no-console)'],
  ])('%s fails %s', (file, code) => {
    const codes = outcome.findings.filter((finding) => finding.file === file).map((finding) => finding.code);
    expect(codes).toContain(code);
  });

  it('every broken file is named, and no other', () => {
    const named = [...new Set(outcome.findings.map((finding) => finding.file))].toSorted();
    expect(named).toEqual(Object.keys(broken).toSorted());
    expect(outcome.exitCode).toBe(1);
  });

  it('a clean tree passes', async () => {
    expect(await lint({ ...clean, ...face })).toEqual({ exitCode: 0, findings: [] });
  }, 60_000);
});
