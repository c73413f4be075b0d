/** Correlations by the numeric core, and the scatter plot's points. */
import type { Cell, Table } from '../../elements/index.ts';
import type { Compute } from '../../compute/index.ts';
import { toNotice } from './next-step.ts';
import type { ScatterView } from './view.ts';
import type { ViewState } from './view-state.ts';

/** Columns in the matrix: more could not be read. */
const maxColumns = 10;

/** Columns that a table of birds suggests first. */
const preferredAxes = ['flipper_length_mm', 'body_mass_g'] as const;

/** Recomputes when the rows change; a late result of older rows is dropped. */
export class NumbersControl {
  readonly #state: ViewState;
  readonly #compute: Compute;
  #abort: AbortController | undefined;

  constructor(state: ViewState, compute: Compute) {
    this.#state = state;
    this.#compute = compute;
  }

  async update(table: Table): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.chooseAxes({});
    const labels = numericNames(table).slice(0, maxColumns);
    if (labels.length < 2) return this.#state.clear('numbers');
    try {
      const columns = Object.fromEntries(labels.map((name) => [name, columnOf(table, name)]));
      const found = await this.#compute.correlation(columns, { missing: 'omit', signal: abort.signal });
      const device = await this.#compute.device({ signal: abort.signal });
      if (abort.signal.aborted) return;
      const { data, columns: width } = found.correlation;
      const matrix = labels.map((_, row) => Array.from(data.slice(row * width, (row + 1) * width)));
      this.#state.update({ numbers: { labels, matrix, device: device.kind, rows: found.count } });
    } catch (error) {
      if (abort.signal.aborted) return;
      this.#state.update({ numbers: { labels, matrix: [], device: '', rows: 0, error: toNotice(error) } });
    }
  }

  /** Keeps the axes that are not named, as long as the table has them. */
  chooseAxes(axes: { readonly x?: string; readonly y?: string }): void {
    const { table, scatter } = this.#state.current;
    const names = numericNames(table);
    if (names.length < 2) return this.#state.clear('scatter');
    const pick = (wanted: readonly (string | undefined)[], fallback: string): string =>
      wanted.find((name) => name !== undefined && names.includes(name)) ?? fallback;
    const x = pick([axes.x, scatter?.x, preferredAxes[0]], names[0] ?? '');
    const y = pick([axes.y, scatter?.y, preferredAxes[1]], names[1] ?? '');
    this.#state.update({ scatter: toScatter(table, x, y) });
  }
}

function numericNames(table: Table): string[] {
  return table.columns.filter(({ kind }) => kind === 'number').map(({ name }) => name);
}

function columnOf(table: Table, name: string): (number | null)[] {
  const at = table.columns.findIndex((column) => column.name === name);
  return table.rows.map((row) => asNumber(row[at]));
}

const asNumber = (cell: Cell | undefined): number | null => (typeof cell === 'number' ? cell : null);

/** Groups by the first text column with few values. */
function toScatter(table: Table, x: string, y: string): ScatterView {
  const places = { x: placeOf(table, x), y: placeOf(table, y) };
  const groupAt = table.columns.findIndex(({ kind }, at) => kind === 'text' && hasFewValues(table, at));
  const points = table.rows.flatMap((row) => {
    const [left, up] = [row[places.x], row[places.y]];
    if (typeof left !== 'number' || typeof up !== 'number') return [];
    const group = row[groupAt];
    return [{ x: left, y: up, group: typeof group === 'string' ? group : null }];
  });
  return { x, y, group: table.columns[groupAt]?.name, points };
}

const placeOf = (table: Table, name: string): number =>
  table.columns.findIndex((column) => column.name === name);

function hasFewValues(table: Table, at: number): boolean {
  const seen = new Set<Cell>();
  for (const row of table.rows) {
    seen.add(row[at] ?? null);
    if (seen.size > 8) return false;
  }
  return seen.size > 1;
}
