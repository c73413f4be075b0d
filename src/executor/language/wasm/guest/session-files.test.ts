import { expect, test } from 'vitest';
import { openEngine } from './engine-test-scene.ts';
import { GuestFiles } from './files.ts';
import { openSession, packSession } from './session-files.ts';
import type { FileSession } from './session-files.ts';

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const mebibyte = 2 ** 20;

/** Two folders, a file with two names, and an empty one. */
function filled(): GuestFiles {
  const files = new GuestFiles(mebibyte);
  files.put('a/b/c.bin', bytes(1, 2, 3));
  files.put('empty', bytes());
  const [, folder] = files.root.contents.entries().next().value ?? [];
  if (folder) files.root.contents.set('again', folder);
  return files;
}

const sessionOf = (files: GuestFiles): FileSession => ({
  nodes: files.list(),
  environment: { A: 'é' },
  directory: 'a',
});

const packed = (session: FileSession): Uint8Array =>
  new Uint8Array(packSession(session, mebibyte, false).parts[0] ?? new ArrayBuffer());

test('files, folders, names that mean the same, environment and folder come back', () => {
  const session = sessionOf(filled());
  const back = openSession(packed(session));
  expect(back).toMatchObject({ environment: { A: 'é' }, directory: 'a' });
  const files = new GuestFiles(mebibyte);
  files.fill(back?.nodes ?? []);
  expect(files.list()).toEqual(session.nodes);
  expect(files.root.contents.get('again')).toBe(files.root.contents.get('a'));
  // what was put aside is its own
  files.put('a/b/c.bin', bytes(9));
  expect(files.list()).not.toEqual(session.nodes);
});

test('names are told by their paths, and what is lost by its reason', () => {
  const session = sessionOf(filled());
  const whole = packSession(session, mebibyte, true);
  expect(whole.names.map((name) => name.replace(/^again/u, 'a')).toSorted()).toEqual(['a/b/c.bin', 'empty']);
  expect(whole.lost).toMatchObject([{ name: 'module' }]);
  const none = packSession(session, 10, false);
  expect(none).toMatchObject({ names: [], parts: [{ byteLength: 0 }] });
  expect(none.lost.map(({ reason }) => reason)).toEqual([
    expect.stringContaining('10 bytes'),
    expect.stringContaining('10 bytes'),
  ]);
  expect(openSession(new Uint8Array())).toBe(undefined);
});

test('more than files may have, and what was not put aside, are refused', () => {
  const session = sessionOf(filled());
  expect(() => new GuestFiles(1000).fill(session.nodes)).toThrow('no space');
  expect(() => new GuestFiles(mebibyte).fill([[['x', 7]]])).toThrow('the number 7');
  expect(() => openSession(packed(session).slice(0, -1))).toThrow('ends early');
});

test('an engine goes on with the files of another one, and large ones wait for a quiet moment', () => {
  const bounds = { sizeBytes: 32 * mebibyte, packageBytes: 0, timeMs: 1000, idleMs: 50 };
  const [one, other] = [openEngine({ fileBytes: 16 * mebibyte }), openEngine({ fileBytes: 16 * mebibyte })];
  const empty = bytes(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  one.run(empty, { files: { 'x.txt': 'text' }, environment: { A: '1' } });
  const saved = one.engine.save(bounds, false);
  if (saved === 'later') throw new Error('it was not put aside');
  expect(saved).toMatchObject({ names: ['x.txt'], lost: [{ name: 'module' }] });
  expect(other.engine.restore(saved.parts.map((part) => new Uint8Array(part ?? new ArrayBuffer())))).toEqual(
    [],
  );
  expect(other.engine.save(bounds, true)).toMatchObject({ names: ['x.txt'], lost: [] });
  one.run(empty, { files: { large: 'x'.repeat(5 * mebibyte) } });
  expect(one.engine.save(bounds, false)).toBe('later');
  expect(one.engine.save(bounds, true)).toMatchObject({ names: ['large', 'x.txt'] });
});
