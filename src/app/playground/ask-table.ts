/** Answers a question about a table: a model writes Python, the sandbox runs it on every row, a model explains the result. */
import type { GuestValue, Json, Outcome, Run } from './vivarium.ts';
import { ChainOfThought, CodedError, Module, Parameter, parseSignature, Predict } from './vivarium.ts';

export interface AskTableInput {
  readonly question: string;
  readonly columns: readonly string[];
  /** One cell per column in each row. */
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** One try that Python refused. */
export interface Attempt {
  readonly code: string;
  readonly error: string;
}

export interface AskTableOutput {
  readonly answer: string;
  readonly code: string;
  /** The value of the code's last expression, as JSON. */
  readonly result: string;
  readonly stdout: string;
  readonly attempts: readonly Attempt[];
}

const writeCode = parseSignature(
  'question, columns: list[str], sample_rows, previous_code, previous_error -> code',
  `Write Python that answers the question about a table.
The variable rows is a list of dicts, one per row, with the columns as keys; a missing cell is None.
Only the standard library is there: no pandas, no numpy, no files, no network.
End with an expression whose value is a dict with what the answer needs. You may print intermediate figures.
When there is a previous error, correct the previous code.`,
);

const explainResult = parseSignature(
  'question, code, result -> answer',
  `Answer the question in one or two plain sentences.
Use only the result, which the code found in the whole table. Round sensibly and name units when the columns do.`,
);

/** Characters of a result that the model is shown. */
const shownResult = 4_000;

/** Bits of an integer that is still written out, about 3,000 digits. */
const longestIntegerBits = 10_000;

export class AskTable extends Module<AskTableInput, AskTableOutput> {
  static readonly version: string = '1.0.0';

  sampleRows = new Parameter<number>({
    type: 'number',
    value: 5,
    constraints: { type: 'integer', min: 1, max: 50 },
    metadata: { about: 'Rows the model is shown. The code always runs on all of them.' },
  });
  temperature = new Parameter<number>({
    type: 'number',
    value: 0,
    constraints: { min: 0, max: 2 },
    metadata: { about: 'How freely the model writes.' },
  });
  maxAttempts = new Parameter<number>({
    type: 'number',
    value: 2,
    constraints: { type: 'integer', min: 1, max: 5 },
    metadata: { about: 'Tries at the code; each sees the error of the one before.' },
  });
  timeLimitMs = new Parameter<number>({
    type: 'number',
    value: 10_000,
    constraints: { type: 'integer', min: 100, max: 60_000 },
    metadata: { about: 'Milliseconds the Python of one try may run.' },
  });

  write = new ChainOfThought(writeCode);
  explain = new Predict(explainResult);

  override async forward(input: AskTableInput, run: Run): Promise<AskTableOutput> {
    const { question } = input;
    const config = { temperature: this.temperature.value };
    const attempts: Attempt[] = [];
    for (let left = this.maxAttempts.value; left > 0; left--) {
      const written = await this.write.call({ ...this.promptFor(input), ...previous(attempts) }, { config });
      const code = withoutFence(written.code);
      const outcome = await this.execute(code, input, run);
      const error = errorOf(outcome);
      if (error === undefined) {
        const result = resultOf(outcome);
        const { answer } = await this.explain.call(
          { question, code, result: result.slice(0, shownResult) },
          { config },
        );
        return { answer, code, result, stdout: outcome.stdout, attempts };
      }
      attempts.push({ code, error });
    }
    const last = attempts.at(-1);
    throw new CodedError(
      'app/python-failed',
      `Python refused the model’s code: ${lastLine(last?.error ?? '')}`,
      {
        fields: { attempts: attempts as unknown as Json, code: last?.code ?? '', error: last?.error ?? '' },
        isRetryable: true,
      },
    );
  }

  promptFor({ question, columns, rows }: AskTableInput): {
    question: string;
    columns: string[];
    sample_rows: string;
  } {
    const sample = rows.slice(0, this.sampleRows.value).map((row) => JSON.stringify(record(columns, row)));
    return { question, columns: [...columns], sample_rows: sample.join('\n') };
  }

