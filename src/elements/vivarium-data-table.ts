/** A table of any length in a window of rows: only what is seen is in the document. Cells can be edited. */
import type { CSSResultGroup, PropertyDeclarations, PropertyValues, TemplateResult } from 'lit';
import { html, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Cell, Table, TableColumn } from './table.ts';
import { parseCell } from './table.ts';
import { tableStyles } from './table-styles.ts';
import { controls, VivariumElement } from './vivarium-element.ts';

/** Detail of `cell-edit`. */
export interface CellEditDetail {
  /** Zero-based. */
  readonly row: number;
  readonly column: number;
  readonly value: Cell;
}

interface Place {
  readonly row: number;
  readonly column: number;
}

/** Height of a row in CSS pixels; the window is counted in it. */
const rowHeight = 34;
/** Rows drawn beyond each edge, so that scrolling shows no gap. */
const overscan = 8;

/** `<vivarium-data-table>`: an ARIA grid; arrows move, Enter or F2 edits, Escape gives up. Fires `cell-edit`. */
export class VivariumDataTable extends VivariumElement {
  static readonly tag: string = 'vivarium-data-table';
  static override properties: PropertyDeclarations = {
    table: { attribute: false },
    editedCells: { attribute: false },
    isEditable: { type: Boolean, attribute: 'editable' },
    label: {},
    firstRow: { state: true },
    visibleRows: { state: true },
    place: { state: true },
    editing: { state: true },
    refusal: { state: true },
  };
  static override styles: CSSResultGroup = [controls, tableStyles];

  declare table: Table;
  /** Keys `row:column` of cells that differ from the loaded file; they are marked. */
  declare editedCells: ReadonlySet<string>;
  declare isEditable: boolean;
  declare label: string;
  declare firstRow: number;
  declare visibleRows: number;
  declare place: Place;
  declare editing: Place | undefined;
  declare refusal: string;
  #moved = false;

  constructor() {
    super();
    this.table = { columns: [], rows: [] };
    this.editedCells = new Set();
    this.isEditable = false;
    this.label = 'Data';
    this.firstRow = 0;
    this.visibleRows = 16;
    this.place = { row: 0, column: 0 };
    this.refusal = '';
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('table');
    if (before && (before.rows.length !== this.table.rows.length || before.columns !== this.table.columns)) {
      this.place = { row: 0, column: 0 };
      this.editing = undefined;
      this.refusal = '';
    }
  }

  override updated(changed: PropertyValues<this>): void {
    if (changed.has('editing') && this.editing)
      this.renderRoot.querySelector<HTMLInputElement>('td input')?.select();
    else if (this.#moved) this.renderRoot.querySelector<HTMLElement>('td[tabindex="0"]')?.focus();
    this.#moved = false;
  }

  override render(): TemplateResult {
    const { columns, rows } = this.table;
    const from = Math.max(0, Math.min(this.firstRow, rows.length - 1) - overscan);
    const to = Math.min(rows.length, from + this.visibleRows + 2 * overscan);
    return html`
      <div class="scroller" @scroll=${this.#scroll} tabindex=${rows.length === 0 ? 0 : -1}>
        <table
          role="grid"
          aria-label=${this.label}
          aria-rowcount=${rows.length + 1}
          aria-colcount=${columns.length + 1}
          aria-readonly=${!this.isEditable}
          @keydown=${this.#key}
        >
          <thead>
            <tr aria-rowindex="1">
              <th class="index" scope="col"><span class="hidden">Row</span></th>
              ${columns.map(
                ({ name, kind }) =>
                  html`<th scope="col" class=${kind}>${name}<span class="kind">${kind}</span></th>`,
              )}
            </tr>
          </thead>
          <tbody>
            ${spacer(from, columns.length)}
            ${repeat(
              rows.slice(from, to),
              // the focus must travel with its row, so rows keep their elements
              (_, offset) => from + offset,
              (row, offset) =>
                this.#row(row, from + offset, Math.min(Math.max(this.place.row, from), to - 1)),
            )}
            ${spacer(rows.length - to, columns.length)}
          </tbody>
        </table>
      </div>
      <p class="foot">
        <span>${rows.length.toLocaleString()} rows × ${columns.length} columns</span>
        ${this.isEditable ? html`<span>Double-click or press Enter on a cell to edit it</span>` : nothing}
      </p>
      <p class="refusal" role="alert">${this.refusal}</p>
    `;
  }

  /** @param reachable the row whose cell Tab reaches: the one last visited, or the nearest that is drawn */
  #row(row: readonly Cell[], index: number, reachable: number): TemplateResult {
    return html`<tr aria-rowindex=${index + 2}>
      <th class="index" scope="row">${index + 1}</th>
      ${this.table.columns.map((column, at) =>
        this.#cell(row[at] ?? null, column, {
          row: index,
          column: at,
          isReachable: index === reachable && at === this.place.column,
        }),
      )}
    </tr>`;
  }

