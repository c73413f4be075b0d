import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cell, Table } from '../../elements/index.ts';
import { withCell } from '../../elements/index.ts';
import { createPythonExecutor } from '../../executor/index.ts';
import type { Executor } from '../../executor/index.ts';
import { scriptedLm } from '../../lm/index.ts';
import type { LanguageModel } from '../../lm/index.ts';
import { AskTable } from './ask-table.ts';
import type { AskTableInput, AskTableOutput } from './ask-table.ts';
import { parseCsv } from './csv.ts';
import { preparedQuestions } from './prepared-questions.ts';
import { createScriptedModel } from './scripted-model.ts';

let penguins: Table;
let executor: Executor;

beforeAll(async () => {
  executor = createPythonExecutor({ assets: { baseUrl: '/sandbox/' }, frame: 'srcdoc' });
  penguins = await parseCsv(await (await fetch('/data/penguins.csv')).blob());
});
afterAll(() => executor[Symbol.asyncDispose]());

const inputOf = (question: string, { columns, rows }: Table): AskTableInput => ({
  question,
  columns: columns.map(({ name }) => name),
  rows,
});

function ask(
  question: string,
  table: Table = penguins,
  lm: LanguageModel = createScriptedModel(),
): Promise<AskTableOutput> {
  return new AskTable().call(inputOf(question, table), { lm, executor });
}

/** A model that writes `code` and words the result as it is. */
function writing(code: string): LanguageModel {
  return scriptedLm({
    script: ({ messages }) => {
      const content = messages.at(-1)?.content;
      const prompt = typeof content === 'string' ? content : '';
      const result = /\[\[ ## result ## \]\]\n([\s\S]*?)\n\nRespond/u.exec(prompt)?.[1];
      return result === undefined
        ? `[[ ## reasoning ## ]]\nr\n\n[[ ## code ## ]]\n${code}\n\n[[ ## completed ## ]]`
        : `[[ ## answer ## ]]\n${result}\n\n[[ ## completed ## ]]`;
    },
  });
}

const at = (name: string): number => penguins.columns.findIndex((column) => column.name === name);
const numbers = (rows: readonly (readonly Cell[])[], name: string): number[] =>
  rows.map((row) => row[at(name)]).filter((cell) => typeof cell === 'number');
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const ofSpecies = (name: string): readonly (readonly Cell[])[] =>
  penguins.rows.filter((row) => row[at('species')] === name);

describe('answers come from the rows', () => {
  test('the heaviest species, as counted here', async () => {
    const means = ['Adelie', 'Chinstrap', 'Gentoo'].map(
      (name) => [name, mean(numbers(ofSpecies(name), 'body_mass_g'))] as const,
    );
    const [first, second] = means.toSorted((one, other) => other[1] - one[1]);
    const { answer, attempts } = await ask(preparedQuestions[0]?.question ?? '');
    expect(answer).toContain(`${first?.[0]} penguins are the heaviest`);
    expect(answer).toContain(
      `${Number(((first?.[1] ?? 0) - (second?.[1] ?? 0)).toFixed(1))} g more than ${second?.[0]}`,
    );
    expect(attempts).toEqual([]);
  });

  test('one changed cell changes the answer', async () => {
    const question = preparedQuestions[0]?.question ?? '';
    const changed = withCell(penguins, 0, at('body_mass_g'), 9_999_999);
    expect((await ask(question, changed)).answer).toMatch(/^Adelie penguins are the heaviest/u);
  });

  test.each(preparedQuestions)('$question', async ({ question }) => {
    const { answer, result } = await ask(question);
    expect(answer).not.toMatch(/[{}?]/u);
    for (const value of Object.values(JSON.parse(result) as Record<string, string | number>))
      expect(answer).toContain(String(value));
  });

  test('a raised error is shown to the model, which corrects its code', async () => {
    const { attempts, code } = await ask('What is the median body mass of each species?');
    expect(attempts).toHaveLength(1);
    expect(attempts[0]?.error).toContain('TypeError');
    expect(code).toContain('is None');
  });
});

describe('hostile and broken code', () => {
  test('code that never works ends after maxAttempts, with every error', async () => {
    const program = new AskTable();
    program.maxAttempts.set(3);
    const run = program.call(inputOf('q', penguins), { lm: writing('raise ValueError("no")'), executor });
    await expect(run).rejects.toMatchObject({
      code: 'app/python-failed',
      fields: {
        attempts: [0, 1, 2].map(() => ({ error: expect.stringContaining('ValueError: no') as string })),
      },
    });
  });

  test('syntax errors are told with their line', async () => {
    await expect(ask('q', penguins, writing('x = (\ny'))).rejects.toMatchObject({
      code: 'app/python-failed',
      fields: { error: expect.stringMatching(/SyntaxError.*line \d/u) as string },
    });
  });

  test('code without a value and without output is not explained', async () => {
    await expect(ask('q', penguins, writing('x = 1'))).rejects.toMatchObject({
      code: 'app/python-failed',
      fields: { error: expect.stringContaining('ended without a value') as string },
    });
  });

  test('an endless loop is stopped at timeLimitMs, and the next run works', async () => {
    const program = new AskTable();
    program.timeLimitMs.set(300);
    const settings = { lm: writing('while True: pass'), executor };
    await expect(program.call(inputOf('q', penguins), settings)).rejects.toMatchObject({
      code: 'app/python-exceeded',
      message: 'The Python was stopped at its time limit (0.3 s).',
    });
    expect((await ask('q', penguins, writing('len(rows)'))).answer).toBe('344');
  });

  test('endless printing is stopped', async () => {
    await expect(ask('q', penguins, writing('while True: print("x" * 10_000)'))).rejects.toMatchObject({
      code: 'app/python-exceeded',
      fields: { limit: 'output' },
    });
  });

  test('cancelling ends the Python, too', async () => {
    const abort = new AbortController();
    const run = new AskTable().call(inputOf('q', penguins), {
      lm: writing('while True: pass'),
      executor,
      signal: abort.signal,
    });
    setTimeout(() => abort.abort(), 1_500);
    await expect(run).rejects.toMatchObject({ code: 'port/cancelled' });
  });
});

describe('results of every shape', () => {
  test.each([
    ['a fence around the code', '```python\nlen(rows)\n```', '344'],
    ['code that only prints', 'print("hello")', 'hello'],
    [
      'dates, big integers and sets',
      'import datetime\n{"d": datetime.date(2026, 1, 2), "b": 2**70, "s": {1}}',
      '{"d":"2026-01-02T00:00:00.000Z","b":"1180591620717411303424","s":[1]}',
    ],
    ['an integer of any size', '1 << 1_000_000', '"an integer of about 1000004 bits, too large to show"'],
    ['keys that are not text', '{1: "one"}', '{"1":"one"}'],
  ])('%s', async (_name, code, expected) => {
    expect((await ask('q', penguins, writing(code))).answer).toBe(expected);
  });

  test('without an executor the error says so', async () => {
    await expect(new AskTable().call(inputOf('q', penguins), { lm: writing('1') })).rejects.toMatchObject({
      code: 'app/executor-missing',
    });
  });
});
