/** Cells between JavaScript and Postgres. Postgres' numbers of types are those of its catalog `pg_type`, which never change. */
import type { Cell, CellKinds, Table } from '../../../guest/given-table.ts';
import { quoteName, TableFault } from '../../../guest/given-table.ts';
import type { ReadValue } from '../../../guest/guest-values.ts';
import type { Parameter } from './wire.ts';

/** `pg_type.oid` of the types that are more to JavaScript than their text. */
const types = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  oid: 26,
  float4: 700,
  float8: 701,
  timestamptz: 1184,
  numeric: 1700,
  void: 2278,
  /** Postgres finds out from where it stands. */
  unknown: 0,
} as const;

const longest = 2n ** 63n;
const isLong = (value: bigint): boolean => value >= -longest && value < longest;

/** A single value; `undefined` for what is none. */
export function toCell(value: ReadValue | undefined): Cell | undefined {
  if (value === null || ['string', 'number', 'boolean', 'bigint'].includes(typeof value))
    return value as Cell;
  return value instanceof Uint8Array || value instanceof Date ? value : undefined;
}

export const postgresCells: CellKinds = {
  toCell,
  words: 'null, true or false, a number, text, bytes nor a date',
};

const hexadecimal = (bytes: Uint8Array): string =>
  `\\x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;

/** As Postgres reads it. */
function writeCell(cell: Exclude<Cell, null>): string {
  if (cell instanceof Uint8Array) return hexadecimal(cell);
  if (cell instanceof Date) return cell.toISOString();
  return Object.is(cell, -0) ? '-0' : String(cell);
}

function typeOfNumber(value: number): number {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return types.float8;
  // functions that take a count take this type
  return Math.abs(value) < 2 ** 31 ? types.int4 : types.int8;
}

function typeOfParameter(cell: Cell): number {
  if (typeof cell === 'number') return typeOfNumber(cell);
  if (typeof cell === 'bigint') return isLong(cell) ? types.int8 : types.numeric;
  if (typeof cell === 'boolean') return types.bool;
  if (cell instanceof Uint8Array) return types.bytea;
  return cell instanceof Date ? types.timestamptz : types.unknown;
}

/** A variable as a parameter. Throws {@link TableFault}. */
export function toParameter(name: string, cell: Cell): Parameter {
  if (typeof cell === 'string' && cell.includes('\0')) throw new TableFault(`${name} ${nullCharacter}`);
  return { type: typeOfParameter(cell), value: cell === null ? null : writeCell(cell) };
}

const nullCharacter = 'holds the character of code 0, which Postgres does not keep';

/** The one type of a column, for what is in it. */
type ColumnType = 'boolean' | 'bigint' | 'double precision' | 'numeric' | 'text' | 'bytea' | 'timestamptz';

function typeOfCell(cell: Exclude<Cell, null>): ColumnType {
  if (typeof cell === 'boolean') return 'boolean';
  if (typeof cell === 'number') {
    return Number.isSafeInteger(cell) && !Object.is(cell, -0) ? 'bigint' : 'double precision';
  }
  if (typeof cell === 'bigint') return isLong(cell) ? 'bigint' : 'numeric';
  if (typeof cell === 'string') return 'text';
  return cell instanceof Date ? 'timestamptz' : 'bytea';
}

/** From the narrowest to the one that takes all of them. */
const numbers: readonly ColumnType[] = ['bigint', 'double precision', 'numeric'];

function typeOfColumn(name: string, { columns, rows }: Table, at: number): ColumnType {
  const seen = new Set<ColumnType>();
  for (const row of rows) {
    const cell = row[at] ?? null;
    if (cell !== null) seen.add(typeOfCell(cell));
  }
  if (seen.size === 0) return 'text';
  const [only] = seen;
  if (seen.size === 1) return only as ColumnType;
  const widest = numbers.findLast((type) => seen.has(type));
  if (widest && [...seen].every((type) => numbers.includes(type))) return widest;
  throw new TableFault(
    `${name}: the column ${columns[at] ?? ''} has values of several types: ${[...seen].join(', ')}`,
  );
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A table as SQL that makes it, and what that reads. */
export interface TableCopy {
  readonly script: string;
  readonly rows: string;
}

/** In the place of one of the same name. Throws {@link TableFault}. */
export function copyTable(name: string, table: Table): TableCopy {
  const quoted = quoteName(name);
  const columns = table.columns.map((column, at) => `${quoteName(column)} ${typeOfColumn(name, table, at)}`);
  const lines = table.rows.map((row) => row.map((cell) => copyCell(name, cell)).join('\t'));
  return {
    script: `DROP TABLE IF EXISTS ${quoted}; CREATE TABLE ${quoted} (${columns.join(', ')}); COPY ${quoted} FROM STDIN`,
    rows: lines.map((line) => `${line}\n`).join(''),
  };
}

function copyCell(name: string, cell: Cell): string {
  if (cell === null) return '\\N';
  const text = writeCell(cell);
  if (text.includes('\0')) throw new TableFault(`${name} ${nullCharacter}`);
  return text.replaceAll(/[\\\n\r\t]/gu, (found) => escapes[found] as string);
}

function readWhole(text: string): Cell {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

function readBytes(text: string): Uint8Array {
  const bytes = new Uint8Array((text.length - 2) / 2);
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = Number.parseInt(text.slice(2 + 2 * index, 4 + 2 * index), 16);
  }
  return bytes;
}

/** Integers too large for a number stay exact; what has a fraction is the nearest number. */
function readNumeric(text: string): Cell {
  return /^-?\d+$/u.test(text) ? readWhole(text) : Number(text);
}

const readers = new Map<number, (text: string) => Cell>([
  [types.bool, (text) => text === 't'],
  [types.bytea, readBytes],
  [types.int8, readWhole],
  [types.int2, Number],
  [types.int4, Number],
  [types.oid, Number],
  [types.float4, Number],
  [types.float8, Number],
  [types.numeric, readNumeric],
  [types.void, () => null],
]);

/** What a column of this type brings back: whatever has no reader here comes as Postgres writes it. */
export function readerOf(type: number): (text: string) => Cell {
  return readers.get(type) ?? ((text) => text);
}
