import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isFault, readScript } from './script.ts';
import type { Script } from './script.ts';

function read(source: string): Script {
  const script = readScript(source);
  if (isFault(script)) throw new Error(`${script.message} (${script.line}:${script.column})`);
  return script;
}

test.each([
  ['let x = 1', 'var x = 1'],
  ['const x = 1; x', 'var   x = 1; x'],
  ['for (const x of []) { let y }', 'for (const x of []) { let y }'],
  ['export const x = 1', '       var   x = 1'],
  ['export default 5', '               5'],
  ['export { x }', '            '],
  ['class A {}\n(1)', 'var A = class A {};\n(1)'],
  ['{ "a": 1 };', '({ "a": 1 });'],
  ['{ a: 1 }', '({ a: 1 })'],
  ['{ let a = 1 }', '{ let a = 1 }'],
])('%j is run as %j', (source, code) => {
  expect(read(source).code).toBe(code);
});

test('imports are a module of their own, where they stood', () => {
  const source = 'import a, { b as c } from "m"; import * as d\n  from "n"\na + c\nimport "o"';
  const { code, importing, bindings } = read(source);
  expect(code.split('\n').map((line) => line.trim())).toEqual(['', '', 'a + c', '']);
  expect(bindings).toEqual(['a', 'c', 'd']);
  expect(
    importing?.startsWith('import a, { b as c } from "m"; import * as d\n  from "n"\n     \nimport "o"'),
  ).toBe(true);
  expect(importing?.endsWith('\n;export { a, c, d };')).toBe(true);
});

test.each([
  ['1', true],
  ['1;', true],
  ['x = 1', true],
  ['const x = 1', false],
  ['1; const x = 1', false],
  ['if (1) 2', false],
  ['', false],
  ['// c', false],
  ['{}', true],
])('whether %j has a value: %s', (source, hasValue) => {
  expect(read(source).hasValue).toBe(hasValue);
});

test.each([
  ['x = = 1', 'Unexpected token', 1, 5],
  ['1;\n  let 5', 'Unexpected token', 2, 7],
  ['x = 1\ny = "\0"', 'source code cannot contain null characters', 2, 6],
  ['(', 'Unexpected token', 1, 2],
])('%j is a fault with its place', (source, message, line, column) => {
  expect(readScript(source)).toEqual({ message, line, column });
});

test('modules that are named in the code are found, with their places', () => {
  const source = 'import a from "m"\nexport * from "n"\nconst f = () => import("o")\nimport(name)';
  expect(read(source).modules).toEqual([
    { name: 'm', line: 1, column: 1 },
    { name: 'n', line: 2, column: 1 },
    { name: 'o', line: 3, column: 17 },
  ]);
});

test('places in rewritten code lead back, and no line moves', () => {
  const parts = [
    'let a = 1',
    'class B {}',
    'class C { m() { return 1 } } boom',
    'export class D {}',
    'boom',
    'const {\n e } = 1',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...parts), { minLength: 1 }), fc.boolean(), (chosen, isOneLine) => {
      const names = chosen.map((part, index) =>
        part.replaceAll(/\b([aeB-D])\b/g, `$1${index}`).replace('boom', `boom${index}`),
      );
      const source = names.join(isOneLine ? '; ' : '\n');
      const { code, toOriginal } = read(source);
      expect(code.split('\n')).toHaveLength(source.split('\n').length);
      const placeIn = (text: string, word: string) => {
        const before = text.slice(0, text.search(new RegExp(`${word}\\b`, 'u'))).split('\n');
        return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
      };
      for (const [word] of source.matchAll(/boom\d+/g)) {
        expect(toOriginal(placeIn(code, word))).toEqual(placeIn(source, word));
      }
    }),
  );
});

test('no text makes the reader throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (source) => {
      readScript(source);
    }),
  );
});
