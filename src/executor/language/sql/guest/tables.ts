/** Makes tables of variables and files. */
import type { Database, PreparedStatement, Sqlite3Static } from '@sqlite.org/sqlite-wasm';
import type { ReadValue } from '../../../guest/guest-values.ts';

/** What SQLite keeps in a cell. */
export type Cell = null | number | bigint | string | Uint8Array;

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** A variable or file that is no table. */
export class TableFault extends Error {}

type Row = Readonly<Record<string, ReadValue>>;

const longest = 2n ** 63n;

/** A single value; `undefined` for what is none. */
export function toCell(value: ReadValue | undefined): Cell | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'bigint') return value >= -longest && value < longest ? value : undefined;
  if (value instanceof Uint8Array) return value;
  return value instanceof Date ? value.toISOString() : undefined;
}

function cellOf(name: string, row: number, column: string, value: ReadValue | undefined): Cell {
  const cell = value === undefined ? null : toCell(value);
  if (cell !== undefined) return cell;
  throw new TableFault(
    `${name}[${row}].${column} is neither null, a number of 64 bits, text, bytes nor a date`,
  );
}

const isRow = (value: ReadValue | undefined): value is Row =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !ArrayBuffer.isView(value) &&
  !(value instanceof Map || value instanceof Set || value instanceof Date);

/** A list of objects; or an object with `columns` and `rows`, as results are. */
export function readTable(name: string, value: ReadValue): Table {
  if (isRow(value)) return readResult(name, value);
  const rows = Array.isArray(value) ? (value as readonly ReadValue[]) : [];
  if (!rows.every(isRow)) throw new TableFault(`${name} must be a list of objects, or columns and rows`);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (columns.length === 0) throw new TableFault(`${name} must have a row with a column`);
  return {
    columns,
    rows: rows.map((row, index) => columns.map((column) => cellOf(name, index, column, row[column]))),
  };
}

function readResult(name: string, { columns, rows }: Row): Table {
  const areNames =
    Array.isArray(columns) && columns.length > 0 && columns.every((it) => typeof it === 'string');
  if (!areNames || !Array.isArray(rows)) {
    throw new TableFault(`${name} must be a list of objects, or columns and rows`);
  }
  const names = columns as readonly string[];
  const lists = (rows as readonly ReadValue[]).map((row, index) => {
    if (Array.isArray(row) && row.length === names.length) {
      return names.map((column, at) => cellOf(name, index, column, (row as readonly ReadValue[])[at]));
    }
    throw new TableFault(`${name}.rows[${index}] must be a list of ${names.length}`);
  });
  return { columns: names, rows: lists };
}

const integer = /^-?(?:0|[1-9]\d{0,17})$/u;
const real = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/iu;

/** A column is of numbers when all that is in it are; nothing at all is NULL. */
function typed(columns: number, records: readonly (readonly string[])[]): readonly (readonly Cell[])[] {
  const kinds = Array.from({ length: columns }, (_, column) => {
    const texts = records.map((record) => record[column] ?? '').filter((text) => text !== '');
    if (texts.every((text) => integer.test(text))) return BigInt;
    return texts.every((text) => real.test(text)) ? Number : String;
  });
  return records.map((record) => kinds.map((kind, at) => (record[at] ? kind(record[at]) : null)));
}

/** Fields of comma-separated text, RFC 4180: quotes around, doubled inside. */
function readRecords(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  for (const found of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/gu)) {
    const [whole, quoted, plain = '', end] = found;
    // the empty match behind the last line end
    if (whole === '' && record.length === 0) break;
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    records.push(record);
    record = [];
  }
  return records;
}

/** The first line names the columns. */
export function readCsv(name: string, text: string): Table {
  const [columns = [], ...records] = readRecords(text.replace(/^\uFEFF/u, ''));
  if (columns.length === 0 || columns.some((column) => column === '')) {
    throw new TableFault(`${name} must begin with the names of its columns`);
  }
  const broken = records.findIndex((record) => record.length !== columns.length);
  if (broken >= 0) {
    throw new TableFault(
      `${name}: record ${broken + 1} must have ${columns.length} fields, as the first line has`,
    );
  }
  return { columns, rows: typed(columns.length, records) };
}

/** As a name in SQL. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Other whole numbers than safe ones are bound as what they are: the wrapper would make integers of them, and wrap those that are too large. */
export function bindCell(
  { capi }: Sqlite3Static,
  statement: PreparedStatement,
  index: number,
  cell: Cell,
): void {
  if (typeof cell === 'number' && !Number.isSafeInteger(cell))
    capi.sqlite3_bind_double(statement, index, cell);
  else statement.bind(index, cell as never);
}

/** Makes the table, in the place of one of the same name. */
export function putTable(
  sqlite: Sqlite3Static,
  database: Database,
  name: string,
  { columns, rows }: Table,
): void {
  const table = quoteName(name);
  database.exec(`DROP TABLE IF EXISTS ${table}`);
  database.exec(`CREATE TABLE ${table} (${columns.map(quoteName).join(', ')})`);
  const insert = database.prepare(`INSERT INTO ${table} VALUES (${columns.map(() => '?').join(', ')})`);
  try {
    for (const row of rows) {
      for (const [index, cell] of row.entries()) bindCell(sqlite, insert, index + 1, cell);
      insert.stepReset();
    }
  } finally {
    insert.finalize();
  }
}
