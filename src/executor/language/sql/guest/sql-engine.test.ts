import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Sqlite3Static } from '@sqlite.org/sqlite-wasm';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { GuestValue } from '../../../guest-value.ts';
import { readCsv } from '../../../guest/given-table.ts';
import { deafOutput, engineRun, resultBounds } from '../../../guest/run-test-scene.ts';
import type { GivenRun } from '../../../guest/run-test-scene.ts';
import { parseRunResult } from '../../../sandbox/run-result.ts';
import type { RunResult } from '../../../sandbox/run-result.ts';
import { loadSqlite } from './load-sqlite.ts';
import { SqlEngine } from './sql-engine.ts';
import { cutStatements } from './statements.ts';

let sqlite: Sqlite3Static;
beforeAll(async () => {
  const file = createRequire(import.meta.url).resolve('@sqlite.org/sqlite-wasm/sqlite3.wasm');
  sqlite = await loadSqlite(new WebAssembly.Module(readFileSync(file)), 64 * 2 ** 20);
});

const tight = { displays: 0, displayBytes: 100_000, outputBytes: 1000 };

function open(shown: Record<string, string>[] = []) {
  let kept: ArrayBuffer[] = [];
  const output = {
    ...deafOutput,
    keep: (bytes: Uint8Array) => kept.push(bytes.slice().buffer as ArrayBuffer) - 1,
    display: (bundle: unknown) => shown.push(JSON.parse(String(bundle)) as Record<string, string>) > 0,
  };
  const engine = new SqlEngine({ sqlite, interrupt: undefined, output });
  return (code: string, given: GivenRun = {}): RunResult => {
    kept = [];
    return parseRunResult(engine.run(engineRun(code, { ...tight, ...given })), kept, resultBounds);
  };
}

const rows = (code: string, given?: GivenRun): unknown => {
  const result = open()(code, given);
  if (result.type !== 'returned') throw new Error(JSON.stringify(result));
  return (result.value as { rows?: unknown } | null)?.rows ?? null;
};
const error = (code: string, given?: GivenRun): unknown => {
  const result = open()(code, given);
  return result.type === 'threw' ? `${result.error.type}: ${result.error.message}` : JSON.stringify(result);
};

test('cells keep their types', () => {
  expect(
    rows(
      "SELECT 1, 1.5, 'é😀', x'00ff', NULL, 9007199254740993, -9223372036854775808, 9e999, 'a' || char(0) || 'b', 2.0, -5",
    ),
  ).toEqual([
    [1, 1.5, 'é😀', new Uint8Array([0, 255]), null, 2n ** 53n + 1n, -(2n ** 63n), Infinity, 'a\0b', 2, -5],
  ]);
  expect(open()('SELECT 1 AS a, 2 AS a')).toMatchObject({ value: { columns: ['a', 'a'], rows: [[1, 2]] } });
  expect(open()('CREATE TABLE t(x)')).toMatchObject({ value: null });
  expect(open()('')).toMatchObject({ value: null });
  expect(open()('SELECT 1 WHERE 0; -- nothing else')).toMatchObject({ value: { columns: ['1'], rows: [] } });
});

const cell: fc.Arbitrary<GuestValue> = fc.oneof(
  fc.constant(null),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0)),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array(),
);

test('rows are shown beside the value: the first ones, where there are many', () => {
  const shown: Record<string, string>[] = [];
  const run = open(shown);
  run("SELECT '<b>' AS a, 2 AS a, x'00' AS b, 9007199254740993 AS c, NULL AS d", { displays: 1 });
  expect(shown[0]?.['text/html']).toBe(
    '<table><thead><tr><th>a</th><th>a (2)</th><th>b</th><th>c</th><th>d</th></tr></thead>' +
      '<tbody><tr><td>&lt;b&gt;</td><td>2</td><td>&lt;1 bytes&gt;</td><td>9007199254740993</td><td></td></tr></tbody></table>',
  );
  expect(JSON.parse(shown[0]?.['application/vnd.dataresource+json'] ?? '')).toMatchObject({
    schema: {
      fields: [{ name: 'a', type: 'string' }, { name: 'a (2)', type: 'number' }, {}, {}, { type: 'any' }],
    },
    data: [{ a: '<b>', 'a (2)': 2, d: null }],
  });
  expect(shown[0]?.['text/plain']).toBe('a | a (2) | b | c | d\n<b> | 2 | <1 bytes> | 9007199254740993 | ');
  const many = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 1000) SELECT x FROM c';
  run(many, { displays: 1 });
  expect(shown[1]?.['text/html']).toMatch(/<td>100<\/td><\/tr><\/tbody><\/table><p>… 900 more<\/p>$/u);
  run('SELECT 1 WHERE 0', { displays: 1 });
  expect(shown[2]?.['text/plain']).toBe('1');
});