  #cell(value: Cell, column: TableColumn, at: Place & { readonly isReachable: boolean }): TemplateResult {
    const isEditing = this.editing?.row === at.row && this.editing.column === at.column;
    const isEdited = this.editedCells.has(`${at.row}:${at.column}`);
    const text = value === null ? '' : String(value);
    return html`<td
      role="gridcell"
      class="${column.kind} ${isEdited ? 'edited' : ''}"
      tabindex=${at.isReachable && !isEditing ? 0 : -1}
      aria-colindex=${at.column + 2}
      data-row=${at.row}
      data-column=${column.name}
      title=${isEdited ? 'Edited here; the file is unchanged' : nothing}
      @focus=${() => (this.place = { row: at.row, column: at.column })}
      @click=${() => this.#go(at)}
      @dblclick=${() => this.#edit(at)}
    >
      ${
        isEditing
          ? html`<input .value=${text} aria-label="${column.name}, row ${at.row + 1}" @blur=${this.#leave} />`
          : text === ''
            ? html`<span class="empty" aria-label="empty">–</span>`
            : text
      }
    </td>`;
  }

  #go(to: Place): void {
    const { rows, columns } = this.table;
    const row = Math.max(0, Math.min(to.row, rows.length - 1));
    const column = Math.max(0, Math.min(to.column, columns.length - 1));
    if (this.editing && (this.editing.row !== row || this.editing.column !== column)) return;
    this.place = { row, column };
    this.#reveal(row);
    this.#moved = this.editing === undefined;
  }

  #reveal(row: number): void {
    const scroller = this.renderRoot.querySelector('.scroller');
    if (!scroller) return;
    const top = row * rowHeight;
    const space = scroller.clientHeight - 2 * rowHeight;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top > scroller.scrollTop + space) scroller.scrollTop = top - space;
    this.#measure(scroller);
  }

  #edit(at: Place): void {
    if (!this.isEditable) return;
    this.place = at;
    this.editing = at;
  }

  #commit(text: string): boolean {
    const at = this.editing;
    const column = at && this.table.columns[at.column];
    if (!at || !column) return true;
    const value = parseCell(column, text);
    if (value === undefined) {
      this.refusal = `“${text}” is not a number, and every cell of ${column.name} must be one or be empty.`;
      return false;
    }
    this.refusal = '';
    this.editing = undefined;
    if (value !== this.table.rows[at.row]?.[at.column])
      this.announce<CellEditDetail>('cell-edit', { row: at.row, column: at.column, value });
    return true;
  }

  #giveUp(): void {
    this.editing = undefined;
    this.refusal = '';
    this.#moved = true;
  }

  readonly #leave = (event: FocusEvent): void => {
    if (this.editing && !this.#commit((event.target as HTMLInputElement).value)) this.editing = undefined;
  };

  readonly #key = (event: KeyboardEvent): void => {
    const handled = this.editing ? this.#editKey(event) : this.#walkKey(event);
    if (handled) event.preventDefault();
  };

  #editKey(event: KeyboardEvent): boolean {
    // Enter and Escape belong to an input method while it offers candidates
    if (event.isComposing) return false;
    if (event.key === 'Escape') this.#giveUp();
    else if (event.key === 'Enter') {
      const at = this.place;
      if (this.#commit((event.target as HTMLInputElement).value))
        this.#go({ row: at.row + 1, column: at.column });
    } else return false;
    return true;
  }

  #walkKey(event: KeyboardEvent): boolean {
    const { row, column } = this.place;
    if (event.key === 'Enter' || event.key === 'F2') this.#edit(this.place);
    else {
      const page = this.visibleRows - 2;
      const to: Place | undefined = {
        ArrowDown: { row: row + 1, column },
        ArrowUp: { row: row - 1, column },
        ArrowRight: { row, column: column + 1 },
        ArrowLeft: { row, column: column - 1 },
        PageDown: { row: row + page, column },
        PageUp: { row: row - page, column },
        Home: { row: event.ctrlKey ? 0 : row, column: 0 },
        End: { row: event.ctrlKey ? this.table.rows.length : row, column: this.table.columns.length },
      }[event.key];
      if (!to) return false;
      this.#go(to);
    }
    return true;
  }

  readonly #scroll = (event: Event): void => this.#measure(event.target as Element);

  #measure(scroller: Element): void {
    this.firstRow = Math.floor(scroller.scrollTop / rowHeight);
    this.visibleRows = Math.max(8, Math.ceil(scroller.clientHeight / rowHeight));
  }
}

function spacer(rows: number, columns: number): TemplateResult | typeof nothing {
  if (rows <= 0) return nothing;
  return html`<tr class="spacer" aria-hidden="true" style="height: ${rows * rowHeight}px">
    <td colspan=${columns + 1}></td>
  </tr>`;
}
