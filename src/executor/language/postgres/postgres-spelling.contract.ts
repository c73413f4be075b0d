/** The laws' programs in SQL for Postgres. */
import {
  hostileMs as timeoutMs,
  isFlood,
  isMemory,
  isRefused,
  isThrown,
  isTimeout,
  isTimeoutThatKills,
  isTooLarge,
} from '../../laws/ending.contract.ts';
import type { Hostile, Spelling } from '../../laws/spelling.contract.ts';

const block = (body: string): string => `DO $$ BEGIN ${body} END $$;`;
/** It asks for the time, which is when it can be asked to stop. */
const loop = block('LOOP PERFORM clock_timestamp(); END LOOP;');
const stuck = block('LOOP NULL; END LOOP;');
const counting = (end: string): string =>
  `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) ${end};`;

const hostile: readonly Hostile[] = [
  { name: 'a loop without end that looks at nothing', code: stuck, check: isTimeoutThatKills, timeoutMs },
  { name: 'a loop without end', code: loop, check: isTimeout, timeoutMs },
  { name: 'a sleep of a century', code: 'SELECT pg_sleep(3000000000);', check: isTimeout, timeoutMs },
  {
    name: 'a recursion without end, whose rows become files',
    code: counting('SELECT count(*) FROM c'),
    check: isThrown({ type: '53100' }),
    timeoutMs: 20_000,
  },
  { name: 'a text of half a gigabyte', code: "SELECT repeat('x', 500000000);", check: isMemory },
  {
    name: 'a table without end',
    code: 'CREATE TABLE t AS SELECT repeat(x::text, 100) AS y FROM generate_series(1, 1000000000) AS x;',
    check: isThrown({ type: '53100' }),
    timeoutMs: 20_000,
  },
  {
    name: 'a function that calls itself',
    code: 'CREATE FUNCTION f(x int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN f(x + 1); END $$;\nSELECT f(1);',
    check: isThrown({ type: '54001' }),
  },
  {
    name: 'a deep expression',
    code: `SELECT ${'('.repeat(20_000)}1${')'.repeat(20_000)};`,
    check: isRefused({ line: 1 }),
  },
  {
    name: 'prints without end',
    code: block("LOOP PERFORM print(repeat('y', 999)); END LOOP;"),
    check: isFlood,
  },
  { name: 'one print of 10 MB', code: "SELECT print(repeat('x', 10000000));", check: isFlood },
  { name: 'a value of 40 MB', code: "SELECT repeat('x', 40000000);", check: isTooLarge },
  {
    name: 'a program of the system',
    code: "CREATE TABLE t(x text);\nCOPY t FROM PROGRAM 'id';",
    check: isThrown({ line: 2 }),
  },
];

export const postgresSpelling: Spelling = {
  language: 'postgres',
  number: (value) => `SELECT ${value};`,
  say: (text) => `SELECT print('${text.replaceAll("'", "''")}');`,
  loop,
  stuck,
  longSum: 'SELECT sum(x) FROM generate_series(0, 99999) AS x;',

  variable: 'x',
  values: {
    testedIn:
      'postgres/guest/postgres-engine.test.ts › a table comes back as it went in, cells and parameters alike',
  },

  bothStreams: { testedIn: 'postgres/guest/postgres-engine.test.ts › what says something is heard' },
  byCharacter: { lacks: 'what is printed are lines' },
  submit: { lacks: 'a statement cannot end those that follow' },
  failing: { testedIn: 'postgres/guest/postgres-engine.test.ts › faults have their places' },
  exceptions: [
    ['SELECT * FROM nowhere;', '42P01', 'relation "nowhere" does not exist'],
    ['SELECT 1/0;', '22012', 'division by zero'],
    ["SELECT 'x'::int;", '22P02', 'invalid input syntax for type integer: "x"'],
  ],
  syntaxError: {
    code: "SELECT print('ran');\nSELECT * frm x;",
    column: 10,
    message: 'syntax error at or near "frm"',
  },
  denied: { lacks: 'nothing can be imported' },
  readFiles: { testedIn: 'postgres/guest/postgres-engine.test.ts › columns have one type each' },
  imports: { lacks: 'nothing can be imported' },
  faultyModules: { lacks: 'nothing can be imported' },
  awaiting: { lacks: 'there is nothing to wait for' },

  tools: { lacks: 'a statement cannot await, and the order of its calls is Postgres’ own' },
  environment: { lacks: 'SQL has no environment' },
  workingDirectory: { lacks: 'there are no files to find' },
  displays: { testedIn: 'postgres/guest/postgres-engine.test.ts › rows are shown beside the value' },
  namesEval: { lacks: 'there are no globals' },
  deniedParts: { lacks: 'there are no modules' },

  submitFields: { lacks: 'there is no SUBMIT' },
  packages: { lacks: 'there are no packages' },

  traces: {
    leave: 'CREATE TABLE t(x int);\nCREATE TEMP TABLE u(x int);\nSET my.mark = 7;',
    seen: [
      "SELECT count(*) + coalesce(current_setting('my.mark', true), '0')::int FROM pg_class WHERE relname IN ('t', 'u');",
      0,
    ],
  },
  keeping: {
    first: 'CREATE TABLE x(a int);\nINSERT INTO x VALUES (1), (2);',
    failing: 'INSERT INTO x VALUES (3);\nSELECT * FROM nowhere;',
    asked: ['SELECT a FROM x ORDER BY a;', [1, 2, 3]],
  },
  restoring: { lacks: 'what a lost interpreter had of tables is lost with it' },
  inOrder: [
    `CREATE TABLE l(x text);\nINSERT INTO l VALUES ('a');\nSELECT count(*) FROM generate_series(1, 300000);`,
    "INSERT INTO l VALUES ('b');",
    "INSERT INTO l VALUES ('c');\nSELECT x FROM l;",
  ],

  hostile,
  deletedFiles: { lacks: 'files are Postgres’ own' },
  flood: block("LOOP PERFORM print(repeat('y', 99)); END LOOP;"),
};