  /** Runs the code in a sandbox that holds nothing but the rows. */
  async execute(code: string, { columns, rows }: AskTableInput, run: Run): Promise<Outcome> {
    const { executor } = run.settings;
    if (!executor)
      throw new CodedError('app/executor-missing', 'This program needs an executor to run Python.');
    const session = await executor.createSession();
    const options = {
      signal: run.signal,
      timeoutMs: this.timeLimitMs.value,
      onOutput: ({ text }: { readonly text: string }) =>
        run.settings.onDelta?.({ path: 'stdout', index: 0, text }),
    };
    try {
      const loaded = await session.execute(
        'rows = [dict(zip(columns, cells)) for cells in table]\ndel table, columns',
        { variables: { columns, table: rows } },
        options,
      );
      return loaded.type === 'returned' ? await session.execute(code, {}, options) : loaded;
    } finally {
      await session[Symbol.asyncDispose]();
    }
  }
}

function record(
  columns: readonly string[],
  row: readonly (string | number | null)[],
): Record<string, unknown> {
  return Object.fromEntries(columns.map((column, at) => [column, row[at] ?? null]));
}

function previous(attempts: readonly Attempt[]): { previous_code: string; previous_error: string } {
  const last = attempts.at(-1);
  return { previous_code: last?.code ?? '', previous_error: last?.error ?? '' };
}

/** Models wrap code in a fence more often than not. */
function withoutFence(text: string): string {
  const fenced = /```[a-zA-Z]*\n([\s\S]*?)\n?```/u.exec(text);
  return (fenced?.[1] ?? text).trim();
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

const noValue = 'The code ended without a value: end it with an expression, or print what was found.';

/** What the model should hear about its code; undefined when it ran. Other endings are not the model's to mend. */
function errorOf(outcome: Outcome): string | undefined {
  switch (outcome.type) {
    case 'returned':
    case 'submitted':
      return resultOf(outcome).trim() === '' ? noValue : undefined;
    case 'threw':
      return `${outcome.error.traceback}\n${outcome.error.type}: ${outcome.error.message}`.trim();
    case 'syntax-error':
      return `SyntaxError: ${outcome.message} (line ${outcome.line ?? '?'}, column ${outcome.column ?? '?'})`;
    case 'denied':
      return `The ${outcome.permission} ${outcome.name} is not allowed here (line ${outcome.line}).`;
    case 'exceeded':
      throw new CodedError(
        'app/python-exceeded',
        `The Python was stopped at its ${outcome.limit} limit (${bound(outcome.limit, outcome.allowed)}).`,
        { fields: { limit: outcome.limit, allowed: outcome.allowed, stdout: outcome.stdout.slice(-2_000) } },
      );
    case 'failed':
      throw new CodedError(outcome.code, outcome.message, { isRetryable: true });
    case 'cancelled':
      throw new CodedError('port/cancelled', 'The run was stopped.');
  }
}

function bound(limit: string, allowed: number): string {
  if (limit === 'time' || limit === 'keys') return `${allowed / 1000} s`;
  // of rich values there is a bound on their number, too
  if (limit === 'display' && allowed < 10_000) return `${allowed} values`;
  return limit === 'calls' ? `${allowed} calls` : `${Math.round(allowed / 1_000_000)} MB`;
}

/** The result as JSON; code that only printed gives what it printed. */
function resultOf(outcome: Outcome): string {
  const value = outcome.type === 'returned' || outcome.type === 'submitted' ? outcome.value : null;
  return value === null ? outcome.stdout : JSON.stringify(value, plain);
}

/** JSON has no dates, maps or large integers. */
function plain(_name: string, value: GuestValue): unknown {
  if (typeof value === 'bigint') return digitsOf(value);
  if (value instanceof Map)
    return Object.fromEntries(
      [...value].map(([key, item]) => [typeof key === 'bigint' ? digitsOf(key) : String(key), item]),
    );
  if (ArrayBuffer.isView(value)) return Array.from(value as Uint8Array);
  return value;
}

/** Decimal digits cost the square of an integer's length. */
function digitsOf(value: bigint): string {
  const bits = value.toString(16).length * 4;
  return bits > longestIntegerBits ? `an integer of about ${bits} bits, too large to show` : value.toString();
}
