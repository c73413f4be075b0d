import { expect, test } from 'vitest';
import { deflateBytes } from '../../../../platform/index.ts';
import { toCandidate } from './candidate.ts';
import { rankTags } from './python-target.ts';
import { expandTag, openWheel } from './read-wheel.ts';
import { buildWheel, buildZip } from './wheel-test-scene.ts';
import type { ZipPart } from './wheel-test-scene.ts';

const bounds = { packageFiles: 20, packageBytes: 100_000 };
const expected = { label: 'packages[0]' };
const open = (bytes: Uint8Array, name?: string) => openWheel(bytes, { ...expected, name }, bounds);

test('a wheel is read, and its files are where they belong', async () => {
  const extra = [
    { path: 'tiny-1.0.data/purelib/more/m.py', content: 'm' },
    { path: 'tiny-1.0.data/scripts/run', content: '#!python' },
    { path: 'tiny/', mode: 0o040755 },
  ];
  const wheel = await open(
    buildWheel({ name: 'tiny', requires: ['six>=1', 'b; extra == "x"'], extra }),
    'Tiny',
  );
  const files = await wheel.unpack();
  expect(wheel).toMatchObject({
    name: 'tiny',
    version: { text: '1.0' },
    requires: [{ name: 'six' }, { name: 'b' }],
  });
  expect(files.map(({ path }) => path)).toEqual([
    'tiny.py',
    'tiny-1.0.dist-info/METADATA',
    'tiny-1.0.dist-info/WHEEL',
    'tiny-1.0.dist-info/RECORD',
    'more/m.py',
  ]);
  expect(new TextDecoder().decode(files[0]?.content)).toBe('version = "1.0"\n');
});

test('deflated files are inflated', async () => {
  const content = new TextEncoder().encode('x = 1\n'.repeat(1000));
  const deflated = await deflateBytes(content, 'deflate-raw');
  const wheel = await open(buildWheel({ name: 'a', extra: [{ path: 'b.py', content, deflated }] }));
  expect((await wheel.unpack()).find(({ path }) => path === 'b.py')?.content).toEqual(content);
});

/** A wheel with one strange part. */
const withPart = (part: ZipPart) => buildWheel({ name: 'a', extra: [part] });
const invalid = 'executor/package-invalid';

test.each<[string, Uint8Array, string]>([
  ['no bytes', new Uint8Array(), invalid],
  ['no zip', new Uint8Array(1000), invalid],
  ['an archive cut short', buildWheel({ name: 'a' }).slice(0, -1), invalid],
  ['bytes after the end', new Uint8Array([...buildWheel({ name: 'a' }), 0]), invalid],
  ['an archive in the comment of another', buildZip([], buildWheel({ name: 'a' })), invalid],
  ['a path upwards', withPart({ path: '../x.py' }), invalid],
  ['a path upwards inside', withPart({ path: 'a/../../x.py' }), invalid],
  ['an absolute path', withPart({ path: '/lib/python3.14/os.py' }), invalid],
  ['a backslash', withPart({ path: '..\\x.py' }), invalid],
  ['a drive', withPart({ path: 'c:x.py' }), invalid],
  ['a NUL', withPart({ path: 'a.py\0.txt' }), invalid],
  ['a long path', withPart({ path: 'a/'.repeat(600) }), invalid],
  ['a symbolic link', withPart({ path: 'link', content: '/etc/passwd', mode: 0o120777 }), invalid],
  ['a device', withPart({ path: 'null', mode: 0o020666 }), invalid],
  ['a folder with content', withPart({ path: 'folder/', content: 'x' }), invalid],
  ['a file twice', withPart({ path: 'a.py' }), invalid],
  ['a file that is a folder too', withPart({ path: 'a.py/b.py' }), invalid],
  ['two names for one file', withPart({ path: 'x.py', localPath: '../x.py' }), invalid],
  ['an encrypted file', withPart({ path: 'x.py', flags: 0x801 }), invalid],
  ['a way of packing that nobody uses', withPart({ path: 'x.py', method: 99 }), invalid],
  ['files over each other', withPart({ path: 'b.py', localPath: 'a.py', sharedWith: 0 }), invalid],
  ['64-bit sizes', withPart({ path: 'x.py', sizeBytes: 0xffffffff }), invalid],
  [
    'more bytes than allowed',
    withPart({ path: 'x.py', content: new Uint8Array(100_001) }),
    'executor/package-limit',
  ],
  [
    'more files than allowed',
    buildWheel({
      name: 'a',
      files: Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`${at}.py`, ''])),
    }),
    'executor/package-limit',
  ],
  ['no METADATA', buildWheel({ name: 'a', lacks: ['METADATA'] }), invalid],
  ['no WHEEL', buildWheel({ name: 'a', lacks: ['WHEEL'] }), invalid],
  ['no .dist-info', buildZip([{ path: 'a.py' }]), invalid],
  ['two of them', withPart({ path: 'b-1.0.dist-info/METADATA' }), invalid],
  ['another platform', buildWheel({ name: 'a', tag: 'cp314-cp314-manylinux_2_17_x86_64' }), invalid],
  ['another Python', buildWheel({ name: 'a', tag: 'cp313-cp313-any' }), invalid],
  ['a Python that is too old for it', buildWheel({ name: 'a', requiresPython: '>=3.15' }), invalid],
  ['a version that is none', buildWheel({ name: 'a', version: 'x' }), invalid],
  ['a requirement that is none', buildWheel({ name: 'a', requires: ['x @ https://a.example'] }), invalid],
])('a wheel with %s is refused', async (_name, bytes, code) => {
  await expect(open(bytes)).rejects.toMatchObject({ code });
});

