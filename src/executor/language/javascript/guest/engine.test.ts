import { afterEach, expect, test } from 'vitest';
import type { RunRequest } from '../../../sandbox/protocol.ts';
import type { JavaScriptEngine } from './engine.ts';
import { openEngine, outputTo, runIn as run } from './engine-test-scene.ts';
import { InterpreterImage } from './interpreter-image.ts';

let losses = 0;
afterEach(() => void (losses = 0));

const open = (): Promise<JavaScriptEngine> => openEngine({ output: outputTo(() => void (losses += 1)) });

const wait = 'await new Promise(() => undefined)';
const thrown = (type: string, line: number | null, message?: unknown): object => ({
  type: 'threw',
  error: { type, line, ...(message === undefined ? {} : { message }) },
});

test('what a timer throws ends the run, with its type, its message and its line', async () => {
  const engine = await open();
  const late = `setTimeout(() => {\n  throw new TypeError('late')\n}, 1)\n${wait}`;
  expect(await run(engine, late)).toMatchObject(thrown('TypeError', 2, 'late'));
  expect(await run(engine, `setInterval(() => { throw 'text' }, 1)\n${wait}`)).toMatchObject(
    thrown('string', null, 'text'),
  );
  // the session goes on
  expect(await run(engine, '1 + 1')).toMatchObject({ value: 2 });
  expect(losses).toBe(0);
});

test('what a timer began before it threw is no part of the next run', async () => {
  const engine = await open();
  const code = `globalThis.n = 0\nsetTimeout(() => { Promise.resolve().then(() => { n = 1 }); throw new Error('e') })\n${wait}`;
  expect(await run(engine, code)).toMatchObject(thrown('Error', 2));
  const later = 'const before = n\nawait new Promise((done) => setTimeout(done, 5));\n[before, n]';
  expect(await run(engine, later)).toMatchObject({ value: [1, 1] });
});

test.each([
  ['a call without end', 'const f = () => f() + 1\nf()'],
  ['deep JSON', "JSON.parse('['.repeat(100_000))"],
  ['a deep pattern', "new RegExp('('.repeat(20_000) + ')'.repeat(20_000))"],
  ['a deep text of code', "new Function('('.repeat(100_000))"],
  ['a sort that calls itself', 'const f = () => [2, 1].sort(f)\nf()'],
])('in a timer %s has the stack of a run: an error, and the session goes on', async (_name, body) => {
  const engine = await open();
  await run(engine, 'globalThis.kept = 1');
  const result = await run(engine, `setTimeout(() => {\n${body}\n})\n${wait}`);
  expect(result).toMatchObject({ type: 'threw' });
  expect(await run(engine, 'kept')).toMatchObject({ value: 1 });
  expect(losses).toBe(0);
});

test('an error that a timer catches ends nothing, and timers go on', async () => {
  const engine = await open();
  const code = `let n = 0
const f = () => f() + 1
await new Promise((done) => {
  const t = setInterval(() => {
    try { f() } catch { n += 1 }
    if (n === 3) { clearInterval(t); done() }
  }, 1)
})
n`;
  expect(await run(engine, code)).toMatchObject({ value: 3 });
});

test('an interpreter that was made from an image is one like the first, and has numbers of its own', async () => {
  const engine = await open();
  const code = `globalThis.left = 1
Array.prototype.left = 1
const late = await new Promise((done) => setTimeout(done, 1, 'late'))
const names = Object.getOwnPropertyNames(globalThis).sort().join()
const files = Symbol.for('vivarium.files') in globalThis
const bytes = new TextEncoder().encode('é').length;
[late, names, files, bytes, typeof console.log, Math.random()]`;
  const results: (readonly unknown[])[] = [];
  for (let round = 0; round < 4; round += 1) {
    const before = await run(engine, "[typeof left, 'left' in []]");
    expect(before).toMatchObject({ value: ['undefined', false] });
    engine.renew();
    const { value } = (await run(engine, code)) as { value: readonly unknown[] };
    results.push(value);
    engine.renew();
  }
  const [first] = results as [readonly unknown[]];
  for (const result of results) expect(result.slice(0, -1)).toEqual(first.slice(0, -1));
  expect(new Set(results.map((result) => result.at(-1))).size).toBe(4);
});

test('two that were not made alike give no image', () => {
  const words = (...values: readonly number[]): Uint32Array => new Uint32Array(values);
  const one = { before: words(0, 5), after: words(1, 5) };
  expect(InterpreterImage.of(one, { before: words(0, 6), after: words(1, 6) })).toBeDefined();
  // the same seed: they would all draw the same numbers
  expect(InterpreterImage.of(one, one)).toBe(undefined);
  const many = new Uint32Array(512).map((_, index) => index + 1);
  expect(InterpreterImage.of({ before: many, after: many }, { before: words(), after: many })).toBe(
    undefined,
  );
});

