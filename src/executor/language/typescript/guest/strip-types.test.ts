import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isFault } from '../../javascript/guest/script.ts';
import { stripTypes } from './strip-types.ts';

const translated = (source: string) => {
  const script = stripTypes.script(source);
  if (isFault(script)) throw new Error(script.message);
  return script;
};

test.each([
  ['const x: number = 1; boom()', 'boom'],
  ['let a = <any>b as string; boom()', 'boom'],
  ['type A = {\n  a: string\n}\nf<A>(1, boom as A)', 'boom'],
  ['enum E { A, B }\nclass C { private x: number = boom }', 'boom'],
  ['function f(this: void, a?: number): asserts a is number { throw boom }', 'boom'],
])('a place in the made code is found in the source: %s', (source, word) => {
  const { code, toOriginal } = translated(source);
  const placeIn = (text: string) => {
    const before = text.slice(0, text.indexOf(word)).split('\n');
    return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
  };
  expect(toOriginal(placeIn(code))).toEqual(placeIn(source));
});

test('lines stay, whatever is taken off', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(
          'interface I {\n a: 1\n}',
          'let x: number\n= 1',
          'type A =\n | 1\n | 2',
          'f<\nA\n>(1)',
          '',
          '// c',
          '`\n`',
        ),
      ),
      (parts) => {
        const source = parts.join('\n');
        expect(translated(source).code.split('\n')).toHaveLength(source.split('\n').length);
      },
    ),
  );
});

test.each([
  ['1;\n  let x: = 5', 2, 10],
  ['let x = = 1', 1, 9],
])('what cannot be read is told with its place: %s', (source, line, column) => {
  expect(stripTypes.script(source)).toEqual({ message: 'Unexpected token', line, column });
});

test('code that is too deep is told as such', () => {
  expect(stripTypes.script('('.repeat(500_000))).toMatchObject({ line: null });
});

test.each([
  ['namespace N { export const a = 1 }', 'N', 1, 1],
  ['let x = 1\n  export namespace Outer.Inner { console.log(`${x}`) }', 'Outer', 2, 10],
  ['function f() { module M { f() } }', 'M', 1, 16],
  ['declare namespace D { namespace E { const a: 1 } }; declare global { }\nnamespace F { }', 'F', 2, 1],
])('a namespace that runs is no type: %s', (source, name, line, column) => {
  const message = expect.stringContaining(`the namespace ${name} `) as string;
  expect(stripTypes.script(source)).toEqual({ message, line, column });
  expect(stripTypes.module(source, 'm.ts')).toEqual({ message, line, column });
});

test.each([
  'declare namespace D { namespace E { const a: 1 } }\n1',
  'declare module "m" { namespace E { const a: 1 } }\n1',
  'declare global { namespace E { interface I { } } }\n1',
  'type A = { module: 1, namespace: 2 }\nlet module = 1, namespace = 2',
  'let namespace = 1\nnamespace\n/ 2',
])('what is only declared is taken off, and names may be these words: %s', (source) => {
  const [, rest] = source.split('\n');
  expect(translated(source).code.split('\n')[1]).toBe(rest);
});

test('imports stay, but for those of types', () => {
  const source = 'import { a, type B } from "m"; import fs from "fs"; import * as c from "n"';
  expect(translated(source).code).toBe('import { a, } from "m"; import fs from "fs"; import * as c from "n"');
  expect(
    translated('import type { C } from "m"; export type { D } from "n"').code.replaceAll(/[;\s]/gu, ''),
  ).toBe('');
});