test('a wheel of another name is refused', async () => {
  await expect(open(buildWheel({ name: 'a' }), 'b')).rejects.toMatchObject({ code: invalid });
  const renamed = buildZip([
    { path: 'a-1.0.dist-info/METADATA', content: 'Name: b\nVersion: 1.0\n' },
    { path: 'a-1.0.dist-info/WHEEL', content: 'Wheel-Version: 1.0\nTag: py3-none-any\n' },
  ]);
  await expect(open(renamed)).rejects.toMatchObject({ code: invalid });
});

test('a file that unpacks to more than it says, or to something else, is refused', async () => {
  const bomb = await deflateBytes(new Uint8Array(50_000_000), 'deflate-raw');
  const large = await open(withPart({ path: 'x.py', sizeBytes: 10, deflated: bomb, crc: 0 }));
  await expect(large.unpack()).rejects.toMatchObject({ code: invalid });
  const changed = await open(withPart({ path: 'x.py', content: 'x', crc: 1 }));
  await expect(changed.unpack()).rejects.toMatchObject({ code: invalid });
  const damaged = await open(
    withPart({ path: 'x.py', sizeBytes: 10, deflated: new Uint8Array(10).fill(255), crc: 0 }),
  );
  await expect(damaged.unpack()).rejects.toMatchObject({ code: invalid });
});

/** A tag of `count` words in each of its three parts. */
const wideTag = (count: number): string =>
  Array.from({ length: 3 }, () => Array.from({ length: count }, () => 'a').join('.')).join('-');

test('a tag that stands for too many is none', () => {
  expect(expandTag('py2.py3-none-any')).toEqual(['py2-none-any', 'py3-none-any']);
  expect(expandTag(wideTag(10))).toHaveLength(1000);
  expect(expandTag(wideTag(11))).toEqual([]);
  expect(expandTag(`py3-none-${'a'.repeat(300)}`)).toEqual([]);
  // 150,000 of each would be more than there is memory for
  expect(expandTag(wideTag(150_000))).toEqual([]);
});

test('a wheel with such a tag, or with very many, is refused', async () => {
  const many = Array.from({ length: 3 }, () => wideTag(10)).join('\nTag: ');
  for (const tag of [wideTag(10_000), many]) {
    await expect(open(buildWheel({ name: 'a', tag }))).rejects.toMatchObject({ code: invalid });
  }
});

test('a file of an index with such a name is no candidate', () => {
  const file = { url: 'https://a.example/', sha256: undefined, requiresPython: '', isYanked: false };
  const offer = (fileName: string) => toCandidate({ ...file, fileName });
  expect(offer('a-1.0-py2.py3-none-any.whl')).toMatchObject({ name: 'a', rank: rankTags(['py3-none-any']) });
  expect(offer(`a-1.0-${wideTag(11)}.whl`)).toBeUndefined();
  expect(offer(`a-1.0-py3.${wideTag(150_000)}.whl`)).toBeUndefined();
  expect(offer(`a-1.0-py3-none-any${'.any'.repeat(80)}.whl`)).toBeUndefined();
});

test('tags are ranked however many there are', () => {
  expect(rankTags([...Array.from({ length: 500_000 }, () => 'py2-none-any'), 'py3-none-any'])).toBe(
    rankTags(['py3-none-any']),
  );
  expect(rankTags(Array.from({ length: 500_000 }, () => 'py3-none-any'))).toBe(rankTags(['py3-none-any']));
});