test('an image goes into a new memory, and leaves what is its own', () => {
  const reference = (seed: number) => ({
    before: new Uint32Array([0, 8, seed]),
    after: new Uint32Array([0, 8, seed, 0, 7]),
  });
  const image = InterpreterImage.of(reference(1), reference(2)) as InterpreterImage;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const words = new Uint32Array(memory.buffer);
  words.set([0, 8, 9, 3]);
  image.write(memory);
  expect([...words.subarray(0, 6)]).toEqual([0, 8, 9, 3, 7, 0]);
});

test.each([
  ['node:fs', 'import fs from "fs"'],
  ['fs', 'import fs from "node:fs"'],
  ['fs', 'await import("node:fs/promises")'],
  ['node:fs', 'export * from "fs/promises"'],
])('a module that is denied as %j is denied by its other name, too: %s', async (denied, code) => {
  const engine = await open();
  expect(await run(engine, code, { deniedModules: [denied] })).toMatchObject({ type: 'denied', line: 1 });
  expect(await run(engine, 'import "process"\n1', { deniedModules: [denied] })).toMatchObject({ value: 1 });
});

test.each<[string, RunRequest['imports'], object]>([
  ['\nimport { a, nothing } from "./one.js"\na', [], { line: 2, column: 13 }],
  ['"é"; import nothing from "one"\n1', [], { line: 1, column: 13 }],
  ['import { nothing as fs } from "fs"\n1', [], { line: 1, column: 10 }],
  [
    'import "two"',
    [['two.js', '\n\n  export { nothing as b } from "./one"']],
    { line: 3, column: 12, file: 'two.js' },
  ],
])('what a module does not export is missed where it is asked for: %j', async (code, imports, place) => {
  const engine = await open();
  const given: RunRequest['imports'] = [['one.js', 'export const a = 1'], ...imports];
  const fault = await run(engine, code, { imports: given });
  expect(fault).toMatchObject({ type: 'syntax-error', message: expect.stringContaining('export'), ...place });
  expect('file' in fault).toBe('file' in place);
  const late = await run(engine, 'await import("late")', {
    imports: [...given, ['late.js', '\nimport { gone } from "one"']],
  });
  expect(late).toMatchObject({ type: 'threw', error: { type: 'SyntaxError', line: 2, file: 'late.js' } });
});

test('columns of a traceback count characters, also beyond ASCII', async () => {
  const traceOf = async (letter: string): Promise<unknown> => {
    const engine = await open();
    const thrower = `export const f = (x) => {\n  const é = "${letter}"; throw new RangeError(x) }`;
    const code = `import { f } from "thrower.js"\n"${letter}"; f(1)`;
    const result = await run(engine, code, { imports: [['thrower.js', thrower]] });
    return (result as { error: unknown }).error;
  };
  const error = await traceOf('ab');
  expect(error).toMatchObject({ line: 2, file: 'thrower.js' });
  expect((error as { traceback: string }).traceback).toContain('at f (thrower.js:2:29)');
  // each as long as the first
  for (const letters of ['éé', '漢字', '😀']) expect(await traceOf(letters)).toEqual(error);
});

test('a traceback tells what caused the error, and what caused that', async () => {
  const engine = await open();
  const traceOf = async (code: string): Promise<string> =>
    ((await run(engine, code)) as { error: { traceback: string } }).error.traceback;
  const code = `function f() {
  throw new TypeError('inner', { cause: { code: 7 } })
}
let e
try { f() } catch (cause) { e = new Error('outer', { cause }) }
throw e`;
  expect(await traceOf(code)).toMatch(
    /^Error: outer\n {4}at <eval> \(<run-\d+>:5:\d+\)\nCaused by: TypeError: inner\n {4}at f \(<run-\d+>:2:\d+\)\n {4}at <eval> \(<run-\d+>:5:\d+\)\nCaused by: object: \{ code: 7 \}$/u,
  );
  const long = `let e = new Error('0', { cause: undefined })
for (let n = 1; n < 100; n += 1) e = new Error('x'.repeat(1e4), { cause: e })
throw e`;
  const trace = await traceOf(long);
  expect(trace.match(/Caused by: Error/gu)).toHaveLength(8);
  expect(trace).toContain('further causes are not shown');
  // beside a long one they are cut, and the error is still told
  const longest =
    'const e = new Error("x".repeat(1e5), { cause: new Error("y".repeat(1e5)) })\ne.stack = "z".repeat(1e6)\nthrow e';
  expect((await traceOf(longest)).length).toBeLessThan(90_000);
  expect(await traceOf("const e = new Error('round')\ne.cause = e\nthrow e")).not.toContain('Caused');
  const hostile = "throw Object.defineProperty(new Error('kept'), 'cause', { get() { throw 1 } })";
  expect(await traceOf(hostile)).toContain('Error: kept');
});

