import { beforeAll, expect, test } from 'vitest';
import type { GivenRun } from '../../../guest/run-test-scene.ts';
import type { GuestValue } from '../../../guest-value.ts';
import type { RunResult } from '../../../sandbox/run-result.ts';
import { openEngine } from './engine-test-scene.ts';
import type { OpenEngine, Ran } from './engine-test-scene.ts';
import { createTextCompiler } from './text-compiler.ts';

let compileText: (text: string) => Uint8Array;
beforeAll(async () => {
  compileText = await createTextCompiler();
});

const open = (memoryBytes?: number): OpenEngine =>
  openEngine({ compileText, ...(memoryBytes === undefined ? {} : { memoryBytes }) });

const value = (code: string, given?: GivenRun): unknown => {
  const { result } = open().run(code, given);
  if (result.type !== 'returned') throw new Error(JSON.stringify(result));
  return result.value;
};
const error = (code: string, given?: GivenRun): unknown => {
  const { result } = open().run(code, given);
  return result.type === 'threw' ? `${result.error.type}: ${result.error.message}` : JSON.stringify(result);
};

const add = `(func (export "add") (param i32 i64 f64) (result f64)
  (f64.add (f64.convert_i32_s (local.get 0)) (f64.add (f64.convert_i64_s (local.get 1)) (local.get 2))))`;
const call = (name: string, ...given: readonly GuestValue[]): GivenRun => ({
  variables: { call: name, arguments: given },
});

test('an exported function is called with numbers of its own types', () => {
  expect(value(add, call('add', 1, 2n, 0.5))).toBe(3.5);
  expect(value(add, call('add', 4294967295, -1, -0))).toBe(-2);
  expect(value('(func (export "main") (result i64) (i64.const -1))')).toBe(-1);
  expect(value('(func (export "main") (result i64) (i64.const 0x7fffffffffffffff))')).toBe(2n ** 63n - 1n);
  expect(value('(func (export "main") (result f64) (f64.const nan))')).toBe(NaN);
  expect(value('(func (export "main") (result f64) (f64.const -0))')).toBe(-0);
  expect(value('(func (export "main") (result f32 i32) (f32.const inf) (i32.const 1))')).toEqual([
    Infinity,
    1,
  ]);
  expect(value('(func (export "main"))')).toBe(null);
  expect(value('(memory 1)')).toBe(null);
});

const seedRefused = 'TypeError: the variable seed must be a whole number from 0 to 4294967295';

test.each<[string, GivenRun]>([
  ['TypeError: add expects 3 arguments (i32, i64, f64), found 2', call('add', 1, 2n)],
  ['TypeError: argument 0 of add expects i32, found 1.5', call('add', 1.5, 2n, 1)],
  ['TypeError: argument 0 of add expects i32, found 4294967296', call('add', 2 ** 32, 2n, 1)],
  ['TypeError: argument 1 of add expects i64, found 18446744073709551616', call('add', 1, 2n ** 64n, 1)],
  ['TypeError: argument 2 of add expects f64, found string', call('add', 1, 1, 'x')],
  ['ReferenceError: the module exports no function "sub"', call('sub')],
  ['TypeError: the variable call must be the name of an exported function', { variables: { call: 1 } }],
  ['TypeError: the variable arguments must be a list', { variables: { arguments: 1 } }],
  ['TypeError: the variable stdin must be text or bytes', { variables: { stdin: 1 } }],
  [seedRefused, { variables: { seed: 'x' } }],
  [seedRefused, { variables: { seed: 1.5 } }],
  [seedRefused, { variables: { seed: -1 } }],
  [seedRefused, { variables: { seed: 2 ** 32 + 7 } }],
  ['TypeError: the variable fuel must be a whole number, 0 or more', { variables: { fuel: -1 } }],
  ['ReferenceError: the module exports no global "g"', { outputs: ['g'] }],
])('a call that cannot be made is %s', (message, given) => {
  expect(error(add, given)).toBe(message);
});

