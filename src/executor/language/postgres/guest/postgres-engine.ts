/** SQL by Postgres as an engine: a script in, the rows of its last statement out. */
import { systemClock } from '../../../../platform/index.ts';
import type { Engine, EngineRun, GuestOutput } from '../../../guest/engine.ts';
import { quoteName, readTable, readTableFile } from '../../../guest/given-table.ts';
import type { Cell, Table } from '../../../guest/given-table.ts';
import { readValue } from '../../../guest/guest-values.ts';
import { showTable } from '../../../guest/show-table.ts';
import { writeTable } from '../../../guest/table-value.ts';
import type { RunRequest } from '../../../sandbox/protocol.ts';
import { placeOf } from '../../sql/guest/statements.ts';
import type { Place } from '../../sql/guest/statements.ts';
import { Backend, BackendEnded } from './backend.ts';
import { copyTable, postgresCells, toCell, toParameter } from './cells.ts';
import { startPostgres } from './load-postgres.ts';
import type { PostgresParts } from './load-postgres.ts';
import { failureOf, StatementFault } from './failure.ts';
import { RunBounds } from './run-bounds.ts';
import { StatementRun } from './statement-run.ts';
import { cutStatements, indexInScript } from './statements.ts';
import type { Statement } from './statements.ts';
import { copyData, extendedQuery, joinMessages, simpleQuery, sync } from './wire.ts';
import type { Report } from './wire.ts';

export interface PostgresOptions extends Omit<PostgresParts, 'look'> {
  readonly interrupt: SharedArrayBuffer | undefined;
  readonly output: GuestOutput;
}

const wanted = { rows: { hasRows: true, isHeard: true }, effect: { hasRows: false, isHeard: true } } as const;
const unheard = { hasRows: false, isHeard: false } as const;

/** Fails, once Postgres has read everything and before anything runs. */
const readOnly = 'SELECT 1/0;';
const savepoint = 'vivarium_reading';

export class PostgresEngine implements Engine {
  readonly interruptName = 'InterruptError';
  readonly #options: PostgresOptions;
  readonly #bounds: RunBounds;
  #backend: Promise<Backend>;
  #current: Backend | undefined;

  private constructor(options: PostgresOptions) {
    this.#options = options;
    this.#bounds = new RunBounds(options.interrupt);
    this.#backend = this.#start();
  }

  static async create(options: PostgresOptions): Promise<PostgresEngine> {
    const engine = new PostgresEngine(options);
    await engine.#backend;
    return engine;
  }

  async run({ request: bytes, buffers, timeoutMs }: EngineRun): Promise<string> {
    const endMs = systemClock.monotonic() + timeoutMs;
    const request = JSON.parse(new TextDecoder().decode(bytes)) as RunRequest;
    const backend = await this.#backend;
    this.#bounds.begin({ endMs, outputBytes: request.outputBytes, resultBytes: request.resultBytes });
    let answer: unknown;
    try {
      answer = this.#run(backend, request, buffers);
    } catch (error) {
      answer = failureOf(error, this.#bounds.over);
      if (error instanceof BackendEnded) this.#replace();
    }
    this.#bounds.begin();
    return JSON.stringify(answer);
  }

  #start(): Promise<Backend> {
    const look = (): void => {
      if (this.#bounds.look()) this.#current?.cancel();
    };
    const starting = startPostgres({ ...this.#options, look }).then((started) => {
      this.#current = new Backend(started);
      return this.#current;
    });
    // told to the next run
    starting.catch(() => undefined);
    return starting;
  }

  /** The session goes on, with nothing of what it had. */
  #replace(): void {
    this.#options.output.loseState();
    this.#current = undefined;
    this.#backend = this.#start();
  }

