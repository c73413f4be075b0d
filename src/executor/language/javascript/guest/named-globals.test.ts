import { parse } from 'acorn';
import { expect, test } from 'vitest';
import { globalsOf } from './named-globals.ts';
import { isFault, readScript } from './script.ts';

const namesOf = (code: string): readonly string[] =>
  globalsOf(parse(code, { ecmaVersion: 'latest' })).map(({ name }) => name);

test.each([
  ['eval("1")', ['eval']],
  ['x.eval("1")', ['x']],
  ['x[eval]', ['x', 'eval']],
  ['({ eval: 1, [Function]: 2 })', ['Function']],
  ['({ eval })', ['eval']],
  ['globalThis.eval', ['globalThis', 'eval']],
  ['class A { eval() {} [Function]() {} }', ['A', 'Function']],
  ['eval: for (;;) break eval', []],
  ['globalThis["ev" + "al"]', ['globalThis']],
])('%s names %j', (code, names) => {
  expect(namesOf(code)).toEqual(names);
});

test('code that is nested deep is read to its end', () => {
  expect(namesOf(`${'['.repeat(300)}eval${']'.repeat(300)}`)).toEqual(['eval']);
});

test('a script tells each name with its place', () => {
  const script = readScript('1\n  ;eval("1")');
  if (isFault(script)) throw new Error(script.message);
  expect(script.globals()).toEqual([{ name: 'eval', line: 2, column: 4 }]);
});
