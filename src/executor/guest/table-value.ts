/** A table on its way out: how large it is counted, and how it is written. */
import type { GuestOutput } from './engine.ts';
import type { Cell, Table } from './given-table.ts';
import { writeValue } from './guest-values.ts';
import type { WrittenValue } from './guest-values.ts';

/** What a cell is counted as, besides its bytes. */
const cellBytes = 8;

export function sizeOfRow(row: readonly Cell[]): number {
  return row.reduce<number>((sum, cell) => {
    const isLong = typeof cell === 'string' || cell instanceof Uint8Array;
    return sum + cellBytes + (isLong ? cell.length : 0);
  }, cellBytes);
}

export function sizeOfTable({ rows }: Table): number {
  return rows.reduce((sum, row) => sum + sizeOfRow(row), 0);
}

/** As the value of a run: `{ columns, rows }`, or null. Dates become text. */
export function writeTable(table: Table | undefined, output: Pick<GuestOutput, 'keep'>): unknown {
  if (!table) return null;
  const rows = table.rows.map((row) =>
    row.map((cell): WrittenValue => (cell instanceof Date ? cell.toISOString() : cell)),
  );
  return writeValue({ columns: table.columns, rows }, output);
}
