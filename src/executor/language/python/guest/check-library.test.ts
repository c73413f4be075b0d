import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ModuleFault } from '../../../guest/byte-reader.ts';
import { createTextCompiler } from '../../wasm/guest/text-compiler.ts';
import { asLibrary, extension } from '../package/extension-test-scene.ts';
import { checkLibrary } from './check-library.ts';

const compile = await createTextCompiler();
const sentenceOf = (bytes: Uint8Array, allowsScripts = false): string => {
  try {
    checkLibrary(bytes, bytes.length, { allowsScripts });
    return 'taken';
  } catch (error) {
    if (error instanceof ModuleFault) return error.message;
    throw error;
  }
};
const told = (text: string, allowsScripts = false): string =>
  sentenceOf(asLibrary(compile(text)), allowsScripts);

test('the smallest extension is taken, and so are the wrappers that the loader makes of functions', () => {
  expect(sentenceOf(extension)).toBe('taken');
  expect(
    sentenceOf(
      compile('(module (import "e" "f" (func $f (param i32 f64) (result i64))) (export "f" (func $f)))'),
    ),
  ).toBe('taken');
});

test.each([
  ['a memory', '(module (memory 1))'],
  ['a memory', '(module (func (export "a")) (memory (export "memory") 1 32768))'],
  ['a table', '(module (table 1 funcref))'],
  ['a table', '(module (import "env" "__indirect_function_table" (table 1 funcref)) (table 1 externref))'],
  ['exceptions', '(module (tag (param i32)))'],
])('a library with %s of its own is not taken: %s', (what, text) => {
  expect(told(text)).toBe(`the library is not taken: it has ${what} of its own`);
});

test('the interpreter’s memory, table, globals and exceptions are imported', () => {
  expect(
    told(`(module (import "env" "memory" (memory 1 2)) (import "env" "t" (table 1 2 funcref)) (import "env" "g" (global (mut i32)))
      (import "env" "__cpp_exception" (tag (param i32))) (func (export "f")))`),
  ).toBe('taken');
});

test.each(['__em_js__hello', '__start_em_js', '__start_em_asm', '__stop_em_asm'])(
  'a library that carries JavaScript as %s is not taken, unless that is allowed',
  (name) => {
    const text = `(module (func (export "a")) (global (export "${name}") i32 (i32.const 0)))`;
    expect(told(text)).toBe('the library is not taken: it carries JavaScript');
    expect(told(text, true)).toBe('taken');
  },
);

test('names that begin otherwise are anybody’s', () => {
  expect(told('(module (global (export "__em_j") i32 (i32.const 0)) (func (export "x__em_js__a")))')).toBe(
    'taken',
  );
});

/** An array, a structure, and a group of types. */
test.each([[[0x5e, 0x7f, 1]], [[0x5f, 0]], [[0x4e, 1, 0x60, 0, 0]]])(
  'types of objects are not taken: %s',
  (type) => {
    const bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, type.length + 1, 1, ...type];
    expect(sentenceOf(Uint8Array.from(bytes))).toBe(
      'the library is not taken: it has types other than functions',
    );
  },
);

/** The first file in a wheel whose name ends so. */
function fileOf(wheel: Uint8Array, end: string): Uint8Array {
  const view = new DataView(wheel.buffer, wheel.byteOffset, wheel.byteLength);
  for (let at = 0; view.getUint32(at, true) === 0x04_03_4b_50;) {
    const [size, nameLength, extraLength] = [
      view.getUint32(at + 18, true),
      view.getUint16(at + 26, true),
      view.getUint16(at + 28, true),
    ];
    const start = at + 30 + nameLength + extraLength;
    const name = new TextDecoder().decode(wheel.subarray(at + 30, at + 30 + nameLength));
    if (name.endsWith(end)) return inflateRawSync(wheel.subarray(start, start + size));
    at = start + size;
  }
  throw new Error(`the wheel has no ${end}`);
}

test.each(['xxhash-4.1.0', 'msgpack-1.2.4'])('what a compiler made for %s is taken', (name) => {
  const file = `fixtures/python/packages/${name}-cp314-cp314-pyemscripten_2026_0_wasm32.whl`;
  expect(sentenceOf(fileOf(readFileSync(file), '.so'))).toBe('taken');
});

test('no bytes make it throw anything else, or run for ever', () => {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (tail) => {
      expect(typeof sentenceOf(Uint8Array.from([...header, ...tail]))).toBe('string');
    }),
  );
});
