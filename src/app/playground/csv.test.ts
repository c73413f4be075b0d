import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvLimits, parseCsv } from './csv.ts';

const csv = (text: string | Uint8Array<ArrayBuffer>): Blob => new Blob([text]);
const refusal = (text: Parameters<typeof csv>[0], limits = csvLimits): Promise<unknown> =>
  parseCsv(csv(text), limits).then(
    (table) => ({ accepted: table }),
    (error: unknown) => error,
  );

describe('parseCsv', () => {
  test('reads the shipped penguins', async () => {
    const table = await parseCsv(csv(readFileSync('public/data/penguins.csv', 'utf8')));
    expect(table.rows).toHaveLength(344);
    expect(table.columns.map(({ name, kind }) => `${name}:${kind}`)).toEqual([
      'species:text',
      'island:text',
      'bill_length_mm:number',
      'bill_depth_mm:number',
      'flipper_length_mm:number',
      'body_mass_g:number',
      'sex:text',
    ]);
    expect(table.rows[0]).toEqual(['Adelie', 'Torgersen', 39.1, 18.7, 181, 3750, 'male']);
    expect(table.rows[3]).toEqual(['Adelie', 'Torgersen', null, null, null, null, null]);
  });

  test.each([
    ['semicolons and CRLF', 'a;b\r\n1;x\r\n', [[1, 'x']]],
    ['a byte order mark', '\uFEFFa,b\n1,2\n', [[1, 2]]],
    ['quotes, newlines and doubled quotes', 'a,b\n"x, ""y""\nz",2\n', [['x, "y"\nz', 2]]],
    [
      'no final newline and blank lines',
      'a,b\n\n1,2\n\n3,4',
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [
      'numbers mixed with text stay text',
      'a,b\n1,2\nx,3\n',
      [
        ['1', 2],
        ['x', 3],
      ],
    ],
    ['Infinity and hex are text', 'a,b\nInfinity,0x10\n', [['Infinity', '0x10']]],
  ])('accepts %s', async (_name, text, rows) => {
    expect((await parseCsv(csv(text))).rows).toEqual(rows);
  });

  test.each([
    ['an unclosed quote', 'a,b\n1,2\n3,"x\n5,6\n', 'app/csv-quote-unbalanced', { row: 3, column: 2 }],
    ['text after a quote', 'a,b\n"x"y,2\n', 'app/csv-quote-unbalanced', { row: 2, column: 1 }],
    [
      'a short row',
      'a,b,c\n1,2,3\n4,5\n',
      'app/csv-row-ragged',
      { row: 3, column: 3, cells: 2, expected: 3 },
    ],
    ['a long row', 'a,b\n1,2\n4,5,6\n', 'app/csv-row-ragged', { row: 3, column: 3, cells: 3, expected: 2 }],
    ['a repeated name', 'a,b,a\n1,2,3\n', 'app/csv-header-invalid', { row: 1, column: 3, name: 'a' }],
    ['an empty name', 'a,,c\n1,2,3\n', 'app/csv-header-invalid', { row: 1, column: 2 }],
    ['nothing', '', 'app/csv-empty', {}],
    ['a header alone', 'a,b\n', 'app/csv-empty', { columns: 2 }],
    ['binary data', 'a,b\n\0,2\n', 'app/csv-not-text', { offset: 4 }],
  ])('refuses %s', async (_name, text, code, fields) => {
    const error = await refusal(text);
    expect(error).toMatchObject({ code, fields });
  });

  test('refuses bytes that are not UTF-8', async () => {
    expect(await refusal(new Uint8Array([97, 10, 0xff, 0xfe, 10]))).toMatchObject({
      code: 'app/csv-not-text',
    });
  });

  test('a 50 MB file is refused at once, without being read', async () => {
    // a blob of that size need not exist to be refused
    const file = {
      size: 50_000_000,
      arrayBuffer: () => expect.unreachable('it was read'),
    } as unknown as Blob;
    await expect(parseCsv(file)).rejects.toMatchObject({
      code: 'app/csv-too-large',
      fields: { sizeBytes: 50_000_000, limitBytes: 20_000_000 },
    });
  });

  test('bounds rows, columns and cells, each just above its limit', async () => {
    const limits = { ...csvLimits, rows: 3, columns: 2, cellLength: 5 };
    expect(await refusal('a,b\n1,1\n2,2\n3,3\n', limits)).toHaveProperty('accepted');
    expect(await refusal('a,b\n1,1\n2,2\n3,3\n4,4\n', limits)).toMatchObject({
      code: 'app/csv-too-many-rows',
    });
    expect(await refusal('a,b,c\n1,2,3\n', limits)).toMatchObject({ code: 'app/csv-too-many-columns' });
    expect(await refusal('a,b\n1,123456\n', limits)).toMatchObject({
      code: 'app/csv-cell-too-long',
      fields: { row: 2, column: 2 },
    });
  });

  test('rows keep their number across chunks, and the thread is handed back between them', async () => {
    const line = `${'x'.repeat(90)},1\n`;
    const text = `name,value\n${line.repeat(30_000)}broken\n`;
    let breaths = 0;
    const timer = setInterval(() => breaths++, 0);
    const error = await refusal(text);
    clearInterval(timer);
    expect(error).toMatchObject({ code: 'app/csv-row-ragged', fields: { row: 30_002 } });
    expect(breaths).toBeGreaterThanOrEqual(2);
  });

  test('many-byte characters survive chunk borders', async () => {
    const cell = 'äöü€𝄞'.repeat(30);
    const table = await parseCsv(csv(`a,b\n${`${cell},1\n`.repeat(8_000)}`));
    expect(table.rows.every((row) => row[0] === cell)).toBe(true);
  });

  test('any table written by the book is read back', async () => {
    const cell = fc.string({ maxLength: 8 }).filter((text) => !text.includes('\0') && text.trim() === text);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 20 }), async (rows) => {
        const quoted = rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(','));
        const table = await parseCsv(csv(`first,second\n${quoted.join('\n')}\n`));
        const shown = table.rows.map((row) => row.map((value) => (value === null ? '' : String(value))));
        const expected = rows.map((row) =>
          row.map((text, at) =>
            table.columns[at]?.kind === 'number' && text !== '' ? String(Number(text)) : text,
          ),
        );
        expect(shown).toEqual(expected);
      }),
    );
  });
});
