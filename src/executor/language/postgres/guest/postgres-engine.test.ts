import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, test, vi } from 'vitest';
import { deafOutput, engineRun, resultBounds } from '../../../guest/run-test-scene.ts';
import type { GivenRun } from '../../../guest/run-test-scene.ts';
import type { GuestValue } from '../../../guest-value.ts';
import { parseRunResult } from '../../../sandbox/run-result.ts';
import type { RunResult } from '../../../sandbox/run-result.ts';
import { buildTemplate } from '../../../../../wasm/postgres/build-template.mjs';
import { PostgresEngine } from './postgres-engine.ts';
import { cutStatements } from './statements.ts';
import { openTemplate } from './template.ts';

const tight = { displays: 0, displayBytes: 100_000, outputBytes: 1000 };
const mebibyte = 2 ** 20;
const startMs = 60_000;
vi.setConfig({ testTimeout: startMs });

let engine: PostgresEngine;
let kept: ArrayBuffer[] = [];
let losses = 0;
const shown: Record<string, string>[] = [];
const printed = { stdout: '', stderr: '' };
const bufferOf = ({ buffer, byteOffset, length }: Buffer): ArrayBuffer =>
  buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer;

/** The build's, where there is one. */
async function templateBytes(): Promise<ArrayBuffer> {
  const built = resolve(import.meta.dirname, '../../../../../public/sandbox/postgres/template.bin');
  return bufferOf(existsSync(built) ? readFileSync(built) : Buffer.from(await buildTemplate()));
}

beforeAll(async () => {
  const { resolve: find } = createRequire(import.meta.url);
  engine = await PostgresEngine.create({
    engine: new WebAssembly.Module(readFileSync(find('@electric-sql/pglite/pglite.wasm'))),
    bundle: bufferOf(readFileSync(find('@electric-sql/pglite/pglite.data'))),
    template: await openTemplate(await templateBytes()),
    memoryBytes: 256 * mebibyte,
    fileBytes: 24 * mebibyte,
    interrupt: undefined,
    output: {
      ...deafOutput,
      writeRaw: (stream, bytes) => {
        printed[stream] += new TextDecoder().decode(bytes);
      },
      keep: (bytes) => kept.push(bytes.slice().buffer as ArrayBuffer) - 1,
      loseState: () => {
        losses += 1;
      },
      display: (bundle) => shown.push(JSON.parse(String(bundle)) as Record<string, string>) > 0,
    },
  });
}, startMs);

async function run(code: string, given: GivenRun = {}): Promise<RunResult> {
  kept = [];
  printed.stdout = printed.stderr = '';
  return parseRunResult(await engine.run(engineRun(code, { ...tight, ...given })), kept, resultBounds);
}

async function rows(code: string, given?: GivenRun): Promise<unknown> {
  const result = await run(code, given);
  if (result.type !== 'returned') throw new Error(JSON.stringify(result));
  return (result.value as { rows?: unknown } | null)?.rows ?? null;
}
async function error(code: string, given?: GivenRun): Promise<string> {
  const result = await run(code, given);
  return result.type === 'threw' ? `${result.error.type}: ${result.error.message}` : JSON.stringify(result);
}

test('cells keep their types; what JavaScript has no kind for comes as Postgres writes it', async () => {
  expect(
    await rows(
      "SELECT 1, 1.5::float8, 'é😀', '\\x00ff'::bytea, NULL, 9007199254740993, '-Infinity'::float8, true, 12345678901234567890123, 0.1, 2::smallint",
    ),
  ).toEqual([
    [
      1,
      1.5,
      'é😀',
      new Uint8Array([0, 255]),
      null,
      2n ** 53n + 1n,
      -Infinity,
      true,
      12345678901234567890123n,
      0.1,
      2,
    ],
  ]);
  expect(await rows("SELECT '{1,2}'::int[], '{\"a\": 1}'::jsonb, '2020-01-02'::date")).toEqual([
    ['{1,2}', '{"a": 1}', '2020-01-02'],
  ]);
  expect(await run('SELECT 1 AS a, 2 AS a')).toMatchObject({
    value: { columns: ['a', 'a'], rows: [[1, 2]] },
  });
  expect(await run('CREATE TEMP TABLE nothing(x int)')).toMatchObject({ value: null });
  expect(await run('')).toMatchObject({ value: null });
  expect(await run('SELECT 1 AS a WHERE false; -- nothing else')).toMatchObject({
    value: { columns: ['a'], rows: [] },
  });
});

const cell: fc.Arbitrary<GuestValue> = fc.oneof(
  fc.constant(null),
  fc.maxSafeInteger(),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 80n }),
);
const text: fc.Arbitrary<GuestValue> = fc.string({ unit: 'grapheme' }).filter((it) => !it.includes('\0'));