test('nothing is shown where nothing may be, nor what is larger than may be: it is no fault', () => {
  const shown: Record<string, string>[] = [];
  const run = open(shown);
  expect(run('SELECT 1')).toMatchObject({ type: 'returned' });
  expect(run('CREATE TABLE t(x)', { displays: 1 })).toMatchObject({ type: 'returned' });
  const wide = Array.from({ length: 200 }, (_, index) => `printf('%.*c', 2000, 'x') AS c${index}`).join(', ');
  expect(run(`SELECT ${wide}`, { displays: 1 })).toMatchObject({ type: 'returned' });
  expect(shown).toEqual([]);
});

test('a table comes back as it went in, cells and parameters alike', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 }), (table) => {
      const run = open();
      const variables = { t: { columns: ['a', 'odd "name'], rows: table }, p: table[0]?.[0] ?? null };
      const result = run('SELECT * FROM t', { variables, outputs: ['t'] });
      expect(result).toMatchObject({ value: { columns: ['a', 'odd "name'], rows: table } });
      expect(result).toMatchObject({ variables: { t: { rows: table } } });
      expect(run('SELECT :p, $p, @p', { variables })).toMatchObject({
        value: { rows: [[variables.p, variables.p, variables.p]] },
      });
    }),
    { numRuns: 50 },
  );
});

test('rows that lack a column have NULL there; truth and dates have their usual forms', () => {
  const t = [{ a: true }, { a: false, b: new Date(0) }];
  expect(rows('SELECT a, b FROM t', { variables: { t } })).toEqual([
    [1, null],
    [0, '1970-01-01T00:00:00.000Z'],
  ]);
});

test.each<[string, unknown]>([
  ['t must be a list of objects, or columns and rows', [1]],
  ['t must have a row with a column', []],
  ['t must have a row with a column', [{}]],
  ['t[0].a is neither null, a number of 64 bits, text, bytes nor a date', [{ a: [1] }]],
  ['t[0].a is neither null, a number of 64 bits, text, bytes nor a date', [{ a: 2n ** 63n }]],
  ['t.rows[0] must be a list of 1', { columns: ['a'], rows: [[1, 2]] }],
  ['t must be a list of objects, or columns and rows', { columns: [], rows: [] }],
])('"%s" is what is said of such a variable', (message, t) => {
  expect(error('SELECT 1', { variables: { t } })).toBe(`TypeError: ${message}`);
});

test('comma-separated text becomes a table whose columns have one type each', () => {
  const text = '\uFEFFid,price,zip,"no, ""te""",none\r\n1,2.5,01234,"a\nb",\r\n12,3,99999,,\r\n';
  expect(readCsv('x.csv', text)).toEqual({
    columns: ['id', 'price', 'zip', 'no, "te"', 'none'],
    rows: [
      [1n, 2.5, '01234', 'a\nb', null],
      [12n, 3, '99999', null, null],
    ],
  });
  expect(rows('SELECT sum(a) FROM t', { files: { 'data/t.csv': 'a\n1\n2' } })).toEqual([[3]]);
  expect(error('SELECT 1', { files: { 't.csv': 'a,b\n1' } })).toMatch(/record 1 must have 2 fields/u);
  expect(error('SELECT 1', { files: { 't.csv': '' } })).toMatch(/must begin with the names/u);
  expect(error('SELECT 1', { files: { 't.txt': 'a' } })).toMatch(/end with \.csv/u);
});

