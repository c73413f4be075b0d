/** One exchange with Postgres: rows, notices and errors as they come, within what the run may still have. */
import type { GuestOutput } from '../../../guest/engine.ts';
import type { Cell, Table } from '../../../guest/given-table.ts';
import { sizeOfRow } from '../../../guest/table-value.ts';
import type { Backend } from './backend.ts';
import { readerOf } from './cells.ts';
import type { RunBounds } from './run-bounds.ts';
import { readFields, readReport, readRow } from './wire.ts';
import type { Report } from './wire.ts';

/** Reports have texts and places beside what the guest wrote. */
const reportBytes = 65_536;
/** How `print` marks what it says; notices of others have other codes. */
const printCode = 'VPRNT';

export interface StatementParts {
  readonly backend: Backend;
  readonly bounds: RunBounds;
  readonly output: GuestOutput;
}

/** What is done with what comes. */
export interface Wanted {
  /** Its rows are the result. */
  readonly hasRows: boolean;
  /** It may print. */
  readonly isHeard: boolean;
}

export class StatementRun {
  readonly #parts: StatementParts;
  readonly #wanted: Wanted;
  #columns: readonly string[] = [];
  #readers: readonly ((text: string) => Cell)[] = [];
  #rows: Cell[][] | undefined;
  /** The first one: what follows it is its consequence. */
  error: Report | undefined;

  constructor(parts: StatementParts, wanted: Wanted) {
    this.#parts = parts;
    this.#wanted = wanted;
  }

  /** Its rows, where they were wanted and it has columns. Throws `BackendEnded`. */
  send(message: Uint8Array): Table | undefined {
    const { backend, bounds } = this.#parts;
    const maxBytes = Math.max(bounds.outputLeft, bounds.resultLeft) + reportBytes;
    backend.send(message, maxBytes, (type, body, sizeBytes) => this.#receive(type, body, sizeBytes));
    return this.#rows && { columns: this.#columns, rows: this.#rows };
  }

  #receive(type: string, body: Uint8Array, sizeBytes: number): void {
    const { backend, bounds } = this.#parts;
    if (type === 'T') this.#begin(body);
    else if (type === 'D') this.#take(body, sizeBytes);
    else if (type === 'E') this.error ??= readReport(body);
    else if (type === 'N') this.#hear(readReport(body));
    // rows of COPY … TO STDOUT
    else if (type === 'd') this.#print('stdout', body, sizeBytes);
    if (bounds.look()) backend.cancel();
  }

  #begin(body: Uint8Array): void {
    if (!this.#wanted.hasRows) return;
    const fields = readFields(body);
    this.#columns = fields.map(({ name }) => name);
    this.#readers = fields.map(({ type }) => readerOf(type));
    this.#rows = [];
    this.#parts.bounds.resultLeft -= this.#columns.join('').length;
  }

  #take(body: Uint8Array, sizeBytes: number): void {
    const { bounds } = this.#parts;
    if (!this.#rows || bounds.over) return;
    if (body.length === sizeBytes && sizeBytes <= 2 * bounds.resultLeft + reportBytes) {
      const row = readRow(body).map((cell, at) =>
        cell === null ? null : (this.#readers[at]?.(cell) ?? null),
      );
      bounds.resultLeft -= sizeOfRow(row);
      if (bounds.resultLeft >= 0) return void this.#rows.push(row);
    }
    this.#rows = [];
    bounds.over ??= 'result';
  }

  #hear({ severity, code, message }: Report): void {
    const isPrint = code === printCode;
    const bytes = new TextEncoder().encode(isPrint ? `${message}\n` : `${severity}:  ${message}\n`);
    this.#print(isPrint ? 'stdout' : 'stderr', bytes, bytes.length);
  }

  #print(stream: 'stdout' | 'stderr', bytes: Uint8Array, sizeBytes: number): void {
    const { bounds, output } = this.#parts;
    if (!this.#wanted.isHeard || bounds.over) return;
    output.writeRaw(stream, bytes);
    bounds.outputLeft -= sizeBytes;
    if (bounds.outputLeft >= 0) return;
    bounds.over = 'output';
    output.exceed('outputBytes');
  }
}