test.each([
  ['unreachable', 'unreachable'],
  ['(drop (i32.div_s (i32.const 1) (i32.const 0)))', 'integer divide by zero'],
  ['(drop (i32.rem_u (i32.const 1) (i32.const 0)))', 'integer divide by zero'],
  ['(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))', 'integer overflow'],
  ['(drop (i32.trunc_f64_s (f64.const nan)))', 'invalid conversion to integer'],
  ['(drop (i32.load (i32.const 65536)))', 'out of bounds memory access'],
  ['(call_indirect (i32.const 5))', 'out of bounds table access'],
  ['(call_indirect (i32.const 0))', 'indirect call type mismatch'],
  ['(call $main)', 'call stack exhausted'],
])('%s is the trap "%s"', (code, kind) => {
  const text = `(memory 1) (table 1 funcref) (func $main (export "main") ${code})`;
  expect(error(text)).toBe(`WasmTrap: ${kind}`);
});

test('a trap shows the frames of the module alone', () => {
  const { result } = open().run('(func $inner unreachable) (func $outer (export "main") (call $inner))');
  expect(result).toMatchObject({ type: 'threw' });
  const { traceback } = (result as Extract<RunResult, { type: 'threw' }>).error;
  expect(traceback).toMatch(
    /^WasmTrap: unreachable\n {4}at inner \(wasm-function\[0\]:0x[\da-f]+\)\n {4}at outer \(wasm-function\[1\]:0x[\da-f]+\)$/u,
  );
});

const wasi = (name: string, ...parameters: readonly string[]): string =>
  `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${parameters.join(' ')}) (result i32)))`;

