import { expect, test } from 'vitest';
import { Pace } from './pace.ts';
import { parseSimpleHtml, parseSimpleJson } from './simple-page.ts';

const url = 'https://index.example/simple/a/';
const html = (page: string, signal?: AbortSignal) => parseSimpleHtml(page, url, new Pace(signal));
const sizeLength = 4 * 2 ** 20;

test('links are read, with their hashes, whatever stands around them', async () => {
  const hash = 'a'.repeat(64);
  const page = `<!doctype html><h1>a</h1><A class='x y'
    href="../../a-1.0-py3-none-any.whl#sha256=${hash}" data-requires-python="&gt;=3.8" data-yanked> a-1.0-py3-none-any.whl </A >`;
  expect(await html(page)).toEqual([
    {
      fileName: 'a-1.0-py3-none-any.whl',
      url: 'https://index.example/a-1.0-py3-none-any.whl',
      sha256: hash,
      requiresPython: '>=3.8',
      isYanked: true,
    },
  ]);
});

test.each([
  ['links that do not end', '<a '.repeat(sizeLength / 3)],
  ['one link that does not end', `<a ${' '.repeat(sizeLength)}`],
  ['an end that does not end', `<a ></a${' '.repeat(sizeLength)}`],
  ['a link of attributes', `<a ${'a '.repeat(sizeLength / 2)}>x</a>`],
  ['a link of quotes', `<a ${`a='"`.repeat(sizeLength / 4)}>x</a>`],
  ['a long label', `<a href="x">${' '.repeat(sizeLength)}x</a>`],
  ['a long address', `<a href="${'a'.repeat(8000)}">x</a>`],
])('%s: no file, and no work', async (_name, page) => {
  const startMs = performance.now();
  expect(await html(page)).toEqual([]);
  expect(performance.now() - startMs).toBeLessThan(1000);
});

test.each([
  ['html', `<a ${'a '.repeat(4000)}>x</a>`.repeat(1000), parseSimpleHtml],
  [
    'json',
    JSON.stringify({ files: Array.from({ length: 90_000 }, () => ({ filename: 'a', url: 'x' })) }),
    parseSimpleJson,
  ],
])('a large page in %s lets timers come to their turn', async (_name, page, parse) => {
  const leaving = new AbortController();
  setTimeout(() => leaving.abort(), 5);
  await expect(parse(page, url, new Pace(leaving.signal))).rejects.toMatchObject({ code: 'port/cancelled' });
});

test('more links than any package has files are refused', async () => {
  await expect(html('<a href="//[">a</a>'.repeat(100_001))).rejects.toMatchObject({
    code: 'executor/package-invalid',
  });
});
