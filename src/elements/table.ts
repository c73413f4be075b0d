/** A table as plain data, the shape that tables and charts here share. */

/** A number, a text, or nothing. */
export type Cell = number | string | null;

export interface TableColumn {
  readonly name: string;
  /** `number`: every cell is a number or empty. */
  readonly kind: 'number' | 'text';
}

/** Rows hold one cell per column, in the order of `columns`. */
export interface Table {
  readonly columns: readonly TableColumn[];
  readonly rows: readonly (readonly Cell[])[];
}

/** A number in the form `1.5`, `-2`, `3e4`; nothing else counts as one. */
export const numberPattern: RegExp = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** The cell a text stands for in a column: empty is nothing, and a number column takes only numbers. */
export function parseCell(column: TableColumn, text: string): Cell | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  if (column.kind === 'text') return text;
  return numberPattern.test(trimmed) && Number.isFinite(Number(trimmed)) ? Number(trimmed) : undefined;
}

/** A table with one cell replaced; the other rows are shared with the old one. */
export function withCell(table: Table, row: number, column: number, value: Cell): Table {
  const rows = table.rows.slice();
  const changed = (rows[row] ?? []).slice();
  changed[column] = value;
  rows[row] = changed;
  return { ...table, rows };
}
