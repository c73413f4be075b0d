import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { ModuleFault } from '../../../guest/byte-reader.ts';
import { fuelModule } from './fuel.ts';
import { readModule } from './module-shape.ts';
import { createTextCompiler } from './text-compiler.ts';

let compileText: (text: string) => Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  const compile = await createTextCompiler();
  compileText = (text) => Uint8Array.from(compile(text));
});

interface Fuelled {
  readonly call: (name: string, ...values: readonly unknown[]) => unknown;
  readonly left: () => number;
}

async function fuelled(text: string, fuel: number): Promise<Fuelled> {
  const { bytes, fuelName } = fuelModule(readModule(compileText(text)), fuel);
  const { instance } = await WebAssembly.instantiate(bytes, { env: { f: () => undefined } });
  const tank = instance.exports[fuelName] as WebAssembly.Global<'i64'>;
  return {
    call: (name, ...values) =>
      (instance.exports[name] as (...given: readonly unknown[]) => unknown)(...values),
    left: () => Number(tank.value),
  };
}

const countTo = `(func (export "count") (param $n i32) (result i32) (local $i i32)
  (loop $again
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $i) (local.get $n))))
  (local.get $i))`;

test('each round of a loop takes the instructions written in it', async () => {
  const module = await fuelled(countTo, 10_000);
  expect(module.call('count', 1)).toBe(1);
  // `loop`, `local.get` and `end`; and nine in the round
  expect(module.left()).toBe(10_000 - 3 - 9);
  expect(module.call('count', 100)).toBe(100);
  expect(module.left()).toBe(10_000 - 3 - 9 - 3 - 900);
});

test('a module stops where its fuel ends, at the same place each time', async () => {
  const ends = await Promise.all(
    [1, 2].map(async () => {
      const module = await fuelled(
        `(global $seen (export "seen") (mut i32) (i32.const 0))
        (func (export "run") (loop $again (global.set $seen (i32.add (global.get $seen) (i32.const 1))) (br $again)))`,
        1000,
      );
      expect(() => module.call('run')).toThrow(WebAssembly.RuntimeError);
      return module.left();
    }),
  );
  expect(ends[0]).toBeLessThan(0);
  expect(ends[0]).toBe(ends[1]);
});

test.each([
  ['recursion', '(func $r (export "run") (call $r))'],
  ['tail calls', '(func $r (export "run") (return_call $r))'],
  [
    'two functions that call each other through a table',
    `(table funcref (elem $a $b)) (func $a (export "run") (call_indirect (i32.const 1)))
     (func $b (call_indirect (i32.const 0)))`,
  ],
  ['a loop in a loop', '(func (export "run") (loop $a (loop $b (br $b)) (br $a)))'],
  [
    'a loop that takes what is on the stack',
    '(func (export "run") i32.const 1 (loop (param i32) drop i32.const 1 br 0))',
  ],
])('nothing runs on without fuel: %s', async (_, text) => {
  const module = await fuelled(text, 5000);
  expect(() => module.call('run')).toThrow(WebAssembly.RuntimeError);
  expect(module.left()).toBeLessThan(0);
});

