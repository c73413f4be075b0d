import { afterEach, beforeAll, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { defineElements } from './define.ts';
import type { Table } from './table.ts';
import { withCell } from './table.ts';
import type { CellEditDetail, VivariumDataTable } from './vivarium-data-table.ts';

beforeAll(() => defineElements());
afterEach(() => document.body.replaceChildren());

const bigTable: Table = {
  columns: [
    { name: 'name', kind: 'text' },
    { name: 'size', kind: 'number' },
  ],
  rows: Array.from({ length: 100_000 }, (_, at) => [`row ${at}`, at]),
};

async function open(
  table: Table = bigTable,
): Promise<{ element: VivariumDataTable; edits: CellEditDetail[] }> {
  const element = document.createElement('vivarium-data-table') as VivariumDataTable;
  element.isEditable = true;
  element.table = table;
  const edits: CellEditDetail[] = [];
  element.addEventListener('cell-edit', (event) => {
    const { detail } = event as CustomEvent<CellEditDetail>;
    edits.push(detail);
    element.table = withCell(element.table, detail.row, detail.column, detail.value);
  });
  document.body.append(element);
  await element.updateComplete;
  return { element, edits };
}

const cellOf = (element: VivariumDataTable, row: number, column: string): HTMLElement | null =>
  element.renderRoot.querySelector(`td[data-row="${row}"][data-column="${column}"]`);
const focused = (element: VivariumDataTable): string | undefined => {
  const cell = (element.renderRoot as ShadowRoot).activeElement as HTMLElement | null;
  return cell ? `${cell.dataset['row']} ${cell.dataset['column']}` : undefined;
};

test('a hundred thousand rows put a window of rows into the document', async () => {
  const { element } = await open();
  expect(element.renderRoot.querySelectorAll('tbody tr').length).toBeLessThan(60);
  expect(element.renderRoot.querySelector('table')?.getAttribute('aria-rowcount')).toBe('100001');
  const scroller = element.renderRoot.querySelector('.scroller') as HTMLElement;
  scroller.scrollTop = 34 * 50_000;
  await expect.poll(() => cellOf(element, 50_003, 'size')?.textContent?.trim()).toBe('50003');
  expect(element.renderRoot.querySelectorAll('tbody tr').length).toBeLessThan(60);
});

test('the keyboard walks, reaches both ends, and stays inside', async () => {
  const { element } = await open();
  cellOf(element, 0, 'name')?.focus();
  await userEvent.keyboard('{ArrowUp}{ArrowLeft}{ArrowRight}{ArrowDown}');
  await expect.poll(() => focused(element)).toBe('1 size');
  await userEvent.keyboard('{Control>}{End}{/Control}');
  await expect.poll(() => focused(element)).toBe('99999 size');
  await userEvent.keyboard('{ArrowDown}{Control>}{Home}{/Control}');
  await expect.poll(() => focused(element)).toBe('0 name');
});

test('Enter edits and moves on, Escape gives up', async () => {
  const { element, edits } = await open();
  cellOf(element, 2, 'size')?.click();
  await element.updateComplete;
  await userEvent.keyboard('{Enter}');
  await userEvent.keyboard('77{Enter}');
  expect(edits).toEqual([{ row: 2, column: 1, value: 77 }]);
  await expect.poll(() => focused(element)).toBe('3 size');
  await userEvent.keyboard('{F2}');
  await userEvent.keyboard('5{Escape}');
  expect(edits).toHaveLength(1);
  expect(cellOf(element, 3, 'size')?.textContent?.trim()).toBe('3');
});

test('a number column takes numbers and nothing, and says so', async () => {
  const { element, edits } = await open();
  cellOf(element, 0, 'size')?.click();
  await element.updateComplete;
  await userEvent.keyboard('{Enter}');
  await userEvent.keyboard('much{Enter}');
  expect(edits).toHaveLength(0);
  const refusal = element.renderRoot.querySelector('.refusal');
  await expect.poll(() => refusal?.textContent).toContain('“much” is not a number');
  await userEvent.keyboard('{Control>}a{/Control}{Backspace}{Enter}');
  expect(edits).toEqual([{ row: 0, column: 1, value: null }]);
  await expect.poll(() => refusal?.textContent).toBe('');
});

test('edited cells are marked', async () => {
  const { element } = await open();
  element.editedCells = new Set(['1:1']);
  await element.updateComplete;
  expect(cellOf(element, 1, 'size')?.classList.contains('edited')).toBe(true);
  expect(cellOf(element, 1, 'name')?.classList.contains('edited')).toBe(false);
});

test('Enter that takes a candidate of an input method leaves the cell in editing', async () => {
  const { element, edits } = await open();
  cellOf(element, 0, 'name')?.click();
  await element.updateComplete;
  await userEvent.keyboard('{Enter}');
  await expect.poll(() => cellOf(element, 0, 'name')?.querySelector('input')).toBeTruthy();
  const field = cellOf(element, 0, 'name')?.querySelector('input') as HTMLInputElement;
  field.value = '企鵝';
  const press = (isComposing: boolean): boolean =>
    field.dispatchEvent(
      new KeyboardEvent('keydown', { key: 'Enter', isComposing, bubbles: true, composed: true }),
    );
  press(true);
  expect(edits).toEqual([]);
  press(false);
  expect(edits).toEqual([{ row: 0, column: 0, value: '企鵝' }]);
});
