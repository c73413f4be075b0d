/** CSV from a visitor: bounded, checked, and refused with the row and column that are wrong. */
import Papa from 'papaparse';
import { CodedError } from '../../base/index.ts';
import type { Cell, Table, TableColumn } from '../../elements/index.ts';
import { numberPattern } from '../../elements/index.ts';
import { sleep, systemClock } from '../../platform/index.ts';

/** Bounds of one CSV file. */
export interface CsvLimits {
  /** Whole file in bytes. A table is held in memory several times (page, worker, sandbox); default 20 MB. */
  readonly sizeBytes: number;
  /** Data rows, without the header; default 200,000. */
  readonly rows: number;
  /** Columns; default 256, far above what the page can show. */
  readonly columns: number;
  /** Longest cell in characters: an unbalanced quote would swallow the rest of the file; default 100,000. */
  readonly cellLength: number;
}

/** The bounds unless others are given. */
export const csvLimits: CsvLimits = {
  sizeBytes: 20_000_000,
  rows: 200_000,
  columns: 256,
  cellLength: 100_000,
};

/** Characters parsed between two breaths, so that the page stays responsive. */
const chunkLength = 512_000;

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(1)} MB`;

/**
 * Parses a CSV file whose first row names the columns. Delimiter and line ends are detected; columns whose filled cells
 * are all numbers become numbers. Errors: `app/csv-too-large`, `app/csv-not-text`, `app/csv-empty`, `app/csv-header-invalid`,
 * `app/csv-quote-unbalanced`, `app/csv-row-ragged`, `app/csv-too-many-rows`, `app/csv-too-many-columns`,
 * `app/csv-cell-too-long`. Rows count from 1 and the header is row 1, as an
 * editor shows them when no cell spans lines.
 */
export async function parseCsv(file: Blob, limits: CsvLimits = csvLimits): Promise<Table> {
  if (file.size > limits.sizeBytes)
    throw new CodedError(
      'app/csv-too-large',
      `The file has ${megabytes(file.size)}; at most ${megabytes(limits.sizeBytes)} are read.`,
      { fields: { sizeBytes: file.size, limitBytes: limits.sizeBytes } },
    );
  const text = await readText(file);
  const rows = await readRows(text, limits);
  const header = checkHeader(rows.shift(), limits);
  return toTable(header, rows);
}

async function readText(file: Blob): Promise<string> {
  const bytes = await file.arrayBuffer();
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CodedError(
      'app/csv-not-text',
      'The file is not UTF-8 text. Save it as “CSV UTF-8” and try again.',
      {
        cause,
      },
    );
  }
  const zeroAt = text.indexOf('\0');
  if (zeroAt >= 0)
    throw new CodedError('app/csv-not-text', 'The file holds binary data, not CSV text.', {
      fields: { offset: zeroAt },
    });
  return text;
}

/** Every row of the file, the header first. Rows are checked as they come, so a bad file fails early. */
function readRows(text: string, limits: CsvLimits): Promise<string[][]> {
  const reader = new RowReader(limits);
  return new Promise((resolve, reject) => {
    Papa.parse<string[]>(text, {
      delimiter: delimiterOf(text),
      chunkSize: chunkLength,
      chunk: (results: Papa.ParseResult<string[]>, parser: Papa.Parser) => {
        try {
          reader.take(results);
        } catch (error) {
          // the parser calls complete from abort, so the refusal must come first
          reject(error as Error);
          parser.abort();
          return;
        }
        parser.pause();
        sleep(systemClock, 0).then(() => parser.resume(), reject);
      },
      complete: () => resolve(reader.rows),
    });
  });
}

/** The separator that the header row uses most outside quotes; a comma when there is none. */
function delimiterOf(text: string): string {
  const header =
    text
      .slice(0, 10_000)
      .replaceAll(/"[^"]*"/gu, '')
      .split(/[\r\n]/u, 1)[0] ?? '';
  const count = (delimiter: string): number => header.split(delimiter).length;
  return [',', ';', '\t', '|'].toSorted((one, other) => count(other) - count(one))[0] ?? ',';
}

/** Checks rows one by one and counts lines, blank ones too, so that an error names the row an editor shows. */
class RowReader {
  readonly rows: string[][] = [];
  #lines = 0;
  readonly #limits: CsvLimits;

  constructor(limits: CsvLimits) {
    this.#limits = limits;
  }

  take({ data, errors }: Papa.ParseResult<string[]>): void {
    const problem = errors.find(({ type }) => type === 'Quotes');
    for (const [index, row] of data.entries()) {
      if (problem && index === problem.row) break;
      this.#lines += 1;
      if (row.length > 1 || row[0] !== '') this.#check(row);
    }
    if (problem) throw quoteError(problem, data[problem.row ?? 0] ?? [], this.#lines + 1);
  }

  #check(cells: string[]): void {
    const row = this.#lines;
    const { columns, rows, cellLength } = this.#limits;
    const expected = this.rows[0]?.length ?? cells.length;
    if (cells.length > columns)
      throw new CodedError(
        'app/csv-too-many-columns',
        `Row ${row} has ${cells.length} columns; at most ${columns} are read.`,
        { fields: { row, columns: cells.length, limit: columns } },
      );
    if (cells.length !== expected) {
      const column = Math.min(cells.length, expected) + 1;
      throw new CodedError(
        'app/csv-row-ragged',
        `Row ${row} has ${cells.length} cells where the header has ${expected}; the first difference is column ${column}.`,
        { fields: { row, column, cells: cells.length, expected } },
      );
    }
    const long = cells.findIndex((cell) => cell.length > cellLength);
    if (long >= 0)
      throw new CodedError(
        'app/csv-cell-too-long',
        `The cell in row ${row}, column ${long + 1} is longer than ${cellLength} characters. Is a quote missing?`,
        { fields: { row, column: long + 1, limit: cellLength } },
      );
    if (this.rows.length > rows)
      throw new CodedError('app/csv-too-many-rows', `The file has more than ${rows.toLocaleString()} rows.`, {
        fields: { limit: rows },
      });
    this.rows.push(cells);
  }
}

function quoteError(problem: Papa.ParseError, cells: readonly string[], row: number): CodedError {
  const quoted = cells.findIndex((cell) => cell.includes('"') || cell.includes('\n'));
  const column = quoted >= 0 ? quoted + 1 : Math.max(1, cells.length);
  const what =
    problem.code === 'MissingQuotes'
      ? 'opens a quote that is never closed'
      : 'has text after its closing quote; a quote inside a quoted cell is written twice';
  return new CodedError('app/csv-quote-unbalanced', `The cell in row ${row}, column ${column} ${what}.`, {
    fields: { row, column },
  });
}

function checkHeader(header: readonly string[] | undefined, limits: CsvLimits): string[] {
  if (!header)
    throw new CodedError('app/csv-empty', 'The file is empty: its first row must name the columns.');
  const names = header.map((name) => name.trim());
  const seen = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const column = index + 1;
    if (name === '')
      throw new CodedError('app/csv-header-invalid', `Column ${column} has no name in the first row.`, {
        fields: { row: 1, column, limit: limits.columns },
      });
    const first = seen.get(name);
    if (first !== undefined)
      throw new CodedError(
        'app/csv-header-invalid',
        `Columns ${first} and ${column} are both named “${name}”.`,
        {
          fields: { row: 1, column, name },
        },
      );
    seen.set(name, column);
  }
  return names;
}

function toTable(names: readonly string[], rows: readonly string[][]): Table {
  if (rows.length === 0)
    throw new CodedError('app/csv-empty', 'The file has a header and no rows.', {
      fields: { columns: names.length },
    });
  const columns: TableColumn[] = names.map((name, at) => ({ name, kind: kindOf(rows, at) }));
  const convert = (cell: string, at: number): Cell => {
    if (columns[at]?.kind === 'text') return cell === '' ? null : cell;
    const trimmed = cell.trim();
    return trimmed === '' ? null : Number(trimmed);
  };
  return { columns, rows: rows.map((row) => row.map(convert)) };
}

function kindOf(rows: readonly string[][], at: number): TableColumn['kind'] {
  let hasNumber = false;
  for (const row of rows) {
    const cell = (row[at] ?? '').trim();
    if (cell === '') continue;
    if (!numberPattern.test(cell) || !Number.isFinite(Number(cell))) return 'text';
    hasNumber = true;
  }
  return hasNumber ? 'number' : 'text';
}
