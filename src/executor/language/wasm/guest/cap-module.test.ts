import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { ByteReader, ModuleFault } from '../../../guest/byte-reader.ts';
import { writeNumber } from '../../../wasm-format.ts';
import { capModule } from './cap-module.ts';
import { readModule } from './module-shape.ts';
import { createTextCompiler } from './text-compiler.ts';

let compileText: (text: string) => Uint8Array;
beforeAll(async () => {
  compileText = await createTextCompiler();
});

const memoryBytes = 8 * 65_536;
const pages = 8;
const elements = memoryBytes / 64;

const cap = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => capModule(readModule(bytes), { memoryBytes });

const outcomeOf = (bytes: Uint8Array): string => {
  try {
    cap(bytes);
    return 'taken';
  } catch (error) {
    return error instanceof ModuleFault ? error.kind : `another: ${String(error)}`;
  }
};

const rich = `(import "env" "f" (func (param i32)))
  (type $t (func (param i32 i64) (result f64)))
  (global $g (mut i32) (i32.const 7))
  (memory (export "m") 2 100)
  (table (export "t") 3 funcref) (table (export "u") 5 9 externref)
  (data (i32.const 10) "\\\\00asm some text that looks like a module")
  (elem (i32.const 0) $a $b)
  (func $a (type $t) (f64.const 1)) (func $b (export "b") (loop $l (br_if $l (i32.eqz (global.get $g)))))
  (start $b)`;

test('everything else of a module stays as it was', async () => {
  const bytes = compileText(rich);
  const before = readModule(bytes);
  const after = readModule(cap(bytes));
  expect(after.functions).toEqual(before.functions);
  expect(after.exports).toEqual(before.exports);
  expect(after.memory).toEqual({ initial: 2, maximum: pages });
  expect(after.tables.map(({ maximum }) => maximum)).toEqual([3 + (elements - 8) / 2, 9]);
  const { instance } = await WebAssembly.instantiate(cap(bytes), { env: { f: () => undefined } });
  expect(Object.keys(instance.exports)).toEqual(['m', 't', 'u', 'b']);
});

/** Header, and one section. */
const moduleOf = (id: number, ...content: readonly number[]): Uint8Array =>
  Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, id, ...writeNumber(content.length), ...content]);

test.each<[string, Uint8Array, string]>([
  ['two memories', moduleOf(5, 2, 0, 1, 0, 1), 'form'],
  ['a shared memory', moduleOf(5, 1, 3, 1, 2), 'form'],
  ['a memory of 64 bits', moduleOf(5, 1, 4, 1), 'form'],
  ['a memory with small pages', moduleOf(5, 1, 8, 1, 0), 'form'],
  [
    'a memory imported and another of its own',
    Uint8Array.from([...moduleOf(2, 1, 0, 0, 2, 0, 1), 5, 3, 1, 0, 1]),
    'form',
  ],
  ['a table of 64 bits', moduleOf(4, 1, 0x70, 4, 1), 'form'],
  ['a table of exceptions', moduleOf(4, 1, 0x69, 0, 1), 'form'],
  ['a struct', moduleOf(1, 1, 0x5f, 0), 'form'],
  ['an array', moduleOf(1, 1, 0x5e, 0x7f, 1), 'form'],
  ['a group of types', moduleOf(1, 1, 0x4e, 1, 0x5f, 0), 'form'],
  ['an import of a new kind', moduleOf(2, 1, 0, 0, 9, 0), 'form'],
  ['a memory from the start too large', moduleOf(5, 1, 0, 9), 'memory'],
  ['a memory of 4 GiB', moduleOf(5, 1, 0, 0x80, 0x80, 4), 'memory'],
  [
    'tables from the start too large',
    moduleOf(4, 2, 0x70, 0, ...writeNumber(elements), 0x70, 0, 1),
    'memory',
  ],
  ['a section beyond the end', moduleOf(5, 1, 0, 1).subarray(0, -1), 'form'],
  ['a number without an end', moduleOf(5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), 'form'],
  ['a number of 35 bits', moduleOf(5, 1, 0, 0xff, 0xff, 0xff, 0xff, 0x7f), 'form'],
  ['more entries than there are', moduleOf(5, ...writeNumber(2 ** 32 - 1), 0, 1), 'form'],
  ['nothing', new Uint8Array(), 'form'],
  ['text', new TextEncoder().encode('(module)'), 'form'],
])('%s is refused', (_name, bytes, kind) => {
  expect(outcomeOf(bytes)).toBe(kind);
});

test('numbers are read as they were written', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
      expect(new ByteReader(Uint8Array.from(writeNumber(value))).number()).toBe(value);
    }),
  );
});

test('no bytes make it throw anything else, or run for ever', () => {
  const header = moduleOf(0).subarray(0, 8);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (tail) => {
      expect(['taken', 'memory', 'form']).toContain(outcomeOf(Uint8Array.from([...header, ...tail])));
    }),
    { numRuns: 2000 },
  );
});

/** What the engine itself allows. */
function growthOf(bytes: Uint8Array<ArrayBuffer>): { readonly pages: number; readonly elements: number } {
  const module = new WebAssembly.Module(bytes);
  const imports: Record<string, WebAssembly.ModuleImports> = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind === 'function') imports[from] = { ...imports[from], [name]: () => undefined };
  }
  const { exports } = new WebAssembly.Instance(module, imports);
  const found = { pages: 0, elements: 0 };
  for (const exported of Object.values(exports)) {
    if (exported instanceof WebAssembly.Memory) {
      grow((by) => exported.grow(by));
      found.pages += exported.buffer.byteLength / 65_536;
    }
    if (exported instanceof WebAssembly.Table) {
      grow((by) => exported.grow(by));
      found.elements += exported.length;
    }
  }
  return found;
}

/** Grows as far as it goes. */
function grow(step: (by: number) => number): void {
  for (let by = 2 ** 16; by >= 1;) {
    try {
      step(by);
    } catch {
      by = Math.floor(by / 2);
    }
  }
}

test('whatever is cut off or flipped, what the engine takes is within the bounds', () => {
  const whole = compileText(rich.replace('(start $b)', ''));
  let taken = 0;
  const check = (bytes: Uint8Array): void => {
    expect(['taken', 'memory', 'form']).toContain(outcomeOf(bytes));
    if (outcomeOf(bytes) !== 'taken') return;
    const capped = cap(bytes);
    if (!WebAssembly.validate(capped)) return;
    taken += 1;
    try {
      const grown = growthOf(capped);
      expect(grown.pages).toBeLessThanOrEqual(pages);
      expect(grown.elements).toBeLessThanOrEqual(elements);
    } catch (error) {
      // such as a segment that lies outside, or an import that is none of ours
      const isEngines = error instanceof WebAssembly.LinkError || error instanceof WebAssembly.RuntimeError;
      if (!isEngines && !(error instanceof TypeError)) throw error;
    }
  };
  for (let length = 0; length <= whole.length; length += 1) check(whole.subarray(0, length));
  for (let bit = 0; bit < whole.length * 8; bit += 1) {
    const flipped = whole.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    check(flipped);
  }
  expect(taken).toBeGreaterThan(100);
});
