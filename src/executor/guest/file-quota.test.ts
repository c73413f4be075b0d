import { loadPyodide } from 'pyodide';
import { beforeAll, expect, test } from 'vitest';
import { limitFiles } from './file-quota.ts';
import type { FileSystem, MemoryFiles } from './file-quota.ts';

/** As emscripten has it; its types leave out half of it. */
type Files = FileSystem & {
  readonly filesystems: { readonly MEMFS: MemoryFiles };
  mkdir(path: string): void;
  rmdir(path: string): void;
  symlink(target: string, path: string): void;
  unlink(path: string): void;
  rename(from: string, to: string): void;
  writeFile(path: string, content: string): void;
};

const maxSizeBytes = 256 * 1024;
/** More than fit of anything. */
const most = maxSizeBytes / 256;
const noSpace = 51;
let files: Files;

beforeAll(async () => {
  const python = await loadPyodide();
  // its types leave out what this asks of it
  files = python.FS as unknown as Files;
  files.mkdir('/tmp/few');
  limitFiles(files, files.filesystems.MEMFS, maxSizeBytes);
}, 60_000);

/** How many could be made before there was no space. */
function countUntilFull(make: (path: string) => void, remove: (path: string) => void): number {
  const made: string[] = [];
  let errno: unknown;
  try {
    for (let index = 0; index <= most; index += 1) {
      const path = `/tmp/few/${index}`;
      make(path);
      made.push(path);
    }
  } catch (error) {
    ({ errno } = error as { errno: unknown });
  }
  for (const path of made) remove(path);
  expect(errno).toBe(noSpace);
  return made.length;
}

const unlink = (path: string): void => files.unlink(path);
const long = 'n'.repeat(240);
const target = 't'.repeat(4000);

test.each([
  ['empty files', (path: string) => files.writeFile(path, ''), unlink, 700],
  ['empty folders', (path: string) => files.mkdir(path), (path: string) => files.rmdir(path), 700],
  [
    'long names',
    (path: string) => files.writeFile(path + long, ''),
    (path: string) => unlink(path + long),
    310,
  ],
  ['links to far away', (path: string) => files.symlink(target, path), unlink, 32],
])('%s are bounded, and those that are gone make room', (_what, make, remove, about) => {
  const count = countUntilFull(make, remove);
  expect(Math.abs(count - about)).toBeLessThan(about / 10);
  expect(countUntilFull(make, remove)).toBe(count);
});

test('a name that becomes longer is counted', () => {
  const count = countUntilFull(
    (path) => {
      files.writeFile(path, '');
      files.rename(path, path + long);
    },
    (path) => unlink(path + long),
  );
  expect(count).toBeLessThan(320);
});

test('contents are counted beside', () => {
  const text = 'x'.repeat(10_000);
  expect(countUntilFull((path) => files.writeFile(path, text), unlink)).toBeLessThan(27);
});
