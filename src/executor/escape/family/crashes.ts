/** Input that breaks interpreters and readers. Whatever it does to its own, everybody else goes on. */
import type { Outcome } from '../../outcome.ts';
import type { EscapeAttempt, EscapeLanguage } from '../attempt.ts';
import { answers, crashing, ended, exceeds, pairInSession, throwsText } from '../beside.ts';
import type { BesidePlan } from '../beside.ts';
import { inModule } from './wasm-text.ts';

const plan = (id: string, language: EscapeLanguage, mechanism: string): BesidePlan => ({
  id,
  language,
  mechanism,
});
/** It dies, or says that it was ended. */
const endsBadly = ended('lost', 'threw', 'failed', 'exceeded', 'syntax-error');

const python: readonly EscapeAttempt[] = [
  crashing(
    plan('deep-json', 'python', 'text nested so deep that the reader has no stack left'),
    'import json\njson.loads("[" * 100000)',
    endsBadly,
  ),
  crashing(
    plan('deep-attribute', 'python', 'an attribute that looks for itself'),
    'class A:\n  def __getattr__(self, name): return getattr(self, name + "x")\nA().a',
    endsBadly,
  ),
  crashing(
    plan('deep-code', 'python', 'code nested so deep that the compiler has no stack left'),
    'eval("-" * 100000 + "1")',
    endsBadly,
  ),
  crashing(plan('exit-runtime', 'python', 'the runtime is told to end'), 'import os\nos._exit(3)'),
  crashing(plan('abort-runtime', 'python', 'the runtime is told to abort'), 'import os\nos.abort()'),
  crashing(
    plan('memory-scribble', 'python', "bytes written over the interpreter's own heap"),
    'import importlib\nctypes = importlib.import_module("ctypes")\nfor at in range(65536, 30 * 2**20, 65536): ctypes.memset(at, 255, 8192)\nobject()',
    endsBadly,
  ),
  crashing(
    plan('bad-bytecode', 'python', 'bytecode that no compiler makes'),
    'def f(): return 1\nf.__code__ = f.__code__.replace(co_code=bytes(range(1, 255)) * 2, co_stacksize=1)\nf()',
    endsBadly,
  ),
  crashing(
    plan('forged-object', 'python', 'a number taken for the address of an object'),
    'import importlib\nctypes = importlib.import_module("ctypes")\nctypes.cast(12345, ctypes.py_object).value.x',
    endsBadly,
  ),
  crashing(
    plan('own-signal', 'python', 'a signal to its own process'),
    'import os, signal\nos.kill(os.getpid(), signal.SIGABRT)\nsignal.raise_signal(signal.SIGABRT)',
    endsBadly,
  ),
];

const javascript: readonly EscapeAttempt[] = [
  crashing(
    plan('memory-in-a-job', 'javascript', 'memory that ends in a job of the interpreter'),
    'await Promise.resolve().then(() => { const held = []; for (;;) held.push(new Uint8Array(1e6).fill(1), [held.length]) })',
    endsBadly,
  ),
  crashing(
    plan('collector-lists', 'javascript', 'cycles and finalizers at the moment when memory ends'),
    'const registry = new FinalizationRegistry(() => {})\nlet held = null\nfor (;;) { const next = { held }; next.self = next; registry.register(next, 1); held = { next, weak: new WeakRef(next) } }',
    endsBadly,
  ),
  crashing(
    plan('deep-proxies', 'javascript', 'proxies around proxies'),
    'let x = {}\nfor (let i = 0; i < 100000; i++) x = new Proxy(x, {})\nx.a',
    endsBadly,
  ),
  crashing(
    plan('deep-getters', 'javascript', 'a getter that reads itself'),
    'const x = {}\nObject.defineProperty(x, "a", { get() { return this.a } })\nx.a',
    endsBadly,
  ),
  crashing(
    plan('sort-inside-sort', 'javascript', 'a native call that calls itself through its callback'),
    '[1, 2].sort(function f() { return [1, 2].sort(f) })',
    endsBadly,
  ),
  crashing(
    plan('lying-error', 'javascript', 'an error whose own fields throw, or never end'),
    'class E extends Error { get message() { throw 1 } get stack() { throw 2 } get name() { throw new Proxy({}, { get() { throw 3 } }) } }\nthrow new E()',
    endsBadly,
  ),
  crashing(
    plan('deep-source', 'javascript', 'source nested deeper than its reader'),
    `${'('.repeat(100_000)}${')'.repeat(100_000)}`,
    endsBadly,
  ),
];

