// A stamp is trusted only when everything it speaks of is there and belongs together.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildAssets, outputs } from './build-assets.mjs';

const target = mkdtempSync(join(tmpdir(), 'vivarium-assets-'));
const inTarget = (/** @type {string} */ name) => join(target, name);
const timeoutMs = 120_000;

beforeAll(async () => {
  // compiling the library takes seconds; one that is there already is taken, if it is the right one
  for (const name of ['standard-library.txt', 'standard-library.zip']) {
    const made = resolve(import.meta.dirname, '../public/python', name);
    if (existsSync(made)) cpSync(made, inTarget(name));
  }
  await buildAssets(target);
}, timeoutMs);
afterAll(() => rmSync(target, { recursive: true }));

describe('the guest files', () => {
  it('are those that a build names, and are not built again', async () => {
    expect(readdirSync(target).toSorted()).toEqual([...outputs, 'stamp.txt'].toSorted());
    expect(await buildAssets(target)).toBe(false);
  });

  it.each(outputs.filter((name) => !name.startsWith('standard-library')))(
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
      rmSync(inTarget('worker.js'));
      mkdirSync(inTarget('worker.js/in-the-way'), { recursive: true });
      writeFileSync(inTarget('NOTICE.txt'), 'of another build');
      writeFileSync(inTarget('stamp.txt'), 'of another build');
      await expect(buildAssets(target)).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST|EPERM/);
      expect(readFileSync(inTarget('NOTICE.txt'), 'utf8')).not.toBe('of another build');
      expect(existsSync(inTarget('stamp.txt'))).toBe(false);
      rmSync(inTarget('worker.js'), { recursive: true });
      expect(await buildAssets(target)).toBe(true);
    },
    timeoutMs,
  );

  it(
    'do not keep a library that is not the one its key names',
    async () => {
      const right = readFileSync(inTarget('standard-library.zip'));
      writeFileSync(inTarget('standard-library.zip'), 'of another build');
      rmSync(inTarget('stamp.txt'));
      expect(await buildAssets(target)).toBe(true);
      expect(readFileSync(inTarget('standard-library.zip')).equals(right)).toBe(true);
    },
    timeoutMs,
  );
});
