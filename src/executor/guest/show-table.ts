/** Shows the rows of a result beside bringing them back. */
import type { GuestOutput } from './engine.ts';
import type { Cell, Table } from './given-table.ts';
import { tableBundle } from './table-bundle.ts';
import type { TableCell, TableRow } from './table-bundle.ts';

/** What is shown is for eyes; the value has all. */
const shownRows = 100;
const shownCellLength = 1000;

/** Its first rows; nothing when they are more than may be shown, which is no fault of the statement. */
export function showTable(
  { columns, rows }: Table,
  maxLength: number,
  output: Pick<GuestOutput, 'display'>,
): void {
  const names = distinct(columns);
  const shown = rows.slice(0, shownRows).map((row) => row.map(writeCell));
  const given = shown.map((row): TableRow => row.map((cell, at) => [names[at] as string, cell]));
  const bundle = tableBundle(given, {
    plain: plainOf(names, shown, rows.length),
    columns: names,
    total: rows.length,
  });
  const text = JSON.stringify(bundle);
  if (text.length <= maxLength) output.display(text);
}

/** Two columns may have the same name; two fields may not. */
function distinct(columns: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  return columns.map((column) => {
    let name = column;
    for (let count = 2; seen.has(name); count += 1) name = `${column} (${count})`;
    seen.add(name);
    return name;
  });
}

function writeCell(cell: Cell): TableCell {
  if (typeof cell === 'bigint') return String(cell);
  if (typeof cell === 'number') return Number.isFinite(cell) ? cell : String(cell);
  if (cell instanceof Uint8Array) return `<${cell.length} bytes>`;
  if (cell instanceof Date) return cell.toISOString();
  return typeof cell === 'string' && cell.length > shownCellLength
    ? `${cell.slice(0, shownCellLength)}…`
    : cell;
}

function plainOf(columns: readonly string[], rows: readonly (readonly TableCell[])[], total: number): string {
  const lines = [columns, ...rows].map((row) => row.map((cell) => String(cell ?? '')).join(' | '));
  return [...lines, ...(total > rows.length ? [`… ${total - rows.length} more`] : [])].join('\n');
}