const imports = [
  wasi('fd_write', 'i32', 'i32', 'i32', 'i32'),
  wasi('fd_read', 'i32', 'i32', 'i32', 'i32'),
  wasi('clock_time_get', 'i32', 'i64', 'i32'),
  wasi('random_get', 'i32', 'i32'),
  wasi('poll_oneoff', 'i32', 'i32', 'i32', 'i32'),
  wasi('path_open', 'i32', 'i32', 'i32', 'i32', 'i32', 'i64', 'i64', 'i32', 'i32'),
  wasi('path_filestat_get', 'i32', 'i32', 'i32', 'i32', 'i32'),
  wasi('args_get', 'i32', 'i32'),
  wasi('environ_get', 'i32', 'i32'),
  wasi('fd_filestat_set_size', 'i32', 'i64'),
  wasi('path_unlink_file', 'i32', 'i32', 'i32'),
  wasi('path_link', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'),
  wasi('path_rename', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'),
  wasi('path_create_directory', 'i32', 'i32', 'i32'),
  wasi('path_remove_directory', 'i32', 'i32', 'i32'),
  wasi('fd_close', 'i32'),
  wasi('fd_filestat_get', 'i32', 'i32'),
  '(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))',
].join('\n');

const start = (body: string): string =>
  `${imports} (memory (export "memory") 1) (func (export "_start") ${body})`;
/** Writes the text at 100. */
const put = (text: string): string =>
  [...new TextEncoder().encode(text)]
    .map((byte, index) => `(i32.store8 (i32.const ${100 + index}) (i32.const ${byte}))`)
    .join(' ');
const print = (text: string, stream = 1): string =>
  `${put(text)} (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const ${new TextEncoder().encode(text).length})) (drop (call $fd_write (i32.const ${stream}) (i32.const 0) (i32.const 1) (i32.const 8)))`;

test('a command prints on both streams, and its status is its value', () => {
  const ran = open().run(start(`${print('é out\n')} ${print('err', 2)}`));
  expect(ran).toMatchObject({ stdout: 'é out\n', stderr: 'err', result: { type: 'returned', value: 0 } });
  expect(error(start('(call $proc_exit (i32.const 3))'))).toBe('SystemExit: 3');
  expect(value(start('(call $proc_exit (i32.const 0))'))).toBe(0);
});

test('a module that ends itself with 0 ends in order, wherever it does', () => {
  const leaving = `${imports} (memory (export "memory") 1) (global (export "g") (mut i32) (i32.const 5))
    (func $leave ${print('bye')} (call $proc_exit (i32.const 0)))`;
  const done = { type: 'returned', value: 0 };
  const { run } = open();
  const named = `${leaving} (func (export "stop") (result i32) (call $leave) (i32.const 7))
    (func (export "fail") (call $proc_exit (i32.const 4)))`;
  const ran = run(named, { ...call('stop'), outputs: ['g'] });
  expect(ran).toMatchObject({ stdout: 'bye', result: { ...done, variables: { g: 5 } } });
  expect(run('', call('stop')).result).toMatchObject(done);
  expect(run('', call('fail')).result).toMatchObject({ type: 'threw', error: { type: 'SystemExit' } });
  expect(value(`${leaving} (func (export "main") (call $leave))`)).toBe(0);
  const early = [
    '(export "_initialize" (func $leave))',
    '(func $quiet (call $proc_exit (i32.const 0))) (start $quiet)',
  ];
  for (const given of [{}, { variables: { fuel: 1000 } }]) {
    for (const leave of early) {
      const code = `${leaving} ${leave} (func (export "main") unreachable)`;
      expect(open().run(code, given).result).toMatchObject(done);
    }
  }
  const status = `${imports} (func $three (call $proc_exit (i32.const 3))) (start $three)`;
  expect(error(status)).toBe('SystemExit: 3');
  expect(error(`${leaving} (export "_initialize" (func $leave))`, { outputs: ['g'] })).toBe(
    'ReferenceError: the module ended itself before it had started',
  );
});

/** Prints these bytes, each list in a write of its own. */
const printBytes = (stream: number, ...writes: readonly (readonly number[])[]): string =>
  writes
    .map((bytes) => {
      const stores = bytes.map((byte, at) => `(i32.store8 (i32.const ${100 + at}) (i32.const ${byte}))`);
      return `${stores.join(' ')} (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const ${bytes.length}))
        (drop (call $fd_write (i32.const ${stream}) (i32.const 0) (i32.const 1) (i32.const 8)))`;
    })
    .join(' ');

test('a character may come in several writes, on both streams at once; one that is not ended is marked', () => {
  const { run } = open();
  const halves = [
    printBytes(1, [0x61, 0xf0, 0x9f]),
    printBytes(2, [0xc3]),
    printBytes(1, [0x98], [0x80]),
    printBytes(2, [0xa9]),
  ].join(' ');
  expect(run(start(halves))).toMatchObject({ stdout: 'a😀', stderr: 'é' });
  const cut = printBytes(1, [0x61, 0xe2, 0x82]);
  expect(run(start(cut)).stdout).toBe('a\uFFFD');
  // the next run begins anew, and any end is one
  expect(run(start(printBytes(1, [0xac]))).stdout).toBe('\uFFFD');
  expect(run(start(`${cut} unreachable`)).stdout).toBe('a\uFFFD');
  expect(run(start(`${cut} (call $proc_exit (i32.const 0))`)).stdout).toBe('a\uFFFD');
  expect(run(start(printBytes(2, [0x61, 0xc3]))).stderr).toBe('a\uFFFD');
  // nothing more comes where the budget has cut
  expect(run(start(printBytes(1, [0x61, 0xc3, 0xa9])), { outputBytes: 2 }).stdout).toBe('a');
  expect(run(start(printBytes(1, [0xef, 0xbb, 0xbf, 0x61]))).stdout).toBe('\uFEFFa');
});

test('standard input, arguments and environment arrive', () => {
  const echo = start(`(i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 50))
    (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))`);
  expect(open().run(echo, { variables: { stdin: 'ü in' } }).stdout).toBe('ü in');
  const both =
    start(`(drop (call $args_get (i32.const 20) (i32.const 100))) (drop (call $environ_get (i32.const 40) (i32.const 120)))
    (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 30))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))`);
  const given = { variables: { arguments: ['one', 2] }, environment: { HOME: '/sandbox' } };
  expect(open().run(both, given).stdout.replaceAll('\0', '|')).toMatch(/^module\|one\|2\|\|+HOME=\/sand/u);
});

test('the environment stays in a session, and there is no other way to it', () => {
  const show = start(`(drop (call $environ_get (i32.const 40) (i32.const 100)))
    (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 20))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))`);
  const { run, engine } = open();
  const shown = (given?: GivenRun): string => run(show, given).stdout.replaceAll('\0', '|');
  expect(shown({ environment: { A: 'é', B: '1' } })).toMatch(/^A=é\|B=1\|\|/u);
  expect(shown({ environment: { C: '2' } })).toMatch(/^A=é\|B=1\|C=2\|\|/u);
  expect(shown({ variables: { environment: { A: 'own' } } })).toMatch(/^A=é\|B=1\|C=2\|\|/u);
  engine.renew();
  expect(shown()).toMatch(/^\|+$/u);
});

test('"." is the folder that the run starts in, which is made and stays', () => {
  const { run } = open();
  // 4 is ".", 3 is "/sandbox"
  const see = (path: string, folder: number): string =>
    `${imports} (memory (export "memory") 1) (func (export "main") (result i32) ${put(path)}
      (call $path_filestat_get (i32.const ${folder}) (i32.const 0) (i32.const 100) (i32.const ${path.length}) (i32.const 300)))`;
  const files = { 'a/b/x': '1' };
  const seen = (path: string, folder: number, given?: GivenRun): unknown =>
    (run(see(path, folder), given).result as { readonly value?: unknown }).value;
  expect(seen('x', 4, { files, workingDirectory: 'a/b' })).toBe(0);
  expect(seen('x', 4)).toBe(0);
  expect(seen('x', 3)).toBe(44);
  expect(seen('new/folder', 3, { workingDirectory: 'new/folder' })).toBe(0);
  expect(run(see('x', 4), { workingDirectory: 'a/b/x' }).result).toMatchObject({ type: 'threw' });
});

test('more than may be printed is cut, and told', () => {
  const loop = start(`(loop $again ${print('x'.repeat(60))} (br $again))`);
  const ran = open().run(loop, { outputBytes: 1000 });
  expect(ran.stdout).toHaveLength(1000);
  expect(ran).toMatchObject({ hasExceeded: true, result: { type: 'exceeded', limit: 'output' } });
});

test('time and chance repeat when they are asked to', () => {
  const code = `${imports} (memory (export "memory") 1) (func (export "main") (result i64 i64 i64)
    (drop (call $random_get (i32.const 100) (i32.const 8)))
    (drop (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 108)))
    (i32.store8 (i32.const 8) (i32.const 0)) (i64.store (i32.const 24) (i64.const 60000000000))
    (drop (call $poll_oneoff (i32.const 0) (i32.const 200) (i32.const 1) (i32.const 300)))
    (drop (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 116)))
    (i64.load (i32.const 100)) (i64.load (i32.const 108)) (i64.load (i32.const 116)))`;
  const variables = { seed: 7, timeMs: 1000 };
  const [chance, before, after] = value(code, { variables }) as readonly [unknown, number, number];
  expect(value(code, { variables })).toEqual([chance, before, after]);
  expect(before).toBe(1_000_001_000);
  expect(after - before).toBe(60_000_001_000);
  expect((value(code, { variables: { seed: 8, timeMs: 1000 } }) as readonly unknown[])[0]).not.toBe(chance);
});

/** Opens the path at 100 for writing, creating it, and leaves its number at 16. */
const openFile = (length: number, folder = '(i32.const 3)'): string =>
  `(drop (call $path_open ${folder} (i32.const 0) (i32.const 100) (i32.const ${length}) (i32.const 1) (i64.const 0xfffffff) (i64.const 0) (i32.const 0) (i32.const 16)))`;

test('files are read, and what is outside is not there', () => {
  const read = (path: string): Ran =>
    open().run(
      start(`${put(path)}
      (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const ${path.length}) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
      (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 50))
      (if (call $fd_read (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $proc_exit (i32.const 9))))
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))`),
      { files: { 'data/a.csv': 'x,é' } },
    );
  expect(read('data/a.csv').stdout).toBe('x,é');
  for (const path of ['../data/a.csv', '/data/a.csv', 'data/../../etc', 'no'])
    expect(read(path).stdout).toBe('');
});

test('files have a bound, also those that are stretched, or deleted while they are open', () => {
  const sizes = `${imports} (memory (export "memory") 1) (func (export "main") (result i32 i32)
    ${put('big')} ${openFile(3)}
    (call $fd_filestat_set_size (i32.load (i32.const 16)) (i64.const 90000))
    (call $fd_filestat_set_size (i32.load (i32.const 16)) (i64.const 0x7fffffffffff)))`;
  const noSpace = 51;
  expect(value(sizes)).toEqual([0, noSpace]);
  const deleted = `${imports} (memory (export "memory") 1) (func (export "main") (result i32 i32 i32)
    ${put('big')} ${[1, 2, 3].map(() => `${openFile(3)} (drop (call $path_unlink_file (i32.const 3) (i32.const 100) (i32.const 3))) (call $fd_filestat_set_size (i32.load (i32.const 16)) (i64.const 40000))`).join(' ')})`;
  expect(value(deleted)).toEqual([0, 0, noSpace]);
  const many = `${imports} (memory (export "memory") 1) (func (export "main") (result i32) (local $made i32)
    ${put('a')}
    (loop $again
      (i32.store (i32.const 100) (i32.add (i32.const 0x41414141) (local.get $made)))
      (if (i32.eqz (call $path_open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 4) (i32.const 9) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 16)))
        (then (local.set $made (i32.add (local.get $made) (i32.const 1))) (br $again))))
    (local.get $made))`;
  expect(value(many)).toBeLessThan(200);
});

/** Answers what each of the calls answers. */
const answers = (...calls: readonly string[]): unknown =>
  value(
    `${imports} (memory (export "memory") 1) (func (export "main") (result ${calls.map(() => 'i32').join(' ')}) ${calls.join(' ')})`,
  );
const noSpace = 51;
const invalidArgument = 28;
const resize = (sizeBytes: number): string =>
  `(call $fd_filestat_set_size (i32.load (i32.const 16)) (i64.const ${sizeBytes}))`;
const rename = (from: number, to: number, folder = '(i32.const 3)'): string =>
  `(call $path_rename (i32.const 3) (i32.const 100) (i32.const ${from}) ${folder} (i32.const ${100 + from}) (i32.const ${to}))`;

test('a file counts while it is moved, so that nothing is free meanwhile', () => {
  // the name is so long that there is no room for it: that is found out while the file has none
  expect(
    answers(`${put('a')} ${openFile(1)} ${resize(98_000)}`, rename(1, 4000), resize(98_001), resize(190_000)),
  ).toEqual([0, noSpace, 0, noSpace]);
});

test('what is in a folder counts while the folder is moved', () => {
  expect(
    answers(
      `${put('d')} (call $path_create_directory (i32.const 3) (i32.const 100) (i32.const 1))`,
      `${put('d/f')} ${openFile(3)} ${resize(60_000)}`,
      `(drop (call $fd_filestat_set_size (i32.load (i32.const 16)) (i64.const 90000))) ${put('de')} ${rename(1, 1)}`,
      `${put('g')} ${openFile(1)} ${resize(50_000)}`,
    ),
  ).toEqual([0, 0, 0, noSpace]);
});

/** Opens the folder of one letter at 100 and leaves its number at 20. */
const openFolder = `(drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 2) (i64.const 0xfffffff) (i64.const 0) (i32.const 0) (i32.const 20)))`;

test('what is in a removed folder counts while the folder is open', () => {
  expect(
    answers(
      `${put('d')} (call $path_create_directory (i32.const 3) (i32.const 100) (i32.const 1))`,
      `${openFolder} (call $path_remove_directory (i32.const 3) (i32.const 100) (i32.const 1))`,
      `${openFile(1, '(i32.load (i32.const 20))')} ${resize(60_000)}`,
      `(call $fd_close (i32.load (i32.const 16)))`,
      `${openFile(1)} ${resize(60_000)}`,
    ),
  ).toEqual([0, 0, 0, 0, noSpace]);
});

test('a folder does not become a part of itself', () => {
  expect(
    answers(
      `${put('dx')} (call $path_create_directory (i32.const 3) (i32.const 100) (i32.const 1))`,
      `${openFolder} ${rename(1, 1, '(i32.load (i32.const 20))')}`,
    ),
  ).toEqual([0, invalidArgument]);
});

test('each name of a file counts', () => {
  const many = `${imports} (memory (export "memory") 1) (func (export "main") (result i32) (local $made i32)
    ${put('aaaa')} ${openFile(4)} ${put('aaaabbbb')}
    (loop $again
      (i32.store (i32.const 104) (i32.add (i32.const 0x41414141) (local.get $made)))
      (if (i32.and (i32.lt_u (local.get $made) (i32.const 10000)) (i32.eqz (call $path_link (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 4) (i32.const 3) (i32.const 104) (i32.const 4))))
        (then (local.set $made (i32.add (local.get $made) (i32.const 1))) (br $again))))
    (local.get $made))`;
  const made = value(many);
  expect(made).toBeGreaterThan(100);
  expect(made).toBeLessThan(2000);
});

test('the number of a file tells nothing of the guests before', () => {
  const code = `${imports} (memory (export "memory") 1) (func (export "main") (result i64)
    ${put('a')} ${openFile(1)} (drop (call $fd_filestat_get (i32.load (i32.const 16)) (i32.const 200))) (i64.load (i32.const 208)))`;
  const { run, engine } = open();
  const first = run(code).result;
  expect(first).toMatchObject({ type: 'returned' });
  engine.renew();
  run(code, { files: { 'x/y/z': '', w: '' } });
  engine.renew();
  expect(run(code).result).toEqual(first);
  expect(open().run(code).result).toEqual(first);
});

test('calls that would cost more than the guest has are refused', () => {
  const body = (call: string): string =>
    `${imports} (memory (export "memory") 1) (func (export "main") (result i32) ${call})`;
  const invalid = 28;
  const nameTooLong = 37;
  expect(value(body('(call $fd_write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 8))'))).toBe(
    invalid,
  );
  expect(
    value(
      body(
        '(call $path_filestat_get (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 60000) (i32.const 8))',
      ),
    ),
  ).toBe(nameTooLong);
  expect(error(body('(call $random_get (i32.const 65530) (i32.const 100))'))).toBe(
    'WasmTrap: out of bounds memory access',
  );
  expect(error(body('(call $fd_write (i32.const 1) (i32.const -8) (i32.const 1) (i32.const 8))'))).toBe(
    'WasmTrap: out of bounds memory access',
  );
});

test('what a module starts with counts against the memory, before anything is made', () => {
  const { run } = open(4 * 65_536);
  expect(run('(memory 5)').result).toEqual({ type: 'exceeded', limit: 'memory' });
  expect(run('(import "env" "memory" (memory 5))').result).toEqual({ type: 'exceeded', limit: 'memory' });
  expect(run('(table 10000000 funcref)').result).toEqual({ type: 'exceeded', limit: 'memory' });
  expect(run('(memory 4)').result).toMatchObject({ type: 'returned' });
});

test.each([
  '(memory (export "memory") 1)',
  '(memory (export "memory") 1 65536)',
  '(import "env" "memory" (memory 1))',
  '(import "env" "memory" (memory 1 65536))',
])('%s grows to the cap and not beyond', (memory) => {
  const code = `${memory} (func (export "main") (result i32 i32 i32)
    (memory.grow (i32.const 3)) (memory.grow (i32.const 1)) (memory.size))`;
  expect(open(4 * 65_536).run(code).result).toMatchObject({ value: [1, -1, 4] });
});

test('a session calls into the module that it has', () => {
  const { run, engine } = open();
  const code = `${imports} (memory (export "memory") 1) (global $n (export "n") (mut i64) (i64.const 5))
    (func (export "next") (result i64) (global.set $n (i64.add (global.get $n) (i64.const 1))) (global.get $n))
    (func (export "say") ${print('again')})`;
  expect(run(code).result).toMatchObject({ value: null });
  expect(run('', call('next')).result).toMatchObject({ value: 6 });
  expect(run('', { ...call('next'), outputs: ['n'] }).result).toMatchObject({
    value: 7,
    variables: { n: 7 },
  });
  expect(run('', call('say')).stdout).toBe('again');
  engine.renew();
  expect(run('', call('next')).result).toMatchObject({ type: 'threw', error: { type: 'ReferenceError' } });
});

test.each([
  '(import "env" "constructor" (func (param externref) (result externref)))',
  '(import "wasi_snapshot_preview1" "valueOf" (func (result externref)))',
  '(import "env" "memory" (memory 1)) (import "env" "toString" (func (result externref)))',
])('a name that objects inherit is not given: %s', (text) => {
  expect(error(`${text} (func (export "main"))`)).toMatch(/^LinkError: /u);
});

test('nothing is behind the prototype of what is given', () => {
  const text =
    '(import "env" "__proto__" (global externref)) (func (export "main") (result externref) (global.get 0))';
  expect(open().run(text).result).toMatchObject({ type: 'returned', value: null });
});

test('what is imported and not given is told', () => {
  expect(error('(import "env" "f" (func)) (func (export "main"))')).toMatch(/^LinkError: .*"?env"?/u);
  expect(open().run('(import "env" "t" (table 1 funcref))').result).toMatchObject({ type: 'syntax-error' });
});

test('code that is none has its place where there is one', () => {
  expect(open().run('(module)\n (func (bad))').result).toMatchObject({
    type: 'syntax-error',
    line: 2,
    column: 2,
  });
  expect(open().run(new TextEncoder().encode('nothing')).result).toMatchObject({
    type: 'syntax-error',
    line: null,
  });
  const wrong = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 1, 0, 99, 0]);
  expect(open().run(wrong).result).toMatchObject({ type: 'syntax-error' });
});

