/** The table: the shipped example, a visitor's file, and cells edited by hand. */
import type { Cell, Table } from '../../elements/index.ts';
import { withCell } from '../../elements/index.ts';
import { CodedError, isCodedError, messageOf } from '../../base/index.ts';
import { systemClock, withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import { parseCsv } from './csv.ts';
import { toNotice } from './next-step.ts';
import { questionsFor } from './prepared-questions.ts';
import type { ViewState } from './view-state.ts';

const exampleAddress = '/data/penguins.csv';
const exampleName = 'penguins.csv';
/** The example has 13 kB: what takes longer than this will not come. */
const exampleTimeoutMs = 15_000;

/** Answers the page's wishes about the table. A file that cannot be read leaves the table as it is. */
export class TableControl {
  readonly #state: ViewState;
  readonly #onTable: (table: Table) => void;
  readonly #clock: Clock;
  #loads = 0;

  /** @param onTable called after each change of the rows */
  constructor(state: ViewState, onTable: (table: Table) => void, clock: Clock = systemClock) {
    this.#state = state;
    this.#onTable = onTable;
    this.#clock = clock;
  }

  loadExample(): Promise<void> {
    return this.#load(exampleName, () => fetchExample(this.#clock));
  }

  loadFile(file: Blob & { readonly name?: string }): Promise<void> {
    return this.#load(file.name ?? 'your file', () => Promise.resolve(file));
  }

  editCell(row: number, column: number, value: Cell): void {
    const { table, editedCells } = this.#state.current;
    const next = withCell(table, row, column, value);
    this.#state.update({ table: next, editedCells: new Set(editedCells).add(`${row}:${column}`) });
    this.#onTable(next);
  }

  async #load(name: string, open: () => Promise<Blob>): Promise<void> {
    const load = ++this.#loads;
    this.#state.clear('tableError');
    this.#state.update({ isLoading: true });
    try {
      const table = await parseCsv(await open());
      // a later load has been asked for meanwhile
      if (load !== this.#loads) return;
      const prepared = questionsFor(table.columns.map((column) => column.name));
      this.#state.update({ table, tableName: name, editedCells: new Set(), isLoading: false, prepared });
      this.#onTable(table);
    } catch (error) {
      if (load === this.#loads) this.#state.update({ isLoading: false, tableError: toNotice(error) });
    }
  }
}

/** @throws `app/example-unavailable`: no answer in time, no connection, or a status other than 2xx */
async function fetchExample(clock: Clock): Promise<Blob> {
  try {
    return await withDeadline(clock, { timeoutMs: exampleTimeoutMs }, async (signal) => {
      const response = await fetch(exampleAddress, { signal });
      if (!response.ok)
        throw unavailable(`was answered with status ${response.status}`, { status: response.status });
      return await response.blob();
    });
  } catch (error) {
    if (isCodedError(error, 'app/example-unavailable')) throw error;
    if (isCodedError(error, 'port/timeout'))
      throw unavailable(`did not arrive within ${exampleTimeoutMs / 1000} s`, {
        timeoutMs: exampleTimeoutMs,
      });
    throw unavailable(`could not be loaded: ${messageOf(error)}`, {});
  }
}

function unavailable(what: string, facts: Readonly<Record<string, number>>): CodedError {
  return new CodedError('app/example-unavailable', `${exampleAddress} ${what}.`, {
    fields: { url: exampleAddress, ...facts },
    isRetryable: true,
  });
}