test('names of modules may look like parts of a traceback', async () => {
  const engine = await open();
  const imports: RunRequest['imports'] = [
    ['at (what at)', 'export const f = () => {\n throw new Error("e") }'],
  ];
  const code = 'import { f } from "at (what at)"\nf()';
  expect(await run(engine, code, { imports })).toMatchObject({ error: { file: 'at (what at)', line: 2 } });
  // what only looks like one is none
  const forged = 'const e = new Error("e")\ne.stack = `    at x (nowhere.js:7:1)\\n${e.stack}`\nthrow e';
  expect(await run(engine, forged)).toMatchObject({ error: { line: 1 } });
  expect(await run(engine, forged)).not.toHaveProperty('error.file');
});

test('a module that is given anew with another source is loaded anew, and so is what needs it', async () => {
  const engine = await open();
  const count = 'globalThis.loads = (globalThis.loads ?? 0) + 1';
  const given = (n: number): RunRequest['imports'] => [
    ['lib/a.js', `${count}; export const a = ${n}\nexport const f = () => { throw new Error("e") }`],
    ['lib/b.js', `${count}; export { a as b } from "./a"`],
    ['c.js', `${count}; import { b } from "./lib/b.js"; export const c = b * 10`],
    ['d.js', `${count}; export const d = await import("c")`],
    ['alone.js', `${count}; export const alone = {}`],
  ];
  const code = `import { c } from "c"; import { a } from "./lib/a.js"; import { d } from "d"
import { alone } from "alone"; const same = globalThis.last === alone; globalThis.last = alone
const result = [c, a, d.c, same, loads]; result`;
  expect(await run(engine, code, { imports: given(1) })).toMatchObject({ value: [10, 1, 10, false, 5] });
  expect(await run(engine, code, { imports: given(1) })).toMatchObject({ value: [10, 1, 10, true, 5] });
  expect(await run(engine, code, { imports: given(2) })).toMatchObject({ value: [20, 2, 20, true, 9] });
  expect(await run(engine, code, { imports: given(3) })).toMatchObject({ value: [30, 3, 30, true, 13] });
  const failed = await run(engine, 'import { f } from "lib/a.js"\nf()');
  expect(failed).toMatchObject({ error: { file: 'lib/a.js', line: 2 } });
  expect((failed as { error: { traceback: string } }).error.traceback).toContain('(lib/a.js:2:');
  const state = engine.save({ sizeBytes: 2 ** 25, packageBytes: 0, timeMs: 1000, idleMs: 50 }, true);
  const next = await open();
  if (typeof state !== 'object') throw new Error('nothing was put aside');
  await next.restore(state.parts.map((part) => new Uint8Array(part as ArrayBuffer)));
  expect(await run(next, code, { imports: given(3) })).toMatchObject({ value: [30, 3, 30, true, 13] });
  expect(await run(next, code, { imports: given(1) })).toMatchObject({ value: [10, 1, 10, true, 17] });
});

test.each([
  [
    'm.js',
    "export const a = 1\nimport fs from 'node:fs'",
    { permission: 'module', name: 'node:fs', line: 2, column: 1 },
  ],
  ['m.js', "import fs from '\\u0066s'", { permission: 'module', name: 'fs', line: 1, column: 1 }],
  ['m.js', 'export const a = () => eval("1")', { permission: 'global', name: 'eval', line: 1, column: 24 }],
  ['./lib/m.js', 'await rate()', { permission: 'tool', name: 'rate', line: 1, column: 7 }],
])('what is denied is denied in a module given with the code, too: %s %j', async (file, source, denied) => {
  const engine = await open();
  const given = { deniedModules: ['fs'], deniedGlobals: ['eval'], deniedTools: ['rate'] };
  const imports: RunRequest['imports'] = [
    ['fine.js', 'export const evaluate = 1'],
    ['data.json', '["eval"]'],
  ];
  expect(await run(engine, '1', { ...given, imports: [...imports, [file, source]] })).toEqual({
    type: 'denied',
    file: file.replace('./', ''),
    ...denied,
  });
  // nothing of it has run, and what is not denied does
  expect(await run(engine, '2', { ...given, imports })).toMatchObject({ value: 2 });
});