const endless = '(func $go (loop $l (br $l)))';

test('what a module may do is bounded by fuel, in a session for each run anew', () => {
  const { run } = open();
  const code = `${endless} (func (export "one") (result i32) (i32.const 1)) (func (export "go") (call $go))`;
  const one = run(code, { variables: { call: 'one', fuel: 10 }, outputs: ['fuel'] });
  expect(one.result).toMatchObject({ type: 'returned', value: 1, variables: { fuel: 8 } });
  const out = { type: 'exceeded', limit: 'fuel', allowed: 100 };
  expect(run('', { variables: { call: 'go', fuel: 100 } }).result).toEqual(out);
  expect(run('', { variables: { call: 'one', fuel: 10 } }).result).toMatchObject({ value: 1 });
  expect(run('', { variables: { call: 'one' } }).result).toMatchObject({ value: 1 });
  expect(run(code, { variables: { call: 'one' } }).result).toMatchObject({ value: 1 });
  const late = run('', { variables: { call: 'one', fuel: 10 } }).result;
  expect(late).toMatchObject({ error: { message: 'the module counts no fuel: it was loaded without any' } });
});

test('what a module does while it is instantiated is paid, too', () => {
  const { result } = open().run(`${endless} (start $go)`, { variables: { fuel: 1000 } });
  expect(result).toEqual({ type: 'exceeded', limit: 'fuel', allowed: 1000 });
});