const typescript: readonly EscapeAttempt[] = [
  crashing(
    plan('types-without-end', 'typescript', 'types nested deeper than what takes them off'),
    `type T = ${'Array<'.repeat(20_000)}1${'>'.repeat(20_000)}\n1`,
    ended('lost', 'threw', 'failed', 'syntax-error', 'returned'),
  ),
  pairInSession(
    'crashes',
    plan('types-hiding-code', 'typescript', 'code that only the taking off of types lays bare'),
    {
      code: 'const x = 1 as any as ("fetch") ;\n/* </script> */ type A = { b: "`${(globalThis as any).stolen = 1}`" };\ndeclare const stolen: number\ntypeof (globalThis as any).stolen',
      holds: answers('undefined'),
      allowed: '(globalThis as any).kept = 1;\ntypeof (globalThis as any).kept',
      shows: answers('number'),
      words: 'code that stands bare was run',
    },
  ),
];

const refusedForm = ended('syntax-error', 'threw');
const module = (
  id: string,
  mechanism: string,
  code: string,
  holds: (outcome: Outcome) => boolean = refusedForm,
): EscapeAttempt =>
  pairInSession('crashes', plan(id, 'wat', mechanism), {
    code,
    holds,
    allowed: inModule(['sched_yield'], '(call $sched_yield)'),
    shows: answers(0),
    words: 'a plain module was run',
  });

const wasm: readonly EscapeAttempt[] = [
  module(
    'module-foreign-import',
    'a module that wants functions of the page',
    '(module (import "env" "fetch" (func $f (param i32))) (import "js" "eval" (func (param i32))) (func (export "main") (call $f (i32.const 0))))',
    throwsText(/LinkError/u),
  ),
  module(
    'module-inherited-import',
    'a module that wants functions by the names that every object inherits',
    '(module (import "env" "constructor" (func $c (param externref) (result externref))) (import "wasi_snapshot_preview1" "valueOf" (func (result externref))) (func (export "main") (result externref) (call $c (ref.null extern))))',
    throwsText(/LinkError/u),
  ),
  module(
    'module-reference-import',
    'a module that wants the prototype of its imports as a reference',
    '(module (import "env" "__proto__" (global externref)) (func (export "main") (result externref) (global.get 0)))',
    (outcome) => answers(null)(outcome) || throwsText(/LinkError/u)(outcome),
  ),
  module(
    'module-table-import',
    'a module that wants a table of functions',
    '(module (import "env" "table" (table 1 funcref)))',
  ),
  module(
    'module-two-memories',
    'a second memory, which no bound was written for',
    '(module (memory 1) (memory 1))',
  ),
  module(
    'module-swapped-memory',
    'an export called as the memory is, and is something else',
    '(module (import "wasi_snapshot_preview1" "random_get" (func $r (param i32 i32) (result i32))) (table (export "memory") 1 funcref) (func (export "main") (result i32) (call $r (i32.const 0) (i32.const 8))))',
    endsBadly,
  ),
  module(
    'module-returned-reference',
    'a function of the host that the module gives back',
    '(module (import "wasi_snapshot_preview1" "sched_yield" (func $f (result i32))) (elem declare func $f) (func (export "main") (result funcref) (ref.func $f)))',
    throwsText(/reference cannot leave/u),
  ),
  module(
    'module-pointers-outside',
    'pointers of WASI to outside of the memory',
    inModule(['random_get'], '(call $random_get (i32.const -4) (i32.const 100000))'),
    throwsText(/bounds|range|negative/iu),
  ),
  module(
    'module-wrong-signature',
    'a function called through a table as what it is not',
    '(module (type $t (func (param f64) (result i32))) (table 1 funcref) (func $f (result i32) (i32.const 1)) (elem (i32.const 0) $f) (func (export "main") (result i32) (call_indirect (type $t) (f64.const 1) (i32.const 0))))',
    throwsText(/WasmTrap/u),
  ),
  module(
    'module-exception',
    'an exception that no module catches, through all of the host',
    '(module (tag $e (param i32)) (func (export "main") (throw $e (i32.const 1))))',
    throwsText(/WasmException/u),
  ),
];

/** Bytes: magic and version, then what is wrong. */
const binary = (...bytes: readonly number[]): Uint8Array =>
  new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...bytes]);
