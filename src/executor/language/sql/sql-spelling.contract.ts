/** The laws' programs in SQL. */
import { expect } from 'vitest';
import {
  hostileMs as timeoutMs,
  isFlood,
  isMemory,
  isThrown,
  isTimeout,
  isTimeoutThatKills,
  isTooLarge,
} from '../../laws/ending.contract.ts';
import type { Hostile, Spelling } from '../../laws/spelling.contract.ts';

const counting = (end: string): string =>
  `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) ${end};`;
const loop = counting('SELECT count(*) FROM c');
/** One search, which looks at nothing meanwhile. */
const stuck = "SELECT instr(printf('%.*c', 4000000, 'a'), printf('%.*c', 2000000, 'a') || 'b');";

const hostile: readonly Hostile[] = [
  { name: 'a recursion without end', code: loop, check: isTimeout, timeoutMs },
  { name: 'one long search', code: stuck, check: isTimeoutThatKills, timeoutMs },
  {
    name: 'a join of everything with everything',
    code: 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 1000) SELECT count(*) FROM c a, c b, c d, c e;',
    check: isTimeout,
    timeoutMs,
  },
  { name: 'a blob of a gigabyte', code: 'SELECT zeroblob(1000000000);', check: isMemory },
  {
    name: 'a table of random blobs without end',
    code: `CREATE TABLE t(x);\nINSERT INTO t ${counting('SELECT randomblob(1000000) FROM c')}`,
    check: isMemory,
    timeoutMs: 15_000,
  },
  {
    name: 'a sort of random blobs without end',
    code: counting('SELECT count(*) FROM (SELECT randomblob(1000000) AS b FROM c ORDER BY b)'),
    check: isMemory,
    timeoutMs: 15_000,
  },
  {
    name: 'a trigger that fires itself',
    code: 'CREATE TABLE t(x); PRAGMA recursive_triggers = 1;\nCREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO t VALUES (new.x + 1); END;\nINSERT INTO t VALUES (1);',
    check: isThrown({ type: 'SQLITE_ERROR', line: 3 }),
  },
  {
    name: 'a deep expression',
    code: `SELECT ${'('.repeat(5000)}1${')'.repeat(5000)};`,
    check: (outcome) => expect(outcome.type).toMatch(/^(threw|syntax-error|exceeded)$/u),
  },
  {
    name: 'prints without end',
    code: counting("SELECT print(printf('%.*c', 999, 'y')) FROM c"),
    check: isFlood,
  },
  { name: 'one print of 100 MB', code: "SELECT print(printf('%.*c', 100000000, 'x'));", check: isFlood },
  { name: 'rows without end', code: counting('SELECT x FROM c'), check: isTooLarge },
  { name: 'a value of 40 MB', code: 'SELECT zeroblob(40000000);', check: isTooLarge },
  {
    name: 'a file attached',
    code: "ATTACH '/tmp/x.db' AS a;",
    check: isThrown({ type: 'SQLITE_AUTH', message: 'not authorized' }),
  },
  {
    name: 'a file attached by a computed name',
    code: "ATTACH 'file:' || '/tmp/x?vfs=memdb' AS a;",
    check: isThrown({ type: 'SQLITE_AUTH' }),
  },
  { name: 'a copy into a file', code: "VACUUM INTO '/tmp/x';", check: isThrown({ type: 'SQLITE_AUTH' }) },
  { name: 'temporary files', code: 'PRAGMA temp_store = 1;', check: isThrown({ type: 'SQLITE_AUTH' }) },
  {
    name: 'an extension loaded',
    code: "SELECT load_extension('x');",
    check: isThrown({ type: 'SQLITE_ERROR', message: 'no such function: load_extension' }),
  },
  {
    name: 'a command of the shell',
    code: '.load x',
    check: (outcome) => expect(outcome).toMatchObject({ type: 'syntax-error', line: 1, column: 1 }),
  },
  {
    name: 'a schema written over',
    code: "PRAGMA writable_schema = 1;\nUPDATE sqlite_schema SET sql = 'x';\nSELECT 1;",
    check: (outcome) => expect(outcome.type).toMatch(/^(threw|returned)$/u),
  },
];

