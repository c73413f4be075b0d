/** Columns of a table, and the one place where a caller's values become float64. */
import { CodedError } from '../../base/index.ts';
import type { Json } from '../../base/index.ts';
import { maxColumnEntries, maxColumns } from '../limits.ts';

/** Values of one column; `null` and NaN are missing values. */
export type ColumnInput = readonly (number | null)[] | Float64Array | Float32Array | Int32Array;

/** Columns by name. */
export type TableInput = Readonly<Record<string, ColumnInput>>;

/** What is done with missing values: refuse them, or leave them out (and count what is left). */
export type MissingValues = 'error' | 'omit';

/** `compute/column-invalid`, naming the column, what is wrong with it and what was expected. */
export function columnInvalid(
  column: string,
  reason: string,
  expected: string,
  fields: Record<string, Json> = {},
): CodedError {
  const seen = Object.entries(fields).map(([name, value]) => `, ${name} ${JSON.stringify(value)}`);
  return new CodedError(
    'compute/column-invalid',
    `column "${column}" is ${reason}${seen.join('')}; expected ${expected}`,
    {
      fields: { field: column, reason, expected, ...fields },
    },
  );
}

function numberAt(name: string, value: unknown, row: number): number {
  if (value === null) return NaN;
  if (typeof value !== 'number') {
    throw columnInvalid(name, 'not numeric', 'a number or null in every row', { row, value: typeof value });
  }
  if (value === Infinity || value === -Infinity) {
    throw columnInvalid(name, 'not finite', 'finite numbers', { row, value: String(value) });
  }
  return value;
}

/** A float64 copy in which NaN stands for every missing value. Errors: `compute/column-invalid`. */
export function toColumn(name: string, input: ColumnInput): Float64Array {
  if (!Array.isArray(input) && !(ArrayBuffer.isView(input) && 'length' in input)) {
    throw columnInvalid(name, 'not a column', 'an array of numbers', { value: typeof input });
  }
  if (input.length === 0) throw columnInvalid(name, 'empty', 'at least one value');
  if (input.length > maxColumnEntries) {
    throw columnInvalid(name, 'too long', `at most ${maxColumnEntries} values`, { length: input.length });
  }
  const values = new Float64Array(input.length);
  for (let row = 0; row < values.length; row++) values[row] = numberAt(name, input[row], row);
  return values;
}

/** The present values. Errors: `compute/column-invalid` for a missing one under 'error', and when none is left. */
export function presentValues(name: string, values: Float64Array, missing: MissingValues): Float64Array {
  const row = values.findIndex(Number.isNaN);
  if (row < 0) return values;
  if (missing === 'error') {
    throw columnInvalid(name, 'missing a value', 'a number in every row, or missing: "omit"', { row });
  }
  const present = values.filter((value) => !Number.isNaN(value));
  if (present.length === 0) throw columnInvalid(name, 'empty', 'at least one value that is not missing');
  return present;
}

/** Names and float64 columns of a table. Errors: `compute/column-invalid`, `compute/table-invalid`. */
export function toTable(input: TableInput): { names: readonly string[]; columns: readonly Float64Array[] } {
  const isTable = typeof input === 'object' && input !== null && !Array.isArray(input);
  const entries = isTable ? Object.entries(input) : [];
  if (entries.length === 0 || entries.length > maxColumns) {
    throw new CodedError(
      'compute/table-invalid',
      `table has ${entries.length} columns, expected 1 to ${maxColumns}`,
      {
        fields: { field: 'columns', value: entries.length, expected: `1 to ${maxColumns} columns by name` },
      },
    );
  }
  return {
    names: entries.map(([name]) => name),
    columns: entries.map(([name, column]) => toColumn(name, column)),
  };
}
