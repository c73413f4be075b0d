/** SQL as an engine: a script in, the rows of its last statement out. */
import type { PreparedStatement, Sqlite3Static } from '@sqlite.org/sqlite-wasm';
import { systemClock } from '../../../../platform/index.ts';
import type { LostName } from '../../../outcome.ts';
import type { SaveBounds } from '../../../sandbox/session-protocol.ts';
import type { Engine, EngineRun, GuestOutput, SavedState } from '../../../guest/engine.ts';
import { quoteName, readTable, readTableFile, TableFault } from '../../../guest/given-table.ts';
import type { Cell, Table } from '../../../guest/given-table.ts';
import { readValue } from '../../../guest/guest-values.ts';
import { showTable } from '../../../guest/show-table.ts';
import { sizeOfRow, sizeOfTable, writeTable } from '../../../guest/table-value.ts';
import type { RunRequest } from '../../../sandbox/protocol.ts';
import { SqlDatabase } from './sql-database.ts';
import { SqlSession } from './sql-session.ts';
import { cutStatements, placeIn, placeOf } from './statements.ts';
import type { Place, Statement } from './statements.ts';
import { bindCell, putTable, sqliteCells, toCell } from './tables.ts';

export interface SqlParts {
  readonly sqlite: Sqlite3Static;
  readonly interrupt: SharedArrayBuffer | undefined;
  readonly output: GuestOutput;
}

/** A statement failed; SQLite's error is its cause. */
class StatementFault extends Error {
  readonly place: Place;
  readonly resultCode: number;

  constructor(message: string, resultCode: number, place: Place) {
    super(message);
    this.place = place;
    this.resultCode = resultCode;
  }
}

/** More rows than a result may hold. */
class ResultTooLarge extends Error {}

/** What only the reader of SQL says: nothing about tables that an earlier statement may make. */
const syntaxMessage = /syntax error$|^incomplete input$|^unrecognized token/u;
const messageLength = 16_384;

export class SqlEngine implements Engine {
  readonly interruptName = 'InterruptError';
  readonly #parts: SqlParts;
  readonly #sql: SqlDatabase;
  readonly #session: SqlSession;

  constructor(parts: SqlParts) {
    this.#parts = parts;
    this.#sql = new SqlDatabase(parts.sqlite, parts.interrupt, parts.output);
    this.#session = new SqlSession(this.#sql);
  }

  save(bounds: SaveBounds): SavedState | undefined {
    try {
      return this.#session.save(bounds);
    } catch {
      // an interrupt that was meant for the next run, or no memory left: what was put aside before stays
      return undefined;
    }
  }

  restore(parts: readonly Uint8Array[]): readonly LostName[] {
    return this.#session.restore(parts);
  }