test('a table comes back as it went in, cells and parameters alike', async () => {
  const row = fc.tuple(cell, text, fc.uint8Array(), fc.boolean(), fc.double());
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 5 }), async (table) => {
      const columns = ['a', 'odd "name', 'c', 'd', 'e'];
      const [p, q, r, s, u] = table[0] as (typeof table)[0];
      const variables = { t: { columns, rows: table }, p, q, r, s, u };
      const result = await run('SELECT * FROM t', { variables, outputs: ['t'] });
      expect(result).toMatchObject({ value: { columns, rows: table }, variables: { t: { rows: table } } });
      expect(await rows('SELECT :p, :q, :r, :s, :u', { variables })).toEqual([
        [p === null ? null : p, q, r, s, u],
      ]);
    }),
    { numRuns: 10 },
  );
});

test('columns have one type each, the narrowest that takes what is in them', async () => {
  const t = [
    { a: true, b: 1, c: 1.5, d: 2n ** 70n, e: new Date(0) },
    { b: 0.5, c: 2n ** 70n },
  ];
  expect(
    await rows(
      "SELECT string_agg(data_type, ', ' ORDER BY ordinal_position) FROM information_schema.columns WHERE table_name = 't'",
      { variables: { t } },
    ),
  ).toEqual([['boolean, double precision, numeric, numeric, timestamp with time zone']]);
  expect(await rows('SELECT a, b, e FROM t')).toEqual([
    [true, 1, '1970-01-01 00:00:00+00'],
    [null, 0.5, null],
  ]);
  expect(await error('SELECT 1', { variables: { t: [{ a: 1 }, { a: 'x' }] } })).toBe(
    'TypeError: t: the column a has values of several types: bigint, text',
  );
  expect(await error('SELECT 1', { variables: { t: [{ a: '\0' }] } })).toMatch(/code 0/u);
  expect(await error('SELECT 1', { variables: { t: [{ a: [1] }] } })).toMatch(/t\[0\]\.a is neither null/u);
  expect(await rows('SELECT sum(a) FROM n', { files: { 'data/n.csv': 'a\n1\n2' } })).toEqual([[3]]);
  const ids = 'id,long\r9223372036854775807,9223372036854775808\r-9223372036854775808,9223372036854775809\r';
  expect(
    await rows('SELECT pg_typeof(id)::text, id, pg_typeof(long)::text, long FROM n', {
      files: { 'n.csv': ids },
    }),
  ).toEqual([
    ['bigint', 2n ** 63n - 1n, 'text', '9223372036854775808'],
    ['bigint', -(2n ** 63n), 'text', '9223372036854775809'],
  ]);
});

test('parameters stand where values may; what else begins with a colon stays what it is', async () => {
  const variables = { a: 2, least: 1.5, word: "it's", day: new Date(0) };
  expect(
    await rows(
      "SELECT :a::text, (ARRAY[1,2,3])[1:2], substr(:word, :a), ':a', $$:a$$ /* :a /* :a */ */, 3 > :least, now() > :day -- :a",
      { variables },
    ),
  ).toEqual([['2', '{1,2}', "t's", ':a', ':a', true, true]]);
  expect(await rows('SELECT 1 LIMIT :a', { variables })).toEqual([[1]]);
  expect(await run('SELECT 1,\n  :missing', { variables })).toMatchObject({
    type: 'syntax-error',
    line: 2,
    column: 3,
    message: 'syntax error at or near ":"',
  });
});

test('faults have their places, also behind other letters, parameters and statements', async () => {
  const variables = { long_name: 1 };
  expect(
    await run("SELECT 'é😀', :long_name;\n  SELECT 'ü😀', :long_name, frm x y z;", { variables }),
  ).toMatchObject({
    type: 'syntax-error',
    line: 2,
    column: 35,
    message: 'syntax error at or near "y"',
  });
  expect(await run("SELECT 1;\nSELECT 'a")).toMatchObject({ type: 'syntax-error', line: 2, column: 8 });
  expect(await run('SELECT \0')).toMatchObject({ type: 'syntax-error', line: 1, column: 8 });
  const failed = await run('SELECT 1;\n-- here\nSELECT :long_name,\n  nope FROM pg_class', { variables });
  expect(failed).toMatchObject({ type: 'threw', error: { type: '42703', line: 4 } });
  expect(failed).toMatchObject({
    error: { traceback: expect.stringContaining('at line 4, column 3') as string },
  });
});

test('what says something is heard: print on one stream, notices on the other, copies as rows', async () => {
  await run(
    "SELECT print('a'), print(2);\nDO $$ BEGIN RAISE NOTICE 'n'; END $$;\nCOPY (SELECT 1, 'b') TO STDOUT;",
  );
  expect(printed).toEqual({ stdout: 'a\n2\n1\tb\n', stderr: 'NOTICE:  n\n' });
  expect(await run("SELECT print(repeat('x', 5000))")).toEqual({ type: 'exceeded', limit: 'output' });
  expect(printed.stdout.length).toBeGreaterThanOrEqual(1000);
  expect(await rows('SELECT 1')).toEqual([[1]]);
});

