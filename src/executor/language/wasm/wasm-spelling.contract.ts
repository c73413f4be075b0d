/** The laws' programs in WebAssembly: each line is instructions in the text format, and {@link inModule} puts them into a module. */
import { expect } from 'vitest';
import {
  hostileMs as timeoutMs,
  isFlood,
  isMemory,
  isRefused,
  isSyntaxErrorOrFailed,
  isThrown,
  isTimeout,
  isTimeoutThatKills,
} from '../../laws/ending.contract.ts';
import type { Hostile, Spelling } from '../../laws/spelling.contract.ts';
import type { Outcome } from '../../outcome.ts';

const wasi = (name: string, parameters: string): string =>
  `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${parameters}) (result i32)))`;

const imports = [
  wasi('fd_write', 'i32 i32 i32 i32'),
  wasi('path_open', 'i32 i32 i32 i32 i32 i64 i64 i32 i32'),
  wasi('path_filestat_get', 'i32 i32 i32 i32 i32'),
  wasi('fd_filestat_set_size', 'i32 i64'),
  wasi('poll_oneoff', 'i32 i32 i32 i32'),
  '(import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (result i32)))',
].join(' ');

const functions = `(memory (export "memory") 1) (table $table 1 funcref)
  (func $print (param $stream i32) (param $length i32)
    (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (local.get $length))
    (drop (call $fd_write (local.get $stream) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $deep (call $deep) (call $deep))`.replaceAll('\n', ' ');

/** Instructions of any number of lines as a module; what is a module already stays one. */
export function inModule(code: string): string {
  if (code.trim() === '' || code.startsWith('(module') || code.length > 2 ** 20) return code;
  // in one line: the places of faults stay
  return `${imports} ${functions} (func (export "main") (result i64) (local $i i64) (local $sum i64) ${code}\n(i64.const 0))`;
}

/** Writes the text to where `$print` reads. */
function put(text: string): string {
  const bytes = [...new TextEncoder().encode(text)];
  return bytes.map((byte, index) => `(i32.store8 (i32.const ${100 + index}) (i32.const ${byte}))`).join(' ');
}

const print = (text: string, stream: number): string =>
  `${put(text)} (call $print (i32.const ${stream}) (i32.const ${new TextEncoder().encode(text).length}))`;
const say = (text: string): string => print(`${text}\n`, 1);
const repeat = (body: string): string => `(loop $again ${body} (br $again))`;
const count = (times: number, body: string): string =>
  `(loop $again ${body} (local.set $i (i64.add (local.get $i) (i64.const 1))) (br_if $again (i64.lt_u (local.get $i) (i64.const ${times}))))`;

const stuck = '(loop $stuck (br $stuck))';
const loop = repeat('(drop (call $sched_yield))');
/** Makes a file of one letter, and leaves its number at 16. */
const open = (name: string): string =>
  `${put(name)} (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 1) (i64.const 0xfffffff) (i64.const 0) (i32.const 0) (i32.const 16)))`;
const see = (name: string): string =>
  `${put(name)} (return (i64.extend_i32_u (call $path_filestat_get (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200))))`;
const [openFile, seeFile] = [open('f'), see('f')];
const stretch = (sizeBytes: number): string =>
  `(return (i64.extend_i32_u (call $fd_filestat_set_size (i32.load (i32.const 16)) (i64.const ${sizeBytes}))))`;
const noEntry = 44;
const noSpace = 51;

const returns =
  (value: number) =>
  (outcome: Outcome): void =>
    expect(outcome).toMatchObject({ type: 'returned', value });

