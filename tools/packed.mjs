// The package as a user gets it: packed, and installed into a folder outside the repository.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** An install that takes longer waits for a network that is not there. */
const timeoutMs = 10 * 60_000;

/** @param {string[]} args @param {string} cwd */
export function runNpm(args, cwd) {
  execFileSync(npm, args, {
    cwd,
    timeout: timeoutMs,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
}

/** Packs `dist` as it is. @param {string} folder where the tarball goes @returns {string} its path */
export function packPackage(folder) {
  if (!existsSync(join(root, 'dist/index.js'))) throw new Error('dist is missing: run `npm run build` first');
  runNpm(['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], root);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (!tarball) throw new Error(`npm pack left no tarball in ${folder}`);
  return join(folder, tarball);
}
