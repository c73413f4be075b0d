/** Ways to take more time, memory or room than there is for a guest. Each is tried once; the same in small gets through. */
import type { Code, ExecutionOptions } from '../../executor.ts';
import type { Outcome } from '../../outcome.ts';
import type { EscapeAttempt, EscapeLanguage } from '../attempt.ts';
import { answers, ended, exceeds, pairInSession, pairOfRuns, throwsText } from '../beside.ts';
import { loadLibrary } from '../libraries.ts';
import { inModule } from './wasm-text.ts';

interface Hog {
  readonly id: string;
  readonly language: EscapeLanguage;
  readonly mechanism: string;
  readonly code: Code;
  readonly holds: (outcome: Outcome) => boolean;
  readonly allowed: Code;
  readonly shows?: (outcome: Outcome) => boolean;
  readonly options?: ExecutionOptions;
}

const words = 'the same in small came to its end';
const hog = ({ id, language, mechanism, shows = ended('returned'), ...pair }: Hog): EscapeAttempt =>
  pairOfRuns('hogs', { id, language, mechanism }, { ...pair, shows, words });
/** For one that leaves its interpreter usable. */
const mild = ({ id, language, mechanism, shows = ended('returned'), ...pair }: Hog): EscapeAttempt =>
  pairInSession('hogs', { id, language, mechanism }, { ...pair, shows, words });

const soon = { timeoutMs: 400 };
const isTime = exceeds('time');
const isMemory = exceeds('memory');
const isOutput = exceeds('output');
const isResult = exceeds('result');
const either =
  (...judges: readonly ((outcome: Outcome) => boolean)[]) =>
  (outcome: Outcome): boolean =>
    judges.some((judge) => judge(outcome));

const time: readonly EscapeAttempt[] = [
  mild({
    id: 'await-without-end',
    language: 'python',
    mechanism: 'a wait for what never comes, in which nothing is looked at',
    code: 'import asyncio\nawait asyncio.get_running_loop().create_future()',
    holds: isTime,
    allowed: 'import asyncio\nawait asyncio.sleep(0)',
    options: soon,
  }),
  mild({
    id: 'loop-swallowing',
    language: 'python',
    mechanism: 'a loop that swallows whatever would end it',
    code: 'while True:\n  try:\n    while True: pass\n  except BaseException: pass',
    holds: isTime,
    allowed: 'for i in range(1000):\n  try:\n    raise KeyboardInterrupt\n  except BaseException: pass',
    options: soon,
  }),
  mild({
    id: 'long-native-call',
    language: 'javascript',
    mechanism: 'one call of the interpreter that looks at nothing meanwhile',
    code: '("a".repeat(2e7)).indexOf("a".repeat(1e7) + "b")',
    holds: isTime,
    allowed: '("a".repeat(2e3)).indexOf("a".repeat(1e2) + "b")',
    options: soon,
  }),
  mild({
    id: 'pattern-without-end',
    language: 'javascript',
    mechanism: 'a pattern that tries everything',
    code: '/(a+)+$/.test("a".repeat(40) + "b")',
    holds: isTime,
    allowed: '/(a+)+$/.test("aab")',
    options: soon,
  }),
  mild({
    id: 'promises-without-end',
    language: 'javascript',
    mechanism: 'promises that make promises, so that no timer ever fires',
    code: 'const again = () => Promise.resolve().then(again)\nawait again()',
    holds: isTime,
    allowed: 'await Promise.resolve().then(() => 1)',
    options: soon,
  }),
  mild({
    id: 'getter-without-end',
    language: 'javascript',
    mechanism: 'a value whose reading never ends, after the code has',
    code: '({ get a() { for (;;); } })',
    holds: isTime,
    allowed: '({ get a() { return 1 } })',
    options: soon,
  }),
  mild({
    id: 'start-function-loop',
    language: 'wat',
    mechanism: 'a module that never finishes being made',
    code: '(module (func $s (loop $again (br $again))) (start $s))',
    holds: isTime,
    allowed: '(module (func $s) (start $s) (func (export "main") (result i32) (i32.const 1)))',
    options: { timeoutMs: 700 },
  }),
  mild({
    id: 'sleep-for-a-century',
    language: 'wat',
    mechanism: 'a sleep of WASI',
    code: inModule(
      ['poll_oneoff'],
      '(i64.store (i32.const 324) (i64.const 3000000000000000000)) (i32.store8 (i32.const 308) (i32.const 0)) (i32.store (i32.const 316) (i32.const 1)) (call $poll_oneoff (i32.const 300) (i32.const 400) (i32.const 1) (i32.const 500))',
    ),
    holds: isTime,
    allowed: inModule(
      ['poll_oneoff'],
      '(i64.store (i32.const 324) (i64.const 1000)) (i32.store8 (i32.const 308) (i32.const 0)) (i32.store (i32.const 316) (i32.const 1)) (call $poll_oneoff (i32.const 300) (i32.const 400) (i32.const 1) (i32.const 500))',
    ),
    options: { timeoutMs: 700 },
  }),
  mild({
    id: 'query-without-end',
    language: 'sql',
    mechanism: 'a query that calls itself',
    code: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n',
    holds: isTime,
    allowed: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9) SELECT count(*) FROM n',
    options: soon,
  }),
  mild({
    id: 'sql-long-function',
    language: 'sql',
    mechanism: 'one function of the database that looks at nothing meanwhile',
    code: "SELECT instr(hex(zeroblob(20000000)), hex(zeroblob(10000000)) || '1')",
    holds: isTime,
    allowed: "SELECT instr(hex(zeroblob(20)), hex(zeroblob(10)) || '1')",
    options: soon,
  }),
];

