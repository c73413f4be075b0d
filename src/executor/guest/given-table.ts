/** Reads tables out of variables and files, for languages that keep rows. */
import type { ReadValue } from './guest-values.ts';

/** What a cell holds. A language that keeps fewer kinds makes others of them in its {@link CellKinds}. */
export type Cell = null | boolean | number | bigint | string | Uint8Array | Date;

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** What a language takes as a cell. */
export interface CellKinds {
  /** The cell of a value; `undefined` for what is none. */
  readonly toCell: (value: ReadValue | undefined) => Cell | undefined;
  /** Completes "is neither …". */
  readonly words: string;
}

/** A variable or file that is no table. */
export class TableFault extends Error {}

type Row = Readonly<Record<string, ReadValue>>;

const isRow = (value: ReadValue | undefined): value is Row =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !ArrayBuffer.isView(value) &&
  !(value instanceof Map || value instanceof Set || value instanceof Date);

/** A list of objects; or an object with `columns` and `rows`, as results are. Throws {@link TableFault}. */
export function readTable(name: string, value: ReadValue, kinds: CellKinds): Table {
  const cellOf = (row: number, column: string, given: ReadValue | undefined): Cell => {
    const cell = given === undefined ? null : kinds.toCell(given);
    if (cell !== undefined) return cell;
    throw new TableFault(`${name}[${row}].${column} is neither ${kinds.words}`);
  };
  if (isRow(value)) return readResult(name, value, cellOf);
  const rows = Array.isArray(value) ? (value as readonly ReadValue[]) : [];
  if (!rows.every(isRow)) throw new TableFault(`${name} must be a list of objects, or columns and rows`);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (columns.length === 0) throw new TableFault(`${name} must have a row with a column`);
  return {
    columns,
    rows: rows.map((row, index) => columns.map((column) => cellOf(index, column, row[column]))),
  };
}

type CellOf = (row: number, column: string, given: ReadValue | undefined) => Cell;

function readResult(name: string, { columns, rows }: Row, cellOf: CellOf): Table {
  const areNames =
    Array.isArray(columns) && columns.length > 0 && columns.every((it) => typeof it === 'string');
  if (!areNames || !Array.isArray(rows)) {
    throw new TableFault(`${name} must be a list of objects, or columns and rows`);
  }
  const names = columns as readonly string[];
  const lists = (rows as readonly ReadValue[]).map((row, index) => {
    if (Array.isArray(row) && row.length === names.length) {
      return names.map((column, at) => cellOf(index, column, (row as readonly ReadValue[])[at]));
    }
    throw new TableFault(`${name}.rows[${index}] must be a list of ${names.length}`);
  });
  return { columns: names, rows: lists };
}

const integer = /^-?(?:0|[1-9]\d{0,18})$/u;
const real = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/iu;
const digits = /^-?\d+$/u;
/** All integers of so many characters fit into 64 bits. */
const surelyLong = 18;

const isInteger = (text: string): boolean =>
  integer.test(text) && (text.length <= surelyLong || BigInt.asIntN(64, BigInt(text)) === BigInt(text));

/** Digits alone that a number would round are not one: different ids would become the same. */
const isReal = (text: string): boolean =>
  real.test(text) && (!digits.test(text) || Number.isSafeInteger(Number(text)));

/** A column is of numbers when all that is in it are, and stay exact; nothing at all is NULL. */
function typed(columns: number, records: readonly (readonly string[])[]): readonly (readonly Cell[])[] {
  const kinds = Array.from({ length: columns }, (_, column) => {
    const texts = records.map((record) => record[column] ?? '').filter((text) => text !== '');
    if (texts.every(isInteger)) return BigInt;
    return texts.every(isReal) ? Number : String;
  });
  return records.map((record) => kinds.map((kind, at) => (record[at] ? kind(record[at]) : null)));
}

/** Where the quote stands that closes the cell; -1 where none does. Walks: an expression would keep a place for each character. */
function closingQuote(text: string, opening: number): number {
  let at = text.indexOf('"', opening + 1);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
}

const endOfField = /[,\r\n]/gu;

/** From the place of its first character: what is in it, and where it ends. Quotes that are not around all of it are part of it. */
function readField(text: string, start: number): readonly [field: string, end: number] {
  if (text[start] === '"') {
    const closing = closingQuote(text, start);
    const next = text[closing + 1];
    if (closing >= 0 && (next === undefined || ',\r\n'.includes(next))) {
      return [text.slice(start + 1, closing).replaceAll('""', '"'), closing + 1];
    }
  }
  endOfField.lastIndex = start;
  const end = endOfField.exec(text)?.index ?? text.length;
  return [text.slice(start, end), end];
}

/** Fields of comma-separated text, RFC 4180: quotes around, doubled inside. A line ends with `\n`, `\r\n` or `\r`; a blank last one is none. */
function readRecords(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let at = 0;
  // behind a comma there is a field, also where nothing follows
  while (at < text.length || record.length > 0) {
    const [field, end] = readField(text, at);
    const isBlankEnd = record.length === 0 && end === at && end + lineEndLength(text, end) === text.length;
    record.push(field);
    at = end + 1;
    if (text[end] === ',') continue;
    at = end + lineEndLength(text, end);
    if (!isBlankEnd) records.push(record);
    record = [];
  }
  return records;
}

const lineEndLength = (text: string, at: number): number => (text.startsWith('\r\n', at) ? 2 : 1);

/** The first line names the columns. Throws {@link TableFault}. */
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

/** A file as a table: its name in SQL, and what is in it. Throws {@link TableFault}. */
export function readTableFile(path: string, content: string | Uint8Array): readonly [name: string, Table] {
  const [, name] = /^(?:.*\/)?([a-z_]\w*)\.csv$/iu.exec(path) ?? [];
  if (name === undefined)
    throw new TableFault(`the file ${path} must be called as a table, and end with .csv`);
  return [name, readCsv(path, typeof content === 'string' ? content : new TextDecoder().decode(content))];
}

/** As a name in SQL. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
