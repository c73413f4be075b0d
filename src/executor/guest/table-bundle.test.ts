import { expect, test } from 'vitest';
import { tableBundle } from './table-bundle.ts';
import type { TableRow } from './table-bundle.ts';

interface Resource {
  readonly schema: { readonly fields: readonly { readonly name: string; readonly type: string }[] };
  readonly data: readonly Readonly<Record<string, unknown>>[];
}

function show(rows: readonly TableRow[]): { readonly html: string; readonly resource: Resource } {
  const bundle = tableBundle(rows, { plain: 'p' });
  return {
    html: bundle['text/html'] as string,
    resource: JSON.parse(bundle['application/vnd.dataresource+json'] as string) as Resource,
  };
}

test('a table has the columns of all its rows', () => {
  const { html, resource } = show([[['a', 1]], [['b', '<']]]);
  expect(html).toBe(
    '<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td></td></tr><tr><td></td><td>&lt;</td></tr></tbody></table>',
  );
  expect(resource.schema.fields).toEqual([
    { name: 'a', type: 'number' },
    { name: 'b', type: 'string' },
  ]);
});

test('a table without columns is one', () => {
  expect(show([]).html).toBe('<table><thead><tr></tr></thead><tbody></tbody></table>');
  expect(show([[], []]).resource.data).toEqual([{}, {}]);
});

test('rows that have columns of their own become no table of all by all', () => {
  // four hundred million cells, were they built
  const rows = Array.from({ length: 1000 }, (_row, at) =>
    Array.from({ length: 400 }, (_cell, index) => [`${at}-${index}`, 1] as const),
  );
  const { html, resource } = show(rows);
  expect(resource.schema.fields).toHaveLength(200);
  expect(resource.data).toHaveLength(500);
  expect(html.match(/<td>/gu)).toHaveLength(100_000);
  expect(html).toMatch(/<p>… 500 more<\/p><p>… 399800 more columns<\/p>$/u);
});

test('a name that is long is not written as often as there are rows', () => {
  const rows = Array.from({ length: 1000 }, () => [['x'.repeat(100_000), 1] as const]);
  expect(show(rows).resource.data).toHaveLength(40);
  expect(show([[['x'.repeat(5_000_000), 1]]]).resource.data).toHaveLength(0);
});
