/** A table as a MIME bundle: for machines, for a page, and as text. It says no more than its first rows where it has many. */

/** What a cell holds once it is written down. */
export type TableCell = null | boolean | number | string;
/** One row: names and cells. */
export type TableRow = readonly (readonly [column: string, cell: TableCell])[];

/** Rows beyond these are counted, not shown. */
const shownRows = 1000;

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
  const shown = rows.slice(0, shownRows).map((row) => new Map(row));
  const columns = given ?? [...new Set(shown.flatMap((row) => [...row.keys()]))];
  const fields = columns.map((name) => ({ name, type: typeOfColumn(shown, name) }));
  const data = shown.map((row) => Object.fromEntries(columns.map((name) => [name, row.get(name) ?? null])));
  return {
    'text/html': writeHtml(columns, shown, total),
    'application/vnd.dataresource+json': JSON.stringify({ schema: { fields }, data }),
    'text/plain': plain,
  };
}

function typeOfColumn(rows: readonly ReadonlyMap<string, TableCell>[], name: string): FieldType {
  const kinds = new Set(
    rows.map((row) => row.get(name) ?? null).map((cell) => (cell === null ? '' : typeof cell)),
  );
  kinds.delete('');
  return kinds.size === 1 ? ([...kinds][0] as FieldType) : 'any';
}

function writeHtml(
  columns: readonly string[],
  rows: readonly ReadonlyMap<string, TableCell>[],
  total: number,
): string {
  const line = (tag: string, texts: readonly string[]): string =>
    `<tr>${texts.map((text) => `<${tag}>${escape(text)}</${tag}>`).join('')}</tr>`;
  const body = rows.map((row) =>
    line(
      'td',
      columns.map((name) => String(row.get(name) ?? '')),
    ),
  );
  const rest = total - rows.length;
  const more = rest > 0 ? `<p>… ${rest} more</p>` : '';
  return `<table><thead>${line('th', columns)}</thead><tbody>${body.join('')}</tbody></table>${more}`;
}
