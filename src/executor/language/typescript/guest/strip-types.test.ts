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
