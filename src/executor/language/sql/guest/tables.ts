/** Makes tables of variables and files. */
import type { Database, PreparedStatement, Sqlite3Static } from '@sqlite.org/sqlite-wasm';
import { quoteName } from '../../../guest/given-table.ts';
import type { Cell, CellKinds, Table } from '../../../guest/given-table.ts';
import type { ReadValue } from '../../../guest/guest-values.ts';

const longest = 2n ** 63n;

/** A single value as SQLite keeps it: truth as 1 and 0, dates as text. `undefined` for what is none. */
export function toCell(value: ReadValue | undefined): Cell | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'bigint') return value >= -longest && value < longest ? value : undefined;
  if (value instanceof Uint8Array) return value;
  return value instanceof Date ? value.toISOString() : undefined;
}

export const sqliteCells: CellKinds = {
  toCell,
  words: 'null, a number of 64 bits, text, bytes nor a date',
};

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