const smallest = binary(
  1,
  4,
  1,
  0x60,
  0,
  0,
  3,
  2,
  1,
  0,
  7,
  8,
  1,
  4,
  0x6d,
  0x61,
  0x69,
  0x6e,
  0,
  0,
  10,
  4,
  1,
  2,
  0,
  0x0b,
);
const bytes = (id: string, mechanism: string, code: Uint8Array): EscapeAttempt =>
  pairInSession('crashes', plan(id, 'wasm', mechanism), {
    code,
    holds: (outcome) => refusedForm(outcome) || exceeds('memory')(outcome),
    allowed: smallest,
    shows: ended('returned'),
    words: 'the smallest module was run',
  });

const binaries: readonly EscapeAttempt[] = [
  bytes('binary-lying-section', 'a section that says it is longer than the module', binary(1, 0x7f, 1)),
  bytes(
    'binary-long-number',
    'a number of the binary format without end',
    binary(5, 10, 1, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0),
  ),
  bytes(
    'binary-hidden-memory',
    'a memory behind the end of its section, for whoever reads on',
    binary(5, 6, 1, 0, 1, 0, 0x80, 0x80),
  ),
  bytes('binary-shared-memory', 'a memory that is shared between threads', binary(5, 4, 1, 3, 1, 2)),
  bytes('binary-64-bit-memory', 'a memory addressed with 64 bits', binary(5, 3, 1, 4, 1)),
  bytes(
    'binary-collected-type',
    'a type whose values live outside the memory',
    binary(1, 4, 1, 0x5f, 1, 0x7f),
  ),
  bytes(
    'binary-two-memory-sections',
    'the same section again, after the one that was read',
    binary(5, 3, 1, 0, 1, 5, 3, 1, 0, 1),
  ),
];

const sql = (
  id: string,
  mechanism: string,
  code: string,
  holds: (outcome: Outcome) => boolean,
): EscapeAttempt =>
  pairInSession('crashes', plan(id, 'sql', mechanism), {
    code,
    holds,
    allowed: "ATTACH ':memory:' AS other; CREATE TABLE other.t (a); DETACH other; SELECT 1 AS a",
    shows: ended('returned'),
    words: 'a database in memory was attached',
  });
const refuses = ended('threw', 'syntax-error');

const statements: readonly EscapeAttempt[] = [
  sql('sql-attach-file', 'a database in a file', "ATTACH 'file:stolen.db' AS f", refuses),
  sql(
    'sql-attach-storage',
    "a database in the page's storage, by the name of what keeps it",
    "ATTACH 'file:stolen?vfs=opfs' AS f; ATTACH 'file:local?vfs=kvvfs' AS g",
    refuses,
  ),
  sql(
    'sql-vacuum-into',
    'a copy of the database into a file',
    "CREATE TABLE a (b); VACUUM INTO 'stolen.db'",
    refuses,
  ),
  sql(
    'sql-load-extension',
    'a library that is loaded into the database',
    "SELECT load_extension('http://127.0.0.1/x')",
    refuses,
  ),
  sql(
    'sql-file-functions',
    'functions of the shell that read and write files',
    "SELECT writefile('x', 'y'), readfile('/etc/passwd')",
    refuses,
  ),
  sql(
    'sql-writable-schema',
    'the schema as a table that can be written',
    "PRAGMA writable_schema = ON; CREATE TABLE v (b); UPDATE sqlite_schema SET sql = 'CREATE TABLE v(' WHERE name = 'v'; SELECT * FROM v",
    refuses,
  ),
  sql(
    'sql-temporary-folder',
    'a folder for temporary files outside the memory',
    "PRAGMA temp_store_directory = '/'; PRAGMA temp_store = 1; CREATE TEMP TABLE q (a)",
    refuses,
  ),
  sql(
    'sql-hidden-statement',
    'a denied statement behind quotes and comments that a careless reader takes for text',
    "SELECT 'a'';' /* ; */ AS b -- ;\n; ATTACH /* ':memory:' */ 'stolen.db' AS [x;y]",
    refuses,
  ),
  sql(
    'sql-pointer',
    'a pointer into the memory, handed over as a value',
    "SELECT fts3_tokenizer('simple', x'4141414141414141')",
    refuses,
  ),
  sql(
    'sql-deep-expression',
    'an expression nested deeper than its reader',
    `SELECT ${'('.repeat(20_000)}1${')'.repeat(20_000)}`,
    refuses,
  ),
  sql(
    'sql-deep-json',
    'a value nested deeper than its reader',
    `SELECT json('${'['.repeat(100_000)}')`,
    refuses,
  ),
];

export const crashAttempts: readonly EscapeAttempt[] = [
  ...python,
  ...javascript,
  ...typescript,
  ...wasm,
  ...binaries,
  ...statements,
];