const hostile: readonly Hostile[] = [
  { name: 'an endless loop', code: stuck, check: isTimeoutThatKills, timeoutMs },
  { name: 'an endless loop that can be asked', code: loop, check: isTimeout, timeoutMs },
  {
    name: 'a memory that grows for ever',
    code: repeat('(drop (memory.grow (i32.const 1)))'),
    check: isTimeoutThatKills,
    timeoutMs,
  },
  {
    name: 'a table that grows for ever',
    code: repeat('(drop (table.grow $table (ref.null func) (i32.const 1)))'),
    check: isTimeoutThatKills,
    timeoutMs,
  },
  {
    name: 'all memory at once, and one page more',
    code: '(drop (memory.grow (i32.const 4095))) (return (i64.extend_i32_s (memory.grow (i32.const 1))))',
    check: returns(-1),
  },
  { name: 'a module that starts with 4 GB', code: '(module (memory 65536))', check: isMemory },
  {
    name: 'a module that imports 4 GB',
    code: '(module (import "env" "memory" (memory 65536)))',
    check: isMemory,
  },
  { name: 'a module with a huge table', code: '(module (table 10000000 funcref))', check: isMemory },
  {
    name: 'deep recursion',
    code: '(call $deep)',
    check: isThrown({ type: 'WasmTrap', message: 'call stack exhausted' }),
  },
  {
    name: 'a flood of output',
    code: repeat(`(call $print (i32.const 1) (i32.const 1000))`),
    check: isFlood,
  },
  {
    name: 'a million prints of 100 bytes',
    code: count(1_000_000, `(call $print (i32.const 1) (i32.const 100))`),
    check: isFlood,
  },
  {
    name: 'one print of 200 MB',
    code: '(drop (memory.grow (i32.const 3200))) (call $print (i32.const 1) (i32.const 200000000))',
    check: isFlood,
  },
  {
    name: 'prints that swallow the refusal',
    code: repeat('(try (do (call $print (i32.const 1) (i32.const 1000))) (catch_all))'),
    check: isFlood,
    timeoutMs: 5000,
  },
  {
    name: 'a sleep of a century',
    code: '(i64.store (i32.const 324) (i64.const 3000000000000000000)) (i32.store8 (i32.const 308) (i32.const 0)) (i32.store (i32.const 316) (i32.const 1)) (drop (call $poll_oneoff (i32.const 300) (i32.const 400) (i32.const 1) (i32.const 500)))',
    check: isTimeout,
    timeoutMs,
  },
  { name: 'a file of a gigabyte', code: `${openFile} ${stretch(2 ** 30)}`, check: returns(noSpace) },
  {
    name: 'a call with pointers to nowhere',
    code: '(drop (call $fd_write (i32.const 1) (i32.const -4) (i32.const 1) (i32.const -4)))',
    check: isThrown({ type: 'WasmTrap', message: 'out of bounds memory access' }),
  },
  {
    name: 'a call with a billion parts',
    code: '(return (i64.extend_i32_u (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1000000000) (i32.const 8))))',
    check: returns(28),
  },
  {
    name: 'a hundred thousand nested blocks',
    code: `(module (func ${'(block '.repeat(100_000)}${')'.repeat(100_000)}))`,
    check: (outcome) => {
      if (outcome.type !== 'returned') isSyntaxErrorOrFailed(outcome);
    },
  },
  { name: 'a null byte', code: '(drop (i32.const 1))\n(drop (i32.const \0))', check: isRefused({ line: 2 }) },
];

export const wasmSpelling: Spelling = {
  language: 'wat',
  number: (value) => `(return (i64.const ${value}))`,
  say,
  loop,
  stuck,
  longSum: `${count(100_000, '(local.set $sum (i64.add (local.get $sum) (local.get $i)))')} (return (local.get $sum))`,

  variable: 'stdin',
  values: {
    testedIn: 'wasm/guest/wasm-engine.test.ts › an exported function is called with numbers of its own types',
  },

  bothStreams: `${print('out\n', 1)} ${print('err\n', 2)}`,
  byCharacter: `(i32.store8 (i32.const 100) (i32.const 97)) ${count(
    10_000,
    '(i32.store8 (i32.const 100) (i32.const 97)) (call $print (i32.const 1) (i32.const 1)) (i32.store8 (i32.const 100) (i32.const 98)) (call $print (i32.const 2) (i32.const 1))',
  )}`,
  submit: { lacks: 'a module has no functions but those of WASI' },
  failing: { testedIn: 'wasm/guest/wasm-engine.test.ts › a trap shows the frames of the module alone' },
  exceptions: [
    ['unreachable', 'WasmTrap', 'unreachable'],
    ['(drop (i32.div_u (i32.const 1) (i32.const 0)))', 'WasmTrap', 'integer divide by zero'],
    ['(drop (i32.load (i32.const -1)))', 'WasmTrap', 'out of bounds memory access'],
    ['(call_indirect $table (i32.const 9))', 'WasmTrap', 'out of bounds table access'],
  ],
  syntaxError: { code: `${say('ran')}\n  (bad)`, column: 4, message: /unexpected token/u },
  denied: { lacks: 'a module imports WASI, or nothing' },
  readFiles: {
    testedIn: 'wasm/guest/wasm-engine.test.ts › files are read, and what is outside is not there',
  },
  imports: { lacks: 'a module is one file' },
  faultyModules: { lacks: 'a module is one file' },
  awaiting: { lacks: 'WASI does not await' },

  tools: { lacks: 'a module calls by numbers in its own memory: there is no call that a tool could be' },
  environment: {
    testedIn: 'wasm/guest/wasm-engine.test.ts › standard input, arguments and environment arrive',
  },
  workingDirectory: {
    testedIn: 'wasm/guest/wasm-engine.test.ts › "." is the folder that the run starts in',
  },
  displays: { lacks: 'a module has numbers and bytes, and nothing that could be shown' },
  namesEval: { lacks: 'a module has no globals of a host' },
  deniedParts: { lacks: 'there are no modules but the one that runs' },

  submitFields: { lacks: 'there is no SUBMIT' },
  packages: { lacks: 'there are no packages' },

  traces: { leave: openFile, seen: [seeFile, noEntry] },
  keeping: { first: openFile, failing: 'unreachable', asked: [seeFile, 0] },
  restoring: { leave: open('x'), asked: [see('x'), 0], lost: ['module'] },
  inOrder: { lacks: 'a module ends with numbers' },

  hostile,
  deletedFiles: {
    testedIn: 'wasm/guest/wasm-engine.test.ts › files have a bound, also those that are stretched',
  },
  flood: repeat('(call $print (i32.const 1) (i32.const 2))'),
};
