import { expect, test } from 'vitest';
import { openEngine, runIn } from './engine-test-scene.ts';

const header = `import fs from 'node:fs'
const failed = (work) => { try { return work() ?? null } catch (error) { return [error.code ?? error.name, error.message] } }
`;
const valueOf = async (code: string): Promise<unknown> =>
  ((await runIn(await openEngine(), header + code)) as { value?: unknown }).value;

test.each<[string, unknown]>([
  ["fs.readFileSync('b', 'base64')", '/wDpQQ=='],
  ["fs.readFileSync('b', 'base64url')", '_wDpQQ'],
  ["fs.readFileSync('b', 'hex')", 'ff00e941'],
  ["fs.readFileSync('b', { encoding: 'latin1' })", 'ÿ\0éA'],
  ["fs.readFileSync('b', 'UTF8')", '\ufffd\0\ufffdA'],
  ["Array.from(fs.readFileSync('b', null))", [255, 0, 233, 65]],
  ["fs.writeFileSync('c', '_wDp QQ==', 'base64'); fs.readFileSync('c', 'hex')", 'ff00e941'],
  ["fs.writeFileSync('c', 'ff00xx', 'hex'); fs.readFileSync('c', 'hex')", 'ff00'],
  ["fs.writeFileSync('c', 'éA', 'latin1'); fs.readFileSync('c', 'hex')", 'e941'],
  ["fs.writeFileSync('c', 'é😀', 'utf16le'); fs.readFileSync('c', 'utf16le')", 'é😀'],
  ["fs.writeFileSync('b', 'é', { flag: 'a' }); fs.readFileSync('b', 'hex')", 'ff00e941c3a9'],
])('a file is read and written in the encoding that is asked for: %s', async (code, value) => {
  expect(await valueOf(`fs.writeFileSync('b', new Uint8Array([255, 0, 233, 65]))\n${code}`)).toEqual(value);
});

test('bytes of any length are the same in base64 as elsewhere', async () => {
  const code = `[0, 1, 2, 3, 4, 5].map((length) => {
  fs.writeFileSync('b', Uint8Array.from({ length }, (_, at) => 250 - 47 * at))
  const text = fs.readFileSync('b', 'base64')
  fs.writeFileSync('c', text, 'base64')
  return [text, fs.readFileSync('b', 'hex') === fs.readFileSync('c', 'hex')]
})`;
  const expected = [0, 1, 2, 3, 4, 5].map((length) => [
    Buffer.from(Uint8Array.from({ length }, (_, at) => 250 - 47 * at)).toString('base64'),
    true,
  ]);
  expect(await valueOf(code)).toEqual(expected);
});

