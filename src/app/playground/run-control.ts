/** One question at a time: run, stop, progress, and the last run kept in the store. */
import { isCodedError } from '../../base/index.ts';
import type { ModelChoice, OutcomeAttempt, OutcomeView, Table } from '../../elements/index.ts';
import { systemClock } from '../../platform/index.ts';
import type { Store } from '../../state/index.ts';
import type { StampedEvent } from '../../telemetry/index.ts';
import type { AskTableOutput } from './ask-table.ts';
import { cutText } from './cut-text.ts';
import { lastRunKey } from './kept-keys.ts';
import { toNotice } from './next-step.ts';
import type { ProgramControl } from './program-control.ts';
import type { ViewState } from './view-state.ts';

/** A whole answer: writing, running and explaining, with retries of the model. */
const runTimeoutMs = 300_000;
/** Streamed text that is kept for the page. */
const shownStream = 20_000;

interface LastRun {
  readonly outcome: OutcomeView;
  readonly atMs: number;
}

/** Asks the program and shows what comes of it. */
export class RunControl {
  readonly #state: ViewState;
  readonly #program: ProgramControl;
  readonly #store: Store;
  #abort: AbortController | undefined;

  constructor(state: ViewState, program: ProgramControl, store: Store) {
    this.#state = state;
    this.#program = program;
    this.#store = store;
  }

  /** Shows the last run of an earlier page, when the store has one; one that cannot be read leaves a notice. */
  async restore(): Promise<void> {
    try {
      const entry = await this.#store.get<LastRun>(lastRunKey);
      if (!entry || this.#state.current.outcome.state !== 'idle') return;
      const { outcome, atMs } = entry.value;
      // what the reader has begun to type goes before
      const question = this.#state.current.question || (outcome.question ?? '');
      this.#state.update({ outcome: { ...outcome, restoredAtMs: atMs }, question });
    } catch (error) {
      this.#state.notify('last-run', error, 'warning');
    }
  }

  async ask(question: string): Promise<void> {
    const { handle } = this.#program;
    if (!handle || this.#abort || this.#state.current.source.state === 'applying') return;
    const abort = new AbortController();
    this.#abort = abort;
    // what is changed during the run belongs to the next one
    const { table, choice } = this.#state.current;
    const startedMs = systemClock.monotonic();
    this.#state.update({ question, outcome: { state: 'running', question, stage: 'Asking the model' } });
    try {
      const output = (await handle.call(
        { question, columns: table.columns.map(({ name }) => name), rows: table.rows },
        { signal: abort.signal, timeoutMs: runTimeoutMs, onDelta: (delta) => this.#onDelta(delta) },
      )) as AskTableOutput;
      this.#finish({
        question,
        ...answered(output, table, choice),
        durationMs: systemClock.monotonic() - startedMs,
      });
    } catch (error) {
      this.#finish({ question, ...failed(error), durationMs: systemClock.monotonic() - startedMs });
    } finally {
      this.#abort = undefined;
    }
    await this.#save();
  }

  stop(): void {
    this.#abort?.abort();
  }

  /** Progress that the sandbox reports. */
  onEvent(event: StampedEvent): void {
    if (!this.#abort || event.type !== 'execution-start') return;
    const rows = this.#state.current.table.rows.length.toLocaleString();
    this.#progress({ stage: `Python runs on ${rows} rows in the sandbox` });
  }

  #onDelta(delta: unknown): void {
    if (!isDelta(delta)) return;
    if (delta.path === 'stdout')
      return this.#progress({ stdout: grow(this.#state.current.outcome.stdout, delta.text) });
    const isExplaining = delta.path.startsWith('explain');
    const stage = isExplaining ? 'The model explains the result' : 'The model writes Python';
    const { outcome } = this.#state.current;
    const before = outcome.stage === stage ? outcome.streaming : '';
    this.#progress({ stage, streaming: grow(before, delta.text) });
  }

  #progress(change: Partial<OutcomeView>): void {
    const { outcome } = this.#state.current;
    if (outcome.state === 'running') this.#state.update({ outcome: { ...outcome, ...change } });
  }

  #finish(outcome: OutcomeView): void {
    this.#state.update({ outcome });
  }

  async #save(): Promise<void> {
    const value: LastRun = { outcome: this.#state.current.outcome, atMs: systemClock.now() };
    try {
      await this.#store.commit([{ type: 'put', key: lastRunKey, value }]);
    } catch (error) {
      this.#state.notify('last-run', error, 'warning');
    }
  }
}

function answered(
  { answer, code, result, stdout, attempts }: AskTableOutput,
  table: Table,
  choice: ModelChoice,
): Omit<OutcomeView, 'question'> {
  const words = choice.kind === 'scripted' ? 'worded by the scripted model' : `worded by ${choice.model}`;
  const source = `Found by Python in ${table.rows.length.toLocaleString()} rows, ${words}`;
  return {
    state: 'done',
    answer: cutText(answer),
    code: cutText(code),
    result: cutText(result),
    stdout: cutText(stdout),
    attempts: attempts.map(cutAttempt),
    source,
  };
}

const cutAttempt = ({ code, error }: OutcomeAttempt): OutcomeAttempt => ({
  code: cutText(code),
  ...(error === undefined ? {} : { error: cutText(error) }),
});

const grow = (before: string | undefined, text: string): string =>
  `${before ?? ''}${text}`.slice(-shownStream);

function isDelta(value: unknown): value is { readonly path: string; readonly text: string } {
  if (typeof value !== 'object' || value === null) return false;
  const { path, text } = value as { readonly path?: unknown; readonly text?: unknown };
  return typeof path === 'string' && typeof text === 'string';
}

function failed(error: unknown): Omit<OutcomeView, 'question'> {
  if (isCodedError(error, 'port/cancelled'))
    return { state: 'failed', error: { code: error.code, message: 'You stopped the run.' } };
  const fields = isCodedError(error) ? error.fields : {};
  const attempts = Array.isArray(fields['attempts'])
    ? (fields['attempts'] as unknown as OutcomeAttempt[])
    : [];
  const { attempts: _attempts, code: _code, error: _error, ...shown } = fields;
  const { fields: _fields, ...notice } = toNotice(error);
  return {
    state: 'failed',
    error: { ...notice, ...(Object.keys(shown).length > 0 ? { fields: shown } : {}) },
    ...(attempts.length > 0 ? { attempts: attempts.map(cutAttempt) } : {}),
  };
}