export const sqlSpelling: Spelling = {
  language: 'sql',
  number: (value) => `SELECT ${value};`,
  say: (text) => `SELECT print('${text.replaceAll("'", "''")}');`,
  loop,
  stuck,
  longSum:
    'WITH RECURSIVE c(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM c WHERE x < 99999) SELECT sum(x) FROM c;',

  variable: 'x',
  values: {
    testedIn: 'sql/guest/sql-engine.test.ts › a table comes back as it went in, cells and parameters alike',
  },

  bothStreams: { lacks: 'there is one stream' },
  byCharacter: { lacks: 'there is one stream' },
  submit: { lacks: 'a statement cannot end those that follow' },
  failing: { lacks: 'there are no functions to fail in' },
  exceptions: [
    ['SELECT * FROM nowhere;', 'SQLITE_ERROR', 'no such table: nowhere'],
    ['SELECT :missing;', 'TypeError', 'the parameter :missing has no variable of its name'],
    [
      'CREATE TEMP TABLE IF NOT EXISTS u(x UNIQUE);\nINSERT INTO u VALUES (1), (1);',
      'SQLITE_CONSTRAINT_UNIQUE',
      'UNIQUE constraint failed: u.x',
    ],
    ["SELECT json('{');", 'SQLITE_ERROR', 'malformed JSON'],
  ],
  syntaxError: {
    code: "SELECT print('ran');\nSELECT * frm x;",
    column: 10,
    message: 'near "frm": syntax error',
  },
  denied: { lacks: 'nothing can be imported' },
  readFiles: {
    testedIn: 'sql/guest/sql-engine.test.ts › comma-separated text becomes a table',
  },
  imports: { lacks: 'nothing can be imported' },
  faultyModules: { lacks: 'nothing can be imported' },
  awaiting: { lacks: 'there is nothing to wait for' },

  tools: { lacks: 'a statement cannot await, and the order of its calls is SQLite’s own' },
  environment: { lacks: 'SQL has no environment' },
  workingDirectory: { lacks: 'there are no files to find' },
  displays: { testedIn: 'sql/guest/sql-engine.test.ts › rows are shown beside the value' },
  namesEval: { lacks: 'there are no globals' },
  deniedParts: { lacks: 'there are no modules' },

  submitFields: { lacks: 'there is no SUBMIT' },
  packages: { lacks: 'there are no packages' },

  traces: {
    leave: 'CREATE TABLE t(x);\nCREATE TEMP TABLE u(x);\nPRAGMA user_version = 7;',
    seen: [
      'SELECT (SELECT count(*) FROM sqlite_schema) + (SELECT count(*) FROM sqlite_temp_schema) + (SELECT user_version FROM pragma_user_version);',
      0,
    ],
  },
  keeping: {
    first: 'CREATE TABLE x(a);\nINSERT INTO x VALUES (1), (2);',
    failing: 'INSERT INTO x VALUES (3);\nSELECT * FROM nowhere;',
    asked: ['SELECT a FROM x ORDER BY a;', [1, 2, 3]],
  },
  restoring: {
    leave:
      "CREATE TABLE x(a);\nINSERT INTO x VALUES (1), ('b');\nPRAGMA user_version = 7;\nCREATE TEMP TABLE gone(a);",
    asked: ['SELECT a FROM x UNION ALL SELECT user_version FROM pragma_user_version;', [1, 'b', 7]],
    lost: ['gone'],
  },
  inOrder: [
    `CREATE TABLE l(x);\nINSERT INTO l VALUES ('a');\nWITH RECURSIVE c(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM c WHERE x < 1000000) SELECT sum(x) FROM c;`,
    "INSERT INTO l VALUES ('b');",
    "INSERT INTO l VALUES ('c');\nSELECT x FROM l;",
  ],

  hostile,
  deletedFiles: { lacks: 'there are no files to write' },
  flood: counting('SELECT print(1) FROM c'),
};