test('digits of comma-separated text stay exact: integers as far as 64 bits go, and text beyond', () => {
  const csv = (...cells: readonly string[]): GivenRun => ({
    files: { 't.csv': ['id', ...cells].join('\n') },
  });
  const typesAnd = (given: GivenRun): unknown => rows('SELECT typeof(id), id FROM t', given);
  const ids = ['9223372036854775807', '1234567890123456789', '-9223372036854775808', '7'];
  expect(typesAnd(csv(...ids))).toEqual([
    ['integer', 2n ** 63n - 1n],
    ['integer', 1234567890123456789n],
    ['integer', -(2n ** 63n)],
    ['integer', 7],
  ]);
  for (const [one, other] of [
    ['9223372036854775808', '9223372036854775809'],
    ['-9223372036854775809', '-9223372036854775808'],
    ['12345678901234567890123', '12345678901234567890124'],
    ['9007199254740993', '1.5'],
    ['0123', '124'],
  ] as const) {
    expect(typesAnd(csv(one, other))).toEqual([
      ['text', one],
      ['text', other],
    ]);
  }
  expect(readCsv('x.csv', 'a\n1.5\n-2\n9007199254740991\n1e3')).toMatchObject({
    rows: [[1.5], [-2], [9007199254740991], [1000]],
  });
  expect(readCsv('x.csv', 'a\n-0\n0')).toMatchObject({ rows: [[0n], [0n]] });
});

test.each<[string, readonly (readonly string[])[]]>([
  [
    'a,b\rc,d\re,f\r',
    [
      ['c', 'd'],
      ['e', 'f'],
    ],
  ],
  [
    'a,b\rc,d\re,f',
    [
      ['c', 'd'],
      ['e', 'f'],
    ],
  ],
  [
    'a,b\nc,d\re,f\r\n',
    [
      ['c', 'd'],
      ['e', 'f'],
    ],
  ],
  [
    'a,b\n"c","d"\r"e","f"\r',
    [
      ['c', 'd'],
      ['e', 'f'],
    ],
  ],
  ['a,b\n"c\r","\rd"\r', [['c\r', '\rd']]],
  ['a,b\nc,"d', [['c', '"d']]],
  ['a,b\n"c"x,d', [['"c"x', 'd']]],
  ['a,b\nc,"d"""', [['c', 'd"']]],
])('no text of %j is lost', (text, records) => {
  expect(readCsv('x.csv', text)).toEqual({ columns: ['a', 'b'], rows: records });
});

test('a blank last line is no row; a blank line among the others is one', () => {
  for (const end of ['', '\n', '\n\n', '\r\n\r\n', '\r\r', '\n\r\n']) {
    expect(readCsv('x.csv', `a,b\n1,x${end}`)).toEqual({ columns: ['a', 'b'], rows: [[1n, 'x']] });
    expect(readCsv('x.csv', `a\nx${end}`)).toEqual({ columns: ['a'], rows: [['x']] });
  }
  expect(readCsv('x.csv', 'a\n\nx\n').rows).toEqual([[null], ['x']]);
  expect(readCsv('x.csv', 'a\nx\n""').rows).toEqual([['x'], [null]]);
  expect(readCsv('x.csv', 'a,b\nx,\ny,').rows).toEqual([
    ['x', null],
    ['y', null],
  ]);
  expect(readCsv('x.csv', 'a\n\n').rows).toEqual([]);
  expect(() => readCsv('x.csv', 'a,b\n1,x\n\n2,y')).toThrow(/record 2 must have 2 fields/u);
});

