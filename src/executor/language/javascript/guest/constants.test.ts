import { expect, test } from 'vitest';
import { engineRun, resultBounds } from '../../../guest/run-test-scene.ts';
import { parseRunResult } from '../../../sandbox/run-result.ts';
import { openEngine, runIn } from './engine-test-scene.ts';

const alone = { isSession: false };
const engines = openEngine();
const threw = (type: string, line: number): object => ({ type: 'threw', error: { type, line } });

test.each([
  ['const a = 1\na = 2', threw('TypeError', 2)],
  ['const limit = 3\nfunction f() {\n limit = 9 }\nf()', threw('TypeError', 3)],
  ['const v = x; let x = 1', threw('ReferenceError', 1)],
  ['const v = typeof x === "undefined" ? x : 0\nlet x = 1', threw('ReferenceError', 1)],
  ['new A(); class A {}', threw('ReferenceError', 1)],
  ['let a = 1; await 0; globalThis.a ?? a', { value: 1 }],
  ['export const a = 1; let b = await a; a + b', { value: 2 }],
  ['class A { static n = 4 }; const { n } = A; n', { value: 4 }],
  ['let x = given; x + 1', { value: 3 }],
  ['const given = 5; given', { value: 5 }],
  ['let a = 1; { let a = 2 }; a', { value: 1 }],
  ['const f = () => g(); const g = () => 7; f()', { value: 7 }],
  ['const a = 1; eval("a + 1")', { value: 2 }],
  ['let a = 1; let a = 2', { type: 'syntax-error' }],
])('a run of its own means what it says: %s', async (code, result) => {
  const engine = await engines;
  expect(await runIn(engine, code, { ...alone, variables: { given: 2 } })).toMatchObject(result);
  engine.renew();
});

test('what a run of its own declares comes back by name', async () => {
  const code =
    'let a = 1; const { b } = { b: [2] }; var d = 4; class C { static n = 5 }; let { n } = C; a += 1; b';
  const outputs = ['a', 'b', 'd', 'n'];
  const engine = await engines;
  const run = engineRun(code, { ...alone, outputs });
  const result = parseRunResult(await engine.run(run), [], resultBounds);
  expect(result).toMatchObject({ type: 'returned', value: [2], variables: { a: 2, b: [2], d: 4, n: 5 } });
  engine.renew();
});

test.each([
  ['a = 2', 1],
  ['a += 2', 1],
  ['a++', 1],
  ['[a] = [2]', 1],
  ['({ a } = { a: 2 })', 1],
  ['({ a = 3 } = {})', 1],
  ['({ b: [, a] } = { b: [1, 2] })', 1],
  ['for (a of [1]) { }', 1],
  ['for (a in { b: 1 }) { }', 1],
  ['const f = () => {\n  return a = 2 }\nf()', 2],
])('in a session a constant is not assigned to: %s', async (code, line) => {
  const engine = await openEngine();
  const result = await runIn(engine, `let seen = 1; const a = 1;\n${code}`);
  expect(result).toMatchObject({
    type: 'threw',
    error: { type: 'TypeError', message: "'a' is read-only", line: line + 1 },
  });
  expect(await runIn(engine, 'const a = 5; a')).toMatchObject({ value: 5 });
});

test.each([
  ['const a = 1; a ??= 2; a', 1],
  ['const a = 1; const f = (a) => { a = 2; return a }; f(3)', 2],
  ['const a = 1; { let a = 2; a = 3 } a', 1],
  ['const a = { b: 1 }; a.b = 2; a.b', 2],
  ['let a = 1; a = 2; a', 2],
  ['for (const a of [1, 2]) { } var b = 1; b = 3; b', 3],
])('and what is no constant is: %s', async (code, value) => {
  const engine = await openEngine();
  expect(await runIn(engine, code)).toMatchObject({ value });
  // declared again
  expect(await runIn(engine, code)).toMatchObject({ value });
});