test.each<[string, string, unknown]>([
  ["fs.readFileSync('f', 'utf7')", 'ERR_INVALID_ARG_VALUE', "unknown encoding 'utf7'"],
  ["fs.writeFileSync('f', '', 'utf7')", 'ERR_INVALID_ARG_VALUE', "unknown encoding 'utf7'"],
  ["fs.writeFileSync('f', '', { flag: 'r' })", 'ERR_INVALID_ARG_VALUE', "unknown flag 'r'"],
  ["fs.writeFileSync('f', '', { flag: 'wx' })", 'EEXIST', "open 'f'"],
  ["fs.writeFileSync('f/g', '')", 'ENOTDIR', "open 'f/g'"],
  ["fs.writeFileSync('d', '')", 'EISDIR', "open 'd'"],
  ["fs.readFileSync('d')", 'EISDIR', "open 'd'"],
  ["fs.readFileSync('f/g')", 'ENOTDIR', "open 'f/g'"],
  ["fs.readdirSync('no')", 'ENOENT', "scandir 'no'"],
  ["fs.readdirSync('f')", 'ENOTDIR', "scandir 'f'"],
  ["fs.mkdirSync('d')", 'EEXIST', "mkdir 'd'"],
  ["fs.mkdirSync('x/y')", 'ENOENT', "mkdir 'x/y'"],
  ["fs.mkdirSync('f', { recursive: true })", 'EEXIST', "mkdir 'f'"],
  ["fs.mkdirSync('f/g', { recursive: true })", 'ENOTDIR', "mkdir 'f/g'"],
  ["fs.rmSync('no')", 'ENOENT', "rm 'no'"],
  ["fs.rmSync('d')", 'EISDIR', "rm 'd'"],
  ["fs.rmSync('/', { recursive: true })", 'EBUSY', "rm '/'"],
  ["fs.unlinkSync('no')", 'ENOENT', "unlink 'no'"],
  ["fs.unlinkSync('d')", 'EISDIR', "unlink 'd'"],
  ["fs.statSync('no')", 'ENOENT', "stat 'no'"],
  ["fs.renameSync('no', 'x')", 'ENOENT', "rename 'no' -> 'x'"],
  ["fs.renameSync('f', 'd')", 'EISDIR', "rename 'f' -> 'd'"],
  ["fs.renameSync('d', 'd/e')", 'EINVAL', "rename 'd' -> 'd/e'"],
  ["fs.renameSync('d', 'f')", 'ENOTDIR', "rename 'd' -> 'f'"],
  ["fs.copyFileSync('no', 'x')", 'ENOENT', "copyfile 'no' -> 'x'"],
  ["fs.copyFileSync('f', 'f', 1)", 'EEXIST', "copyfile 'f' -> 'f'"],
  ["process.chdir('no')", 'ENOENT', "chdir 'no'"],
  ["fs.createReadStream('f')", 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', 'fs.createReadStream is not there'],
  ["fs.openSync('f')", 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM', 'fs.openSync is not there'],
])('what Node refuses is refused, and what is missing has a name: %s', async (call, code, message) => {
  const before = "fs.writeFileSync('f', 'text'); fs.writeFileSync('d/in', '1')";
  expect(await valueOf(`${before}\nfailed(() => ${call})`)).toEqual([
    code,
    expect.stringContaining(message as string),
  ]);
});

test('folders are there when they are made, and when something is put into them', async () => {
  const code = `const made = [fs.mkdirSync('a/b', { recursive: true }), fs.mkdirSync('a/b', { recursive: true }) ?? null]
fs.mkdirSync('c')
fs.writeFileSync('d/e/f', '1')
fs.unlinkSync('d/e/f')
const seen = ['a', 'a/b', 'c', 'd/e', 'd/e/f', '.', 'x'].map((path) => fs.existsSync(path))
;[made, seen, fs.readdirSync('.'), fs.readdirSync('/sandbox', { recursive: true }), fs.statSync('a').isDirectory(), fs.readdirSync('c'),
  fs.readdirSync('a', { withFileTypes: true }).map((entry) => [entry.name, entry.isDirectory()])]`;
  expect(await valueOf(code)).toEqual([
    ['/sandbox/a', null],
    [true, true, true, true, false, true, false],
    ['a', 'c', 'd'],
    ['a', 'a/b', 'c', 'd', 'd/e'],
    true,
    [],
    [['b', true]],
  ]);
});

test('files and folders are removed, moved and copied', async () => {
  const code = `fs.writeFileSync('a/b/c', '1'); fs.writeFileSync('a/d', '2'); fs.writeFileSync('ab', '3')
fs.renameSync('a', 'moved')
fs.copyFileSync('moved/d', 'copy'); fs.writeFileSync('moved/d', 'changed')
fs.renameSync('ab', 'copy2/x')
const all = fs.readdirSync('.', { recursive: true })
const texts = [fs.readFileSync('copy', 'utf8'), fs.readFileSync('moved/b/c', 'utf8')]
fs.rmSync('moved', { recursive: true }); fs.rmSync('moved', { force: true })
;[all, texts, fs.readdirSync('.')]`;
  expect(await valueOf(code)).toEqual([
    ['copy', 'copy2', 'copy2/x', 'moved', 'moved/b', 'moved/b/c', 'moved/d'],
    ['2', '1'],
    ['copy', 'copy2'],
  ]);
});

test('copies count against the room for files', async () => {
  const code = `fs.writeFileSync('a', new Uint8Array(400_000)); fs.copyFileSync('a', 'b')
failed(() => fs.copyFileSync('a', 'c'))[0]`;
  expect(await valueOf(code)).toBe('ENOSPC');
});

test('as promises, and with callbacks', async () => {
  const code = `import { readFile, writeFile } from 'fs'
import { rename } from 'node:fs/promises'
await writeFile('a', 'x'); await rename('a', 'b')
const called = await new Promise((done) => fs.readFile('b', 'utf8', (error, text) => done([error, text])))
const refused = await new Promise((done) => readFile('a', (error) => done(error.code)))
;[called, refused, await fs.promises.access('b').catch((error) => error.message)]`;
  expect(await valueOf(code)).toEqual([[null, 'x'], 'ENOENT', expect.stringContaining('fs.access')]);
});

test('a folder that paths begin in is there', async () => {
  const run = await runIn(await openEngine(), `${header}fs.readdirSync('.')`, { workingDirectory: 'a/b' });
  expect(run).toMatchObject({ value: [] });
});

test.each<[string, unknown]>([
  ["new TextDecoder('latin1').decode(bytes(0xe9))", 'é'],
  ["new TextDecoder('latin1').encoding", 'windows-1252'],
  ["new TextDecoder(' UTF-16LE ').decode(bytes(0xe9, 0, 0x3d, 0xd8, 0, 0xde))", 'é😀'],
  ["new TextDecoder('utf-16be').decode(bytes(0, 0xe9))", 'é'],
  ['new TextDecoder().decode(bytes(0xef, 0xbb, 0xbf, 0x61))', 'a'],
  ["new TextDecoder('utf8', { ignoreBOM: true }).decode(bytes(0xef, 0xbb, 0xbf, 0x61))", '\ufeffa'],
  ['new TextDecoder().decode(bytes(0xff))', '\ufffd'],
  ["new TextDecoder('utf-8', { fatal: true }).decode(bytes(0x61).buffer)", 'a'],
  [
    "failed(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes(0xff)))",
    ['TypeError', 'the bytes are not valid utf-8'],
  ],
  [
    "failed(() => new TextDecoder('utf-16le', { fatal: true }).decode(bytes(0, 0xd8)))",
    ['TypeError', 'the bytes are not valid utf-16le'],
  ],
  [
    "failed(() => new TextDecoder('koi8-r'))",
    ['RangeError', "unknown encoding 'koi8-r': there is utf-8, utf-16le, utf-16be, latin1 (windows-1252)"],
  ],
  ['failed(() => new TextDecoder().decode(5))', ['TypeError', expect.anything()]],
])('text is decoded as it is asked for: %s', async (code, value) => {
  expect(await valueOf(`const bytes = (...values) => new Uint8Array(values)\n${code}`)).toEqual(value);
});

test.each(['utf-8', 'utf-16le', 'utf-16be'])('%s that comes in parts is the same text', async (encoding) => {
  const text = '\ufeffaé漢😀z\ufeff';
  const code = `const decoder = new TextDecoder('${encoding}', { fatal: true })
[...Array(2)].map(() => [...all].map((byte) => decoder.decode(new Uint8Array([byte]), { stream: true })).join('') + decoder.decode())`;
  const little = Buffer.from(text, encoding === 'utf-8' ? 'utf8' : 'utf16le');
  const all = new Uint8Array(encoding === 'utf-16be' ? little.swap16() : little);
  const run = await runIn(await openEngine(), code.replace('[...Array', ';[...Array'), {
    variables: { all },
  });
  expect(run).toMatchObject({ value: [text.slice(1), text.slice(1)] });
});