test('a module cannot catch the end of its fuel', () => {
  const code = `${endless} (func (export "main") (try (do (call $go)) (catch_all (loop $l (br $l)))))`;
  expect(open().run(code, { variables: { fuel: 1000 } }).result).toMatchObject({ limit: 'fuel' });
});

test('the output `fuel` is what is left, whatever the module exports by that name', () => {
  const forged = `(global (export "fuel") i64 (i64.const 999)) (global (export "fuel_") i64 (i64.const 998))
    (func (export "main") (result i32) (i32.const 1))`;
  const { run } = open();
  const counted = run(forged, { variables: { fuel: 10 }, outputs: ['fuel', 'fuel_'] });
  expect(counted.result).toMatchObject({ value: 1, variables: { fuel: 8, fuel_: 998 } });
  expect(run('', { variables: { fuel: 20 }, outputs: ['fuel'] }).result).toMatchObject({
    variables: { fuel: 18 },
  });
  // a function by that name hides it no better
  const hidden = '(func (export "fuel")) (func (export "main"))';
  expect(run(hidden, { variables: { fuel: 10 }, outputs: ['fuel'] }).result).toMatchObject({
    variables: { fuel: 9 },
  });
  expect(run(forged, { outputs: ['fuel'] }).result).toMatchObject({
    type: 'threw',
    error: { message: 'the module counts no fuel: it was loaded without any' },
  });
});