  run({ request: bytes, buffers, timeoutMs }: EngineRun): string {
    const endMs = systemClock.monotonic() + timeoutMs;
    const request = JSON.parse(new TextDecoder().decode(bytes)) as RunRequest;
    this.#sql.begin({ endMs, outputBytes: request.outputBytes });
    try {
      return JSON.stringify(this.#run(request, buffers));
    } catch (error) {
      return JSON.stringify(this.#failure(error));
    }
  }

  #run(request: RunRequest, buffers: readonly Uint8Array[]): unknown {
    const { code, resultBytes, outputs } = request;
    const statements = cutStatements(code);
    const fault = nullCharacter(code) ?? this.#findSyntaxFault(code, statements);
    if (fault) return { type: 'syntax-error', message: short(fault.message), ...fault.place };
    const parameters = this.#putGiven(request, buffers);
    let leftBytes = resultBytes;
    let result: Table | undefined;
    for (const [index, statement] of statements.entries()) {
      const isLast = index === statements.length - 1;
      result = this.#execute(code, statement, { parameters, maxBytes: isLast ? leftBytes : undefined });
    }
    if (result) leftBytes -= sizeOfTable(result);
    if (result && request.displays > 0) showTable(result, request.displayBytes, this.#parts.output);
    const variables = outputs.map((name) => {
      const query = { text: `SELECT * FROM ${quoteName(name)}`, start: 0 };
      const table = this.#execute(query.text, query, { parameters: new Map(), maxBytes: leftBytes });
      leftBytes -= table ? sizeOfTable(table) : 0;
      return [name, this.#write(table)] as const;
    });
    return { type: 'returned', value: this.#write(result), variables };
  }

  #write(table: Table | undefined): unknown {
    return writeTable(table, this.#parts.output);
  }

  /** Of the statements as they stand; nothing of them runs. */
  #findSyntaxFault(script: string, statements: readonly Statement[]): StatementFault | undefined {
    for (const statement of statements) {
      try {
        this.#prepare(script, statement).finalize();
      } catch (error) {
        if (!(error instanceof StatementFault)) throw error;
        if (syntaxMessage.test(error.message)) return error;
      }
    }
    return undefined;
  }

  #prepare(script: string, statement: Statement): PreparedStatement {
    try {
      return this.#sql.database.prepare(statement.text);
    } catch (error) {
      throw this.#fault(error, () => placeIn(script, statement, this.#sql.errorOffset));
    }
  }

  #fault(error: unknown, place: () => Place): unknown {
    const code = (error as { resultCode?: unknown }).resultCode;
    if (typeof code !== 'number') return error;
    return new StatementFault(this.#sql.message, code, place());
  }

  /** Tables and parameters from variables, tables from files. */
  #putGiven({ variables, files }: RunRequest, buffers: readonly Uint8Array[]): ReadonlyMap<string, Cell> {
    const parameters = new Map<string, Cell>();
    for (const [name, tree] of Object.entries(variables)) {
      const value = readValue(tree, buffers);
      const cell = toCell(value);
      if (cell === undefined) this.#putTable(name, readTable(name, value, sqliteCells));
      else parameters.set(name, cell);
    }
    for (const [path, tree] of files) {
      this.#putTable(...readTableFile(path, readValue(tree, buffers) as string | Uint8Array));
    }
    return parameters;
  }

  #putTable(name: string, table: Table): void {
    try {
      putTable(this.#parts.sqlite, this.#sql.database, name, table);
    } catch (error) {
      throw this.#fault(error, () => ({ line: 1, column: 1 }));
    }
  }

  /** Its rows where they are wanted and it has columns. */
  #execute(script: string, statement: Statement, { parameters, maxBytes }: Wanted): Table | undefined {
    const prepared = this.#prepare(script, statement);
    try {
      bindParameters(this.#parts.sqlite, prepared, parameters);
      if (maxBytes !== undefined && prepared.columnCount > 0) return readRows(prepared, maxBytes);
      while (prepared.step());
      return undefined;
    } catch (error) {
      throw this.#fault(error, () => placeIn(script, statement, -1));
    } finally {
      prepared.finalize();
    }
  }

  #failure(error: unknown): unknown {
    const { over } = this.#sql;
    if (over === 'time') return { type: 'exceeded', limit: 'time' };
    if (over === 'output') return { type: 'exceeded', limit: 'output' };
    // the page knows why it asked; what is answered here is not read
    if (over === 'stopped') return threw('InterruptError', '', null);
    if (error instanceof ResultTooLarge) return { type: 'exceeded', limit: 'result' };
    if (error instanceof TableFault) return threw('TypeError', error.message, null);
    if (error instanceof StatementFault) return this.#sqlFailure(error);
    throw error;
  }

  #sqlFailure({ resultCode, message, place }: StatementFault): unknown {
    const { capi } = this.#parts.sqlite;
    if ((resultCode & 0xff) === capi.SQLITE_NOMEM) return { type: 'exceeded', limit: 'memory' };
    return threw(capi.sqlite3_js_rc_str(resultCode) ?? 'SQLITE_ERROR', message, place.line);
  }
}

/** SQLite's text ends at the first one: what stands behind it would be left out, and the rest would run. */
function nullCharacter(script: string): { readonly message: string; readonly place: Place } | undefined {
  const index = script.indexOf('\0');
  return index < 0 ? undefined : { message: 'a character of code 0', place: placeOf(script, index) };
}

interface Wanted {
  readonly parameters: ReadonlyMap<string, Cell>;
  /** `undefined`: its rows are not wanted. */
  readonly maxBytes: number | undefined;
}

/** `:name`, `@name` and `$name` are the variable `name`. */
function bindParameters(
  sqlite: Sqlite3Static,
  statement: PreparedStatement,
  parameters: ReadonlyMap<string, Cell>,
): void {
  for (let index = 1; index <= statement.parameterCount; index += 1) {
    const name = sqlite.capi.sqlite3_bind_parameter_name(statement, index) ?? '';
    const cell = parameters.get(name.slice(1));
    if (cell === undefined) throw new TableFault(`the parameter ${name || '?'} has no variable of its name`);
    bindCell(sqlite, statement, index, cell);
  }
}

function readRows(statement: PreparedStatement, maxBytes: number): Table {
  const columns = statement.getColumnNames();
  let leftBytes = maxBytes - columns.join('').length;
  const rows: Cell[][] = [];
  while (statement.step()) {
    const row = columns.map((_name, index) => {
      const cell = statement.get(index) as Cell;
      return typeof cell === 'bigint' && Number.isSafeInteger(Number(cell)) ? Number(cell) : cell;
    });
    leftBytes -= sizeOfRow(row);
    if (leftBytes < 0) throw new ResultTooLarge();
    rows.push(row);
  }
  return { columns, rows };
}

const short = (text: string): string => text.slice(0, messageLength);

function threw(type: string, message: string, line: number | null): unknown {
  const text = short(message);
  const where = line === null ? '' : `\n    at line ${line}`;
  return { type: 'threw', error: { type, message: text, traceback: `${type}: ${text}${where}`, line } };
}