const memory: readonly EscapeAttempt[] = [
  mild({
    id: 'heap-python',
    language: 'python',
    mechanism: "more than the interpreter's heap at once",
    code: 'held = bytearray(300 * 2**20)',
    holds: either(isMemory, throwsText(/MemoryError/u)),
    allowed: 'len(bytearray(2**20))',
  }),
  hog({
    id: 'heap-javascript',
    language: 'javascript',
    mechanism: 'small objects until the capped memory is full',
    // most of it at once: some engines copy a memory whenever it grows
    code: 'x = [new Uint8Array(2e8)]\nwhile (true) x.push(new Array(20000).fill(0), new Uint8Array(4e6))',
    holds: isMemory,
    allowed: 'x = []\nwhile (x.length < 10) x.push(new Array(100).fill(0))\n1',
  }),
  mild({
    id: 'module-memory-growth',
    language: 'wat',
    mechanism: 'a memory that grows past its rewritten bound',
    code: inModule([], '(drop (memory.grow (i32.const 4095))) (memory.grow (i32.const 1))'),
    holds: answers(-1),
    allowed: inModule([], '(memory.grow (i32.const 1))'),
    shows: answers(1),
  }),
  mild({
    id: 'module-table-growth',
    language: 'wat',
    mechanism: 'a table that grows past its rewritten bound',
    code: inModule([], '(table.grow $t (ref.null func) (i32.const 90000000))', '(table $t 1 funcref)'),
    holds: answers(-1),
    allowed: inModule([], '(table.grow $t (ref.null func) (i32.const 1))', '(table $t 1 funcref)'),
    shows: answers(1),
  }),
  mild({
    id: 'module-memory-imported',
    language: 'wat',
    mechanism: 'a memory of four gigabytes that the module wants to be given',
    code: '(module (import "env" "memory" (memory 65536)))',
    holds: isMemory,
    allowed: '(module (import "env" "memory" (memory 1)))',
  }),
  mild({
    id: 'sql-zeros',
    language: 'sql',
    mechanism: 'a value of two billion zeros',
    code: 'SELECT length(hex(zeroblob(2000000000)))',
    holds: either(isMemory, throwsText(/too big|memory/u)),
    allowed: 'SELECT length(hex(zeroblob(20)))',
  }),
  mild({
    id: 'sql-format-width',
    language: 'sql',
    mechanism: 'a format that is a billion wide',
    code: "SELECT length(printf('%1000000000d', 1))",
    holds: either(isMemory, throwsText(/too big|memory/u)),
    allowed: "SELECT length(printf('%10d', 1))",
  }),
  mild({
    id: 'double-reading',
    language: 'javascript',
    mechanism: 'a value that is small when it is counted and large when it is read',
    code: 'let asked = 0;\n({ get a() { return asked++ ? "x".repeat(4e7) : "x" }, get b() { return this.a } })',
    holds: either(isResult, isMemory),
    allowed: 'let asked = 0;\n({ get a() { return asked++ ? "xx" : "x" }, get b() { return this.a } })',
  }),
];

/** Machine code that Python loads beside its own: nothing in it may have room that the interpreter's bound does not count. */
const library = (
  id: string,
  mechanism: string,
  own: Parameters<typeof loadLibrary>[0],
  count: number,
): EscapeAttempt =>
  mild({
    id,
    language: 'python',
    mechanism,
    code: `${loadLibrary(own)}library.grow(${count})`,
    holds: either(throwsText(/the library is not taken/u), answers(-1)),
    allowed: `${loadLibrary('sharedTable')}library.grow(1) > 0`,
    shows: answers(true),
  });
