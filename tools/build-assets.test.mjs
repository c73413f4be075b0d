// A stamp is trusted only when everything it speaks of is there and belongs together.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildAssets, outputs } from './build-assets.mjs';

const target = mkdtempSync(join(tmpdir(), 'vivarium-assets-'));
const inTarget = (/** @type {string} */ name) => join(target, name);
const timeoutMs = 120_000;
/** What is kept from build to build. */
const isSlow = /\/(?:standard-library|template)\./;
/** @param {string} left @param {string} right */
const compare = (left, right) => (left < right ? -1 : 1);
/** @param {string} folder */
const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !statSync(join(folder, name)).isDirectory())
    .toSorted(compare);

beforeAll(async () => {
  // they take seconds; one that is there already is taken, if it is the right one
  for (const name of outputs.filter((output) => isSlow.test(output))) {
    const made = resolve(import.meta.dirname, '../public/sandbox', name);
    mkdirSync(dirname(inTarget(name)), { recursive: true });
    if (existsSync(made)) cpSync(made, inTarget(name));
  }
  await buildAssets(target);
}, timeoutMs);
afterAll(() => rmSync(target, { recursive: true }));

describe('the guest files', () => {
  it('are those that a build names, and are not built again', async () => {
    expect(filesIn(target)).toEqual([...outputs, 'stamp.txt'].toSorted(compare));
    expect(await buildAssets(target)).toBe(false);
  });

  it.each(outputs.filter((name) => !isSlow.test(name)))(
    'are built again when one was deleted: %s',
    async (name) => {
      const before = readFileSync(inTarget(name));
      rmSync(inTarget(name));
      expect(await buildAssets(target)).toBe(true);
      expect(readFileSync(inTarget(name)).equals(before)).toBe(true);
      expect(await buildAssets(target)).toBe(false);
    },
    timeoutMs,
  );

  it(
    'have no stamp while they are a mixture: a build that was stopped between two files is done again',
    async () => {
      // the last file cannot be put in place: a folder that is not empty is there
      rmSync(inTarget('python/worker.js'));
      mkdirSync(inTarget('python/worker.js/in-the-way'), { recursive: true });
      writeFileSync(inTarget('NOTICE.txt'), 'of another build');
      writeFileSync(inTarget('stamp.txt'), 'of another build');
      await expect(buildAssets(target)).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST|EPERM/);
      expect(readFileSync(inTarget('NOTICE.txt'), 'utf8')).not.toBe('of another build');
      expect(existsSync(inTarget('stamp.txt'))).toBe(false);
      rmSync(inTarget('python/worker.js'), { recursive: true });
      expect(await buildAssets(target)).toBe(true);
    },
    timeoutMs,
  );

  it(
    'do not keep a library that is not the one its key names',
    async () => {
      const right = readFileSync(inTarget('python/standard-library.zip'));
      writeFileSync(inTarget('python/standard-library.zip'), 'of another build');
      rmSync(inTarget('stamp.txt'));
      expect(await buildAssets(target)).toBe(true);
      expect(readFileSync(inTarget('python/standard-library.zip')).equals(right)).toBe(true);
    },
    timeoutMs,
  );
});