test('what is written by the rules of comma-separated text is read as it was', () => {
  const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é') });
  const end = fc.constantFrom('\n', '\r\n', '\r');
  fc.assert(
    fc.property(fc.array(fc.tuple(field, field)), end, fc.boolean(), (table, lineEnd, isClosed) => {
      const quoted = (text: string): string =>
        /[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
      const lines = [['x', 'y'], ...table].map((record) => record.map(quoted).join(','));
      const text = lines.join(lineEnd) + (isClosed ? lineEnd : '');
      const empty = (cell: string): string | null => (cell === '' ? null : cell);
      expect(readCsv('x.csv', text).rows).toEqual(table.map((record) => record.map(empty)));
    }),
  );
});

test('a cell of 12 MB is read, and so is a file of quotes that do not close', () => {
  const large = 'a"\n'.repeat(4 * 2 ** 20);
  const { rows: read } = readCsv('x.csv', `a,b\n"${large.replaceAll('"', '""')}",1`);
  expect(read[0]?.[0] === large).toBe(true);
  const digits = '7'.repeat(12 * 2 ** 20);
  expect(readCsv('x.csv', `a\n${digits}`).rows[0]?.[0] === digits).toBe(true);
  const cell = '"""x';
  const open = Array.from({ length: 400_000 }, () => cell).join(',');
  expect(() => readCsv('x.csv', `a\n${open}`)).toThrow(/record 1 must have 1 fields/u);
});

test('scripts are cut at their semicolons alone', () => {
  const script = `-- a;b\nSELECT ';', ";", [;], \`;\` /* ; */;;\nCREATE TRIGGER r AFTER INSERT ON t BEGIN
    UPDATE t SET x = CASE WHEN 1 THEN 2 END; SELECT 1; END; SELECT 2 -- end;`;
  expect(cutStatements(script).map(({ text }) => text.replaceAll(/\s+/gu, ' ').trim())).toEqual([
    '-- a;b SELECT \';\', ";", [;], `;` /* ; */;',
    'CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET x = CASE WHEN 1 THEN 2 END; SELECT 1; END;',
    'SELECT 2 -- end;',
  ]);
});

test('no text makes the cutting lose or change anything', () => {
  const piece = fc.constantFrom(
    ';',
    "'",
    '"',
    '`',
    '[',
    ']',
    '--',
    '/*',
    '*/',
    '\n',
    ' ',
    'select',
    'create trigger',
    'end',
    '-',
    '/',
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const script = pieces.join('');
      for (const { text, start } of cutStatements(script))
        expect(script.slice(start).startsWith(text)).toBe(true);
    }),
  );
});

test('faults have their places, also behind other letters and other statements', () => {
  expect(open()("SELECT 'é😀';\n  SELECT 'ü', frm x y;")).toMatchObject({
    type: 'syntax-error',
    line: 2,
    column: 21,
    message: 'near "y": syntax error',
  });
  expect(open()('SELECT (1')).toMatchObject({ type: 'syntax-error', message: 'incomplete input' });
  expect(open()('CREATE TABLE t(x);\nINSERT INTO t VALUES (1);\nSELECT nope\nFROM t')).toMatchObject({
    type: 'threw',
    error: { type: 'SQLITE_ERROR', message: 'no such column: nope', line: 3 },
  });
});

test.each([
  ['DELETE FROM t\0 WHERE x = 1', 1, 14],
  ['DELETE FROM t;\n SELECT 1\0;', 2, 10],
  ["DELETE FROM t; SELECT '\0'", 1, 24],
  ['DELETE FROM t; -- \0', 1, 19],
  ['DELETE FROM t;\0', 1, 15],
  ['\0', 1, 1],
])('a character of code 0 is refused, and nothing before it runs: %j', (code, line, column) => {
  const run = open();
  run('CREATE TABLE t(x); INSERT INTO t VALUES (1), (2)');
  const given = { variables: { u: [{ a: 1 }] } };
  expect(run(code, given)).toMatchObject({
    type: 'syntax-error',
    message: 'a character of code 0',
    line,
    column,
  });
  expect(run('SELECT count(*) FROM t')).toMatchObject({ value: { rows: [[2]] } });
  // nor what was given with it
  expect(run('SELECT * FROM u')).toMatchObject({ type: 'threw' });
});

test('too large a result is told, and the database goes on', () => {
  const run = open();
  expect(run('SELECT zeroblob(2000000)')).toEqual({ type: 'exceeded', limit: 'result' });
  expect(run('SELECT 1')).toMatchObject({ value: { rows: [[1]] } });
  expect(run('SELECT zeroblob(100000000)')).toEqual({ type: 'exceeded', limit: 'memory' });
  expect(run('SELECT 1')).toMatchObject({ value: { rows: [[1]] } });
});

test('a script is cut in the time that its length takes, also where a trigger does not end', () => {
  const inTrigger = `create trigger x begin ${';'.repeat(900_000)}`;
  expect(cutStatements(inTrigger)).toEqual([{ text: inTrigger, start: 0 }]);
  const afterSpace = `${' '.repeat(200_000)}create trigger x begin ${'; en'.repeat(200_000)}; end; select 1`;
  expect(cutStatements(afterSpace).map(({ text }) => text.length)).toEqual([afterSpace.length - 9, 9]);
});