/** Every array of numbers says that it has seven elements, and nothing is found in any. */
const tampering = `
import importlib
js, loader = map(importlib.import_module, ("js", "pyodide_js"))
ffi = importlib.import_module("pyodide.ffi")
options = lambda **named: ffi.to_js(named, dict_converter=js.Object.fromEntries)
array = loader._module.HEAPU8.constructor.new(2)
arrays = js.Object.getPrototypeOf(js.Object.getPrototypeOf(array))
js.Object.defineProperty(arrays, "length", options(get=ffi.create_proxy(lambda: 7)))
`;
const making = (pages: number): string => `${loadLibrary('shownMemory')}
js, loader = map(importlib.import_module, ("js", "pyodide_js"))
ffi = importlib.import_module("pyodide.ffi")
options = lambda **named: ffi.to_js(named, dict_converter=js.Object.fromEntries)
memory = getattr(loader._module.LDSO.loadedLibsByName, path).exports.shown
memory.constructor.new(options(initial=${pages})).buffer.byteLength if ${pages} else memory.buffer.byteLength > 0`;
const machineCode: readonly EscapeAttempt[] = [
  library('library-own-memory', 'a library with a memory of its own', 'ownMemory', 24_000),
  library('library-own-table', 'a library with a table of its own', 'ownTable', 9_000_000),
  library(
    'library-own-objects',
    "a library whose values the engine's collector keeps",
    'ownObjects',
    100_000_000,
  ),
  library(
    'library-shared-table',
    "a library that makes the interpreter's own table larger",
    'sharedTable',
    9_000_000,
  ),
  hog({
    id: 'library-after-tampering',
    language: 'python',
    mechanism: 'a library with a memory of its own, read by methods that the guest has changed before',
    code: `${tampering}${loadLibrary('ownMemory')}library.grow(24_000)`,
    holds: either(throwsText(/the library is not taken/u), ended('lost')),
    allowed: `${tampering}array.length`,
    shows: answers(7),
  }),
  hog({
    id: 'memory-constructor',
    language: 'python',
    mechanism: "another memory, by the constructor of the interpreter's own",
    code: making(24_000),
    holds: throwsText(/is not made/u),
    allowed: making(0),
    shows: answers(true),
  }),
];

const output: readonly EscapeAttempt[] = [
  mild({
    id: 'print-flood',
    language: 'python',
    mechanism: 'text without end, the refusal swallowed',
    code: 'while True:\n  try: print("z" * 10000)\n  except BaseException: pass',
    holds: isOutput,
    allowed: 'print("z" * 100000)',
  }),
  mild({
    id: 'raw-descriptor-flood',
    language: 'python',
    mechanism: "bytes without end below the interpreter's own streams",
    code: 'import os\nwhile True: os.write(2, b"z" * 10000)',
    holds: either(isOutput, isTime),
    allowed: 'import os\nos.write(2, b"z" * 1000)',
    options: { timeoutMs: 1500 },
  }),
  mild({
    id: 'display-flood',
    language: 'python',
    mechanism: 'rich values without end',
    code: 'while True: display({"text/html": "x" * 1000}, raw=True)',
    holds: exceeds('display'),
    allowed: 'display({"text/html": "x" * 1000}, raw=True)\n1',
  }),
  mild({
    id: 'error-flood',
    language: 'python',
    mechanism: 'an error whose words and trace are of many megabytes',
    code: 'raise ValueError("x" * 40_000_000)',
    holds: (outcome) => outcome.type === 'threw' && JSON.stringify(outcome).length < 500_000,
    allowed: 'raise ValueError("plain")',
    shows: throwsText(/plain/u),
  }),
  mild({
    id: 'result-flood',
    language: 'javascript',
    mechanism: 'many large buffers in one value',
    code: 'Array.from({ length: 100 }, () => new Uint8Array(1_000_000))',
    holds: isResult,
    allowed: 'Array.from({ length: 2 }, () => new Uint8Array(1_000))',
  }),
  mild({
    id: 'wasi-vectors',
    language: 'wat',
    mechanism: 'one print of a billion parts',
    code: inModule(
      ['fd_write'],
      '(call $fd_write (i32.const 1) (i32.const 0) (i32.const 1000000000) (i32.const 8))',
    ),
    holds: answers(28),
    allowed: inModule(
      ['fd_write'],
      '(call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))',
    ),
    shows: answers(0),
  }),
];

/** Past the counting in the worker: the page counts once more. */
const unheld = pairOfRuns(
  'hogs',
  {
    id: 'output-past-harness',
    language: 'worker',
    mechanism: 'text beyond the bound by one whom no harness counts',
    scripts: {
      'output-past-harness':
        'for (let i = 0; i < 40; i += 1) guest.print("z".repeat(100_000))\nawait guest.sleep(1000)',
      'output-past-harness/less': 'guest.print("z".repeat(100_000))',
    },
  },
  {
    code: 'output-past-harness',
    holds: (outcome) => isOutput(outcome) && outcome.stdout.length <= 2 ** 20,
    allowed: 'output-past-harness/less',
    shows: (outcome) => outcome.stdout.length === 100_000,
    words: 'less was printed',
  },
);

export const hogAttempts: readonly EscapeAttempt[] = [...time, ...memory, ...machineCode, ...output, unheld];