const forms = `
  (import "env" "f" (func $f (param i32)))
  (tag $t (param i32)) (memory 1) (table $u 2 funcref) (elem (i32.const 0) $nothing) (elem $spare func $nothing)
  (data $d "abc") (global $g (mut i64) (i64.const -5)) (func $nothing)
  (func (export "run") (param $x i32) (result f64) (local $v v128) (local $r externref) (local $y f64)
    (block $out (result i32) (br_table $out 0 (i32.const 7) (i32.const 0)))
    (drop)
    (if (result i64) (local.get $x) (then (i64.const 0x7fffffffffffffff)) (else (global.get $g)))
    (global.set $g)
    (local.set $v (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (v128.const i64x2 1 2) (local.get $v)))
    (local.set $v (v128.load offset=16 align=4 (i32.const 0)))
    (local.set $v (v128.load8_lane 3 (i32.const 0) (local.get $v)))
    (drop (i8x16.extract_lane_s 3 (local.get $v)))
    (drop (i32.trunc_sat_f64_s (local.get $y)))
    (memory.copy (i32.const 0) (i32.const 8) (i32.const 4)) (memory.fill (i32.const 0) (i32.const 1) (i32.const 4))
    (memory.init $d (i32.const 0) (i32.const 0) (i32.const 2)) (data.drop $d)
    (table.set $u (i32.const 1) (ref.func $nothing)) (drop (table.grow $u (ref.null func) (i32.const 1)))
    (drop (ref.is_null (table.get $u (i32.const 0)))) (elem.drop $spare)
    (i64.store32 offset=300 (i32.const 0) (i64.const 1)) (drop (memory.grow (i32.const 1)))
    (drop (select (result externref) (local.get $r) (local.get $r) (i32.const 1)))
    (try (do (throw $t (i32.const 3))) (catch $t (drop)) (catch_all))
    (drop (f32.const 1.5)) (call $f (i32.const 1)) (f64.add (local.get $y) (f64.const 2.5)))`;

test('instructions of every form are walked over', async () => {
  const bytes = compileText(forms);
  const { bytes: paying, fuelName } = fuelModule(readModule(bytes), 1000);
  const { instance } = await WebAssembly.instantiate(paying, { env: { f: () => undefined } });
  expect((instance.exports['run'] as (x: number) => number)(1)).toBe(2.5);
  expect(Number((instance.exports[fuelName] as WebAssembly.Global<'i64'>).value)).toBeLessThan(1000);
});

test('a module that says fuel and start itself keeps its names', async () => {
  const text =
    '(global (export "fuel") i32 (i32.const 3)) (func $s (export "start")) (func $go (loop $l (br $l))) (start $go)';
  const { bytes, fuelName, startName } = fuelModule(readModule(compileText(text)), 100);
  const { instance } = await WebAssembly.instantiate(bytes);
  expect((instance.exports['fuel'] as WebAssembly.Global).value).toBe(3);
  expect(() => (instance.exports[startName ?? ''] as () => void)()).toThrow(WebAssembly.RuntimeError);
  expect(Number((instance.exports[fuelName] as WebAssembly.Global<'i64'>).value)).toBeLessThan(0);
});

/** What became of bytes that may be no module. */
function fateOf(bytes: Uint8Array<ArrayBuffer>): string {
  try {
    const paying = fuelModule(readModule(bytes), 1000).bytes;
    return WebAssembly.validate(paying) ? 'taken' : 'broken by the rewriting';
  } catch (error) {
    const isRefused = error instanceof ModuleFault || error instanceof WebAssembly.CompileError;
    return isRefused ? 'refused' : `another: ${String(error)}`;
  }
}

test('property: what the engine takes it takes afterwards, whatever is changed in it', () => {
  const whole = compileText(forms);
  const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
  const fates = new Set<string>();
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const bytes = whole.slice();
      for (const [at, byte] of changes) bytes[at] = byte;
      const fate = fateOf(bytes);
      fates.add(fate);
      expect(['taken', 'refused']).toContain(fate);
    }),
    { numRuns: 1000 },
  );
  expect(fates).toContain('taken');
});

test('a module cannot name the counter before it is there', () => {
  const two = compileText(
    '(global $own (mut i64) (i64.const 0)) (global $next (mut i64) (i64.const 0)) (func (export "run") (loop $l (global.set $next (i64.const 1000000)) (br $l)))',
  );
  const section = readModule(two).sections.find(({ id }) => id === 6);
  const { start = 0, end = 0 } = section ?? {};
  // with the first global alone: `global.set 1` means what comes behind it
  const one = Uint8Array.from([
    ...two.subarray(0, start),
    6,
    6,
    1,
    ...two.subarray(end - 5, end),
    ...two.subarray(end),
  ]);
  expect(readModule(one).globals).toBe(1);
  expect(() => fuelModule(readModule(one), 100)).toThrow(WebAssembly.CompileError);
});