test('a transaction goes on from run to run, whatever is read in it, and a failed one waits for its end', async () => {
  await run('CREATE TABLE kept(a int); BEGIN; INSERT INTO kept VALUES (1)');
  expect(await run('SELECT * frm x')).toMatchObject({ type: 'syntax-error' });
  expect(await rows('SELECT a FROM kept; COMMIT; SELECT a FROM kept')).toEqual([[1]]);
  await run('BEGIN; SELECT 1/0');
  expect(await error('SELECT 1')).toMatch(/^25P02: current transaction is aborted/u);
  expect(await run('SELECT frm x y z')).toMatchObject({ type: 'syntax-error' });
  expect(await rows('ROLLBACK; SELECT 1')).toEqual([[1]]);
  expect(await error('COPY kept FROM STDIN')).toMatch(/^57014: COPY from stdin failed/u);
});

test('rows are shown beside the value', async () => {
  shown.length = 0;
  await run("SELECT '<b>' AS a, true AS b", { displays: 1 });
  expect(shown[0]).toMatchObject({ 'text/plain': 'a | b\n<b> | true' });
});

test('bounds end a run, and the database goes on', async () => {
  expect(await run("SELECT repeat('x', 2000000)")).toEqual({ type: 'exceeded', limit: 'result' });
  expect(await run('SELECT x FROM generate_series(1, 200000) AS x')).toEqual({
    type: 'exceeded',
    limit: 'result',
  });
  expect(await run("SELECT repeat('x', 400000000)")).toEqual({ type: 'exceeded', limit: 'memory' });
  const asking = 'DO $$ BEGIN LOOP PERFORM clock_timestamp(); END LOOP; END $$';
  expect(await run(asking, { timeoutMs: 200 })).toEqual({ type: 'exceeded', limit: 'time' });
  expect(
    await error(
      'CREATE FUNCTION deep(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN deep($1); END $$; SELECT deep(1)',
    ),
  ).toBe('54001: stack depth limit exceeded');
  expect(await rows('SELECT a FROM kept')).toEqual([[1]]);
  expect(losses).toBe(0);
});

test('files are bounded, and the log of changes takes no share of them', async () => {
  const fill = "CREATE TABLE much AS SELECT repeat('x', 1000) AS y FROM generate_series(1, 6000)";
  for (let round = 0; round < 10; round += 1) await run(`${fill}; DROP TABLE much; CHECKPOINT`);
  expect(await rows('SELECT sum(size) > 50000000 FROM pg_ls_waldir()')).toEqual([[false]]);
  const more = "CREATE TABLE much AS SELECT repeat('x', 1000) AS y FROM generate_series(1, 30000)";
  expect(await error(more, { timeoutMs: 60_000 })).toMatch(/^53100: .*No space left/u);
  expect(await rows(`${fill}; SELECT count(*) FROM much`)).toEqual([[6000]]);
  expect(losses).toBe(0);
});

test.each([
  ['what ends Postgres with its last words', 'SET exit_on_error = on; SELECT 1/0', '22012: division by zero'],
  [
    "what ends its stack before Postgres' own count",
    `SELECT ${'1+'.repeat(8000)}1`,
    '54001: stack depth limit exceeded',
  ],
])('%s costs the session, and the next run has a new one', async (_name, code, told) => {
  await run('CREATE TABLE IF NOT EXISTS lost(a int)');
  losses = 0;
  expect(await error(code)).toBe(told);
  expect(losses).toBe(1);
  expect(await rows("SELECT count(*) FROM pg_class WHERE relname = 'lost'")).toEqual([[0]]);
});

test('what Postgres does not survive, and says nothing of, ends the worker', async () => {
  // a number is taken for a pointer
  const code =
    "CREATE FUNCTION wrong(int) RETURNS cstring LANGUAGE internal AS 'textout'; SELECT wrong(2147483600)";
  await expect(run(code)).rejects.toThrow('Postgres ended');
});

const pieces = [
  ';',
  "'",
  '"',
  '$$',
  '$a$',
  '--',
  '/*',
  '*/',
  '\n',
  ' ',
  'select',
  'create function ',
  'begin',
  'case',
  'end',
  '(',
  ')',
  ':a',
  '::',
  "e'",
  '\\',
];

test('no text makes the cutting lose or change anything', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces)), (parts) => {
      const script = parts.join('');
      let end = 0;
      for (const { text, start } of cutStatements(script, () => false)) {
        expect(script.slice(start).startsWith(text)).toBe(true);
        expect(start).toBeGreaterThanOrEqual(end);
        end = start + text.length;
      }
    }),
  );
});

test('scripts are cut at their semicolons alone', () => {
  const script = `-- a;b
SELECT ';', ";", $$;$$, $t$ ; $$ $t$, e'\\';' /* ; /* ; */ ; */;;
CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;
CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 2 -- end;`;
  expect(cutStatements(script, () => false).map(({ text }) => text.replaceAll(/\s+/gu, ' ').trim())).toEqual([
    "-- a;b SELECT ';', \";\", $$;$$, $t$ ; $$ $t$, e'\\';' /* ; /* ; */ ; */;",
    'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;',
    'CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);',
    'SELECT 2 -- end;',
  ]);
});
