import { expect, test } from 'vitest';
import { deafOutput } from '../../../guest/run-test-scene.ts';
import { openEngine, runIn } from './engine-test-scene.ts';

/** What is printed on both streams. */
async function printed(...codes: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const streams = { stdout: '', stderr: '' };
  const emit = (stream: 'stdout' | 'stderr', text: string): void => void (streams[stream] += text);
  const engine = await openEngine({ output: { ...deafOutput, emit } });
  for (const code of codes) await runIn(engine, code);
  return streams;
}

test('groups indent by two spaces, each line of a text, on both streams, and end with their run', async () => {
  const code = `console.group('outer', 1)
console.log('a\\nb')
console.groupCollapsed()
console.error('deep')
console.groupEnd()
console.groupEnd()
console.groupEnd()
console.log('flat')
console.group()`;
  const { stdout, stderr } = await printed(code, 'console.log("next")');
  expect(stdout).toBe('outer 1\n  a\n  b\nflat\nnext\n');
  expect(stderr).toBe('    deep\n');
});

test('counters go by their label, from run to run', async () => {
  const code = 'console.count(); console.count("x"); console.count(undefined)';
  const { stdout, stderr } = await printed(
    code,
    'console.count("x"); console.countReset("x"); console.count("x"); console.countReset("y")',
  );
  expect(stdout).toBe('default: 1\nx: 1\ndefault: 2\nx: 2\nx: 1\n');
  expect(stderr).toBe("Warning: Count for 'y' does not exist\n");
});

test('timers go by their label; one that is unknown, or begun twice, is warned of', async () => {
  const { stdout, stderr } = await printed(
    'console.time(); console.timeLog("default", [1], "s"); console.time("t"); console.time("t"); console.timeEnd("t"); console.timeEnd("t"); console.timeLog("u")',
  );
  expect(stdout).toMatch(/^default: \d+\.\d{3}ms \[ 1 \] s\nt: \d+\.\d{3}ms\n$/u);
  expect(stderr).toBe(
    "Warning: Label 't' already exists for console.time()\nWarning: No such label 't' for console.timeEnd()\nWarning: No such label 'u' for console.timeLog()\n",
  );
});

test('what does not hold is told on the second stream, and so is a trace', async () => {
  const { stdout, stderr } = await printed(
    'console.assert(1, "no"); console.assert(0); console.assert("", "n is %d", 3); console.assert(null, { a: 1 })',
    'function f() { console.trace("at %s", "f") }\nf()',
  );
  expect(stdout).toBe('');
  expect(stderr).toMatch(
    /^Assertion failed\nAssertion failed: n is 3\nAssertion failed: \{ a: 1 \}\nTrace: at f\n {4}at f \(<run-\d+>:1:\d+\)\n {4}at <eval> \(<run-\d+>:2:\d+\)\n$/u,
  );
});

test('dir shows as deep as it is asked to', async () => {
  const deep = '{ a: { b: { c: { d: 1 } } } }';
  const { stdout } = await printed(
    `console.dir("s"); console.dir(${deep}); console.dir(${deep}, { depth: null })`,
  );
  expect(stdout).toBe(`"s"\n{ a: { b: { c: [Object] } } }\n${deep}\n`);
});

test.each([
  [
    '[{ a: 1, b: "é" }, { a: 22, c: [1] }]',
    `┌─────────┬────┬─────┬───────┐
│ (index) │ a  │ b   │ c     │
├─────────┼────┼─────┼───────┤
│ 0       │ 1  │ "é" │       │
│ 1       │ 22 │     │ [ 1 ] │
└─────────┴────┴─────┴───────┘
`,
  ],
  [
    '[[1, 2], 3]',
    `┌─────────┬───┬───┬────────┐
│ (index) │ 0 │ 1 │ Values │
├─────────┼───┼───┼────────┤
│ 0       │ 1 │ 2 │        │
│ 1       │   │   │ 3      │
└─────────┴───┴───┴────────┘
`,
  ],
  [
    '{ x: { a: 1, b: 2 } }, ["b"]',
    `┌─────────┬───┐
│ (index) │ b │
├─────────┼───┤
│ x       │ 2 │
└─────────┴───┘
`,
  ],
  [
    'new Set(["p"])',
    `┌─────────┬────────┐
│ (index) │ Values │
├─────────┼────────┤
│ 0       │ "p"    │
└─────────┴────────┘
`,
  ],
  ['5', '5\n'],
  ['new DataView(new ArrayBuffer(2))', '┌─────────┐\n│ (index) │\n├─────────┤\n└─────────┘\n'],
])('a table of %s', async (given, text) => {
  expect((await printed(`console.table(${given})`)).stdout).toBe(text);
});

test('a long table says how much of it is not shown', async () => {
  const { stdout } = await printed(
    'console.table(new Array(1500).fill({ a: 1 })); console.table([["x".repeat(1e6)]])',
  );
  expect(stdout).toMatch(/│ 999 {5}│ 1 │\n└─+┴─+┘\n\.\.\. 500 more rows\n/u);
  expect(stdout).toContain('x… │');
  expect(stdout.length).toBeLessThan(50_000);
});
