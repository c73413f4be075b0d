/** Programs as compilers make them: one of C, one of Rust. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { GivenRun } from '../../../guest/run-test-scene.ts';
import { openEngine } from './engine-test-scene.ts';
import type { Ran } from './engine-test-scene.ts';

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../../../fixtures/wasm/${name}`, import.meta.url)));
const words = fixture('words.wasm');
const parts = fixture('parts.wasm');

const run = (code: Uint8Array, given?: GivenRun): Ran =>
  openEngine({ memoryBytes: 2 ** 21 }).run(code, given);

const wordsOf: GivenRun = {
  variables: {
    arguments: ['one.txt', 'poem/two.txt', '-'],
    stdin: 'from the  input\n',
  },
  environment: { GREETING: 'grüezi' },
  files: { 'one.txt': 'a b\tc', 'poem/two.txt': 'ein Wort\nnoch eins' },
};

test('a C program finds its arguments, files, folder, environment and input', () => {
  const { result, stdout, stderr } = run(words, wordsOf);
  expect(result).toMatchObject({ type: 'returned', value: 0 });
  expect(stdout).toBe('one.txt: 3\npoem/two.txt: 4\n-: 3\n3 entries, grüezi\n');
  expect(stderr).toBe('');
});

test('its files and its environment are there for the next run of a session, and its status is its own', () => {
  const { run: runNext } = openEngine({ memoryBytes: 2 ** 21 });
  runNext(words, wordsOf);
  const { result, stdout, stderr } = runNext(words, {
    variables: { arguments: ['poem/two.txt', 'missing'] },
  });
  expect(stdout).toBe('poem/two.txt: 4\n3 entries, grüezi\n');
  expect(stderr).toContain('missing: No such file or directory');
  expect(result).toMatchObject({ type: 'threw', error: { type: 'SystemExit', message: '2' } });
});

test('a Rust program reads, sorts and counts', () => {
  const { result, stdout, stderr } = run(parts, { variables: { stdin: 'b\na\nb\n' } });
  expect(result).toMatchObject({ type: 'returned', value: 0 });
  expect(stdout).toBe('a 1\nb 2\n');
  expect(stderr).toBe('2 different\n');
});

test('its exported function is called with numbers', () => {
  const variables = { call: 'collatz', arguments: [27n] };
  expect(run(parts, { variables }).result).toMatchObject({ type: 'returned', value: 111 });
});

test('its panic is an error of the guest, with the message on the error stream', () => {
  const { result, stderr } = run(parts, { variables: { stdin: 'panic\n' } });
  expect(result).toMatchObject({ type: 'threw', error: { type: 'WasmTrap' } });
  expect(stderr).toContain('it was told to');
});

test('with fuel it does the same, and takes the same each time', () => {
  const fuelled = { ...wordsOf, variables: { ...wordsOf.variables, fuel: 10_000_000 }, outputs: ['fuel'] };
  const [first, second] = [run(words, fuelled), run(words, fuelled)];
  expect(first).toMatchObject({ stdout: run(words, wordsOf).stdout, result: { type: 'returned', value: 0 } });
  expect(first).toEqual(second);
  const few = { ...wordsOf, variables: { ...wordsOf.variables, fuel: 10_000 } };
  expect(run(words, few).result).toEqual({ type: 'exceeded', limit: 'fuel', allowed: 10_000 });
});
