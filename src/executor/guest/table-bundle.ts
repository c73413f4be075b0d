/**
 * A table as a MIME bundle: for machines, for a page, and as text. It says no more than its first rows and columns where it has many: it is built
 * outside the guest's own memory, and each row without a column has a cell for it here.
 */

/** What a cell holds once it is written down. */
export type TableCell = null | boolean | number | string;
/** One row: names and cells. */
export type TableRow = readonly (readonly [column: string, cell: TableCell])[];

/** Rows beyond these are counted, not shown. */
const shownRows = 1000;
/** Columns beyond these, too. */
const shownColumns = 200;
/** Rows are fewer where the columns are many. */
const shownCells = 100_000;
/** For machines each row says the names of all columns: so many characters at most, in all rows. */
const shownNamesLength = 4_000_000;

type FieldType = 'boolean' | 'number' | 'string' | 'any';

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text: string): string => text.replaceAll(/[&<>"]/gu, (found) => entities[found] as string);

/** What is known of a table besides its rows. */
export interface TableTexts {
  /** The table as text. */
  readonly plain: string;
  /** Default: those that the rows have. */
  readonly columns?: readonly string[];
  /** Of rows, where these are not all. */
  readonly total?: number;
}

export function tableBundle(
  rows: readonly TableRow[],
  { plain, columns: given, total = rows.length }: TableTexts,
): Readonly<Record<string, string>> {
  const first = rows.slice(0, shownRows);
  const all = given ?? [...new Set(first.flatMap((row) => row.map(([name]) => name)))];
  const columns = all.slice(0, shownColumns);
  const shown = first.slice(0, rowsFor(columns)).map((row) => new Map(row));
  const fields = columns.map((name) => ({ name, type: typeOfColumn(shown, name) }));
  const data = shown.map((row) => Object.fromEntries(columns.map((name) => [name, row.get(name) ?? null])));
  return {
    'text/html':
      writeHtml(columns, shown) +
      writeMore(total - shown.length, '') +
      writeMore(all.length - columns.length, ' columns'),
    'application/vnd.dataresource+json': JSON.stringify({ schema: { fields }, data }),
    'text/plain': plain,
  };
}

function rowsFor(columns: readonly string[]): number {
  const namesLength = columns.reduce((sum, name) => sum + name.length, 0);
  return Math.floor(Math.min(shownCells / columns.length, shownNamesLength / Math.max(namesLength, 1)));
}

const writeMore = (count: number, what: string): string => (count > 0 ? `<p>… ${count} more${what}</p>` : '');

function typeOfColumn(rows: readonly ReadonlyMap<string, TableCell>[], name: string): FieldType {
  const kinds = new Set(
    rows.map((row) => row.get(name) ?? null).map((cell) => (cell === null ? '' : typeof cell)),
  );
  kinds.delete('');
  return kinds.size === 1 ? ([...kinds][0] as FieldType) : 'any';
}

function writeHtml(columns: readonly string[], rows: readonly ReadonlyMap<string, TableCell>[]): string {
  const line = (tag: string, texts: readonly string[]): string =>
    `<tr>${texts.map((text) => `<${tag}>${escape(text)}</${tag}>`).join('')}</tr>`;
  const body = rows.map((row) =>
    line(
      'td',
      columns.map((name) => String(row.get(name) ?? '')),
    ),
  );
  return `<table><thead>${line('th', columns)}</thead><tbody>${body.join('')}</tbody></table>`;
}
