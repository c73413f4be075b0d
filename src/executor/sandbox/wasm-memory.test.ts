import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { capWasmMemory } from './wasm-memory.ts';

const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
/** `memory 2 [maximum]`, exported as "m". */
const exportSection = [7, 5, 1, 1, 0x6d, 2, 0];
const withMemory = (...memory: number[]): ArrayBuffer =>
  new Uint8Array([...header, 5, memory.length, ...memory, ...exportSection]).buffer;

async function memoryOf(wasm: ArrayBuffer): Promise<WebAssembly.Memory> {
  const { instance } = await WebAssembly.instantiate(wasm);
  return instance.exports['m'] as WebAssembly.Memory;
}

test.each([
  ['a longer maximum', withMemory(1, 1, 2, 0x80, 0x80, 0x04)],
  ['a maximum as long', withMemory(1, 1, 2, 100)],
  ['no maximum', withMemory(1, 0, 2)],
])('a memory with %s can grow to the cap and not beyond', async (_name, wasm) => {
  expect((await memoryOf(wasm)).grow(3)).toBe(2);
  const memory = await memoryOf(capWasmMemory(wasm, 4 * 65_536 + 1000));
  memory.grow(2);
  expect(() => memory.grow(1)).toThrow(RangeError);
});

test('a maximum that is shorter than the cap gets room', async () => {
  const memory = await memoryOf(capWasmMemory(withMemory(1, 1, 2, 2), 200 * 65_536));
  memory.grow(198);
  expect(() => memory.grow(1)).toThrow(RangeError);
});

/** Tables of functions and of the page's values; the first is exported as "t". */
const withTables = (...tables: number[]): ArrayBuffer =>
  new Uint8Array([...header, 4, tables.length, ...tables, 5, 3, 1, 0, 1, 7, 5, 1, 1, 0x74, 1, 0]).buffer;

test('a table of functions without a bound gets one, an eighth of the memory', async () => {
  const grow = async (wasm: ArrayBuffer, count: number): Promise<number> => {
    const { instance } = await WebAssembly.instantiate(wasm);
    return (instance.exports['t'] as WebAssembly.Table).grow(count);
  };
  const tables = (): ArrayBuffer => withTables(2, 0x70, 0, 5, 0x6f, 0, 0);
  expect(await grow(tables(), 1025)).toBe(5);
  expect(await grow(capWasmMemory(tables(), 4 * 65_536), 1024)).toBe(5);
  await expect(grow(capWasmMemory(tables(), 4 * 65_536), 1025)).rejects.toThrow(RangeError);
});

test('a table with a bound of its own keeps it', async () => {
  const wasm = withTables(1, 0x70, 1, 5, 7);
  const { instance } = await WebAssembly.instantiate(capWasmMemory(wasm, 4 * 65_536));
  const table = instance.exports['t'] as WebAssembly.Table;
  expect(table.grow(2)).toBe(5);
  expect(() => table.grow(1)).toThrow(RangeError);
});

test('the real interpreter is capped and still valid', () => {
  const file = createRequire(import.meta.url).resolve('pyodide/pyodide.asm.wasm');
  const bytes = Uint8Array.from(readFileSync(file));
  const capped = capWasmMemory(bytes.buffer, 256 * 2 ** 20);
  expect(WebAssembly.validate(capped)).toBe(true);
  expect(Math.abs(capped.byteLength - bytes.byteLength)).toBeLessThan(8);
});

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'nothing';
  } catch (error) {
    return isCodedError(error) ? error.code : `uncoded: ${String(error)}`;
  }
};

test.each([
  ['not wasm', new TextEncoder().encode('<!doctype html>').buffer],
  ['empty', new ArrayBuffer(0)],
  ['without a memory', new Uint8Array(header).buffer],
  ['with two memories', withMemory(2, 0, 1, 0, 1)],
  ['with shared memory', withMemory(1, 3, 1, 2)],
  ['with 64-bit memory', withMemory(1, 5, 1, 2)],
  ['with a 64-bit table', withTables(1, 0x70, 4, 1)],
  ['larger than the cap from the start', withMemory(1, 0, 100)],
])('wasm %s is refused', (_name, wasm) => {
  expect(codeOf(() => capWasmMemory(wasm, 4 * 65_536))).toBe('executor/wasm-invalid');
});

test('no bytes make it throw anything else, or run for ever', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (tail) => {
      const wasm = new Uint8Array([...header, ...tail]).buffer;
      expect(['nothing', 'executor/wasm-invalid']).toContain(codeOf(() => capWasmMemory(wasm, 2 ** 24)));
    }),
  );
});