  #run(backend: Backend, request: RunRequest, buffers: readonly Uint8Array[]): unknown {
    const { code, outputs } = request;
    const { output } = this.#options;
    const { parameters, tables } = readGiven(request, buffers);
    const statements = cutStatements(code, (name) => parameters.has(name));
    const fault = nullCharacter(code) ?? this.#findSyntaxFault(backend, code, statements);
    if (fault) return { type: 'syntax-error', message: fault.report.message, ...fault.place };
    for (const [name, table] of tables) this.#putTable(backend, name, table);
    let result: Table | undefined;
    for (const [index, statement] of statements.entries()) {
      const isLast = index === statements.length - 1;
      result = this.#execute(backend, code, statement, { parameters, isLast });
    }
    if (result && request.displays > 0) showTable(result, request.displayBytes, output);
    const variables = outputs.map((name) => {
      const query = `SELECT * FROM ${quoteName(name)}`;
      const statement = { text: query, start: 0, names: [], edits: [] };
      const table = this.#execute(backend, query, statement, { parameters: new Map(), isLast: true });
      return [name, writeTable(table, output)] as const;
    });
    return { type: 'returned', value: writeTable(result, output), variables };
  }

  /** Postgres reads all statements before it runs the first one of a simple query; the first one fails. */
  #findSyntaxFault(
    backend: Backend,
    script: string,
    statements: readonly Statement[],
  ): StatementFault | undefined {
    if (statements.length === 0) return undefined;
    const isOpen = backend.transaction === 'open';
    if (isOpen) this.#send(backend, simpleQuery(`SAVEPOINT ${savepoint}`));
    const error = this.#send(backend, simpleQuery(readOnly + statements.map(({ text }) => text).join('')));
    if (isOpen) {
      this.#send(backend, simpleQuery(`ROLLBACK TO SAVEPOINT ${savepoint}`));
      this.#send(backend, simpleQuery(`RELEASE SAVEPOINT ${savepoint}`));
    }
    if (error?.code !== syntaxError) return undefined;
    return new StatementFault(error, placeAmong(script, statements, (error.position ?? 1) - readOnly.length));
  }

  /** Without its rows, and without what it says. */
  #send(backend: Backend, message: Uint8Array): Report | undefined {
    const run = new StatementRun(this.#parts(backend), unheard);
    run.send(message);
    return run.error;
  }

  #parts(backend: Backend): { backend: Backend; bounds: RunBounds; output: GuestOutput } {
    return { backend, bounds: this.#bounds, output: this.#options.output };
  }

  #putTable(backend: Backend, name: string, table: Table): void {
    const { script, rows } = copyTable(name, table);
    const error = this.#send(backend, joinMessages([simpleQuery(script), copyData(rows)]));
    if (error) throw new StatementFault(error, { line: 1, column: 1 });
  }

  /** Its rows where it is the last one and has columns. */
  #execute(
    backend: Backend,
    script: string,
    statement: Statement,
    { parameters, isLast }: { parameters: ReadonlyMap<string, Cell>; isLast: boolean },
  ): Table | undefined {
    const given = statement.names.map((name) => toParameter(name, parameters.get(name) ?? null));
    const run = new StatementRun(this.#parts(backend), isLast ? wanted.rows : wanted.effect);
    const message = joinMessages([extendedQuery(statement.text, given), sync]);
    const placed = (report: Report): StatementFault =>
      new StatementFault(report, placeOf(script, indexInScript(statement, report.position)));
    try {
      const table = run.send(message);
      if (run.error) throw placed(run.error);
      if (this.#bounds.look()) throw new StatementFault(noReport, { line: 1, column: 1 });
      return table;
    } catch (error) {
      // the last words of a backend say more than the way in which it ended
      if (error instanceof BackendEnded && run.error) error.cause = placed(run.error);
      throw error;
    }
  }
}

/** SQLSTATE of a text that is no SQL. */
const syntaxError = '42601';
const noReport: Report = {
  severity: 'ERROR',
  code: '57014',
  message: 'the run is over',
  detail: undefined,
  hint: undefined,
  position: undefined,
  where: undefined,
};

/** Text for Postgres ends at the first one. */
function nullCharacter(script: string): StatementFault | undefined {
  const index = script.indexOf('\0');
  if (index < 0) return undefined;
  return new StatementFault({ ...noReport, message: 'a character of code 0' }, placeOf(script, index));
}

/** @param position in characters from 1, of the statements as they were sent one after the other */
function placeAmong(script: string, statements: readonly Statement[], position: number): Place {
  let left = position;
  for (const statement of statements) {
    const characters = Array.from(statement.text).length;
    if (left <= characters) return placeOf(script, indexInScript(statement, Math.max(1, left)));
    left -= characters;
  }
  return placeOf(script, script.length);
}

interface Given {
  readonly parameters: ReadonlyMap<string, Cell>;
  readonly tables: readonly (readonly [name: string, table: Table])[];
}

/** Parameters and tables from variables, tables from files. Throws `TableFault`. */
function readGiven({ variables, files }: RunRequest, buffers: readonly Uint8Array[]): Given {
  const parameters = new Map<string, Cell>();
  const tables: (readonly [string, Table])[] = [];
  for (const [name, tree] of Object.entries(variables)) {
    const value = readValue(tree, buffers);
    const cell = toCell(value);
    if (cell === undefined) tables.push([name, readTable(name, value, postgresCells)]);
    else parameters.set(name, cell);
  }
  for (const [path, tree] of files) {
    tables.push(readTableFile(path, readValue(tree, buffers) as string | Uint8Array));
  }
  return { parameters, tables };
}
