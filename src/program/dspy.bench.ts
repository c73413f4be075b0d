/**
 * `npm run bench -- dspy`: formatting and parsing of the chat cases of fixtures/dspy, beside DSPy itself. The same cases are timed
 * in Python by fixtures/dspy/time_cases.py, right before and right after this; what runs the bench joins the figures by group.
 */
import chatFormat from '../../fixtures/dspy/chat-format.json';
import chatParse from '../../fixtures/dspy/chat-parse.json';
import { ChatAdapter } from './adapter/chat.ts';
import { buildSignature, plain, toRecord } from './dspy-test-cases.ts';
import type { FormatCase, ParseCase } from './dspy-test-cases.ts';

export interface BenchRow {
  readonly name: string;
  /** Microseconds per case: median of five rounds. */
  readonly ours: number;
  readonly unit: string;
  readonly spread: string;
  /** The row holds when ours / DSPy's is at most this. */
  readonly goal: number;
  /** Which figure of time_cases.py stands beside this row. */
  readonly group: 'format' | 'parse' | 'refuse';
}

interface Work {
  /** One case, once. */
  readonly run: () => unknown;
  /** The same with the text so far, at each of its characters: what a reader does that keeps nothing. */
  readonly runNaively: () => unknown;
}

const rounds = 5;
/** A round is the best of its tries: what a busy machine takes from one, it seldom takes from all. */
const tries = 7;
const warmUpPasses = 20;
const adapter = new ChatAdapter();

function attempt(work: () => unknown): unknown {
  try {
    return work();
  } catch (thrown) {
    return thrown;
  }
}

const print = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'bigint' || typeof item === 'number' ? `number ${item}` : item,
  );

/** A wrong answer is not timed. */
function expectEqual(found: unknown, expected: unknown, name: string): void {
  if (print(found) !== print(expected))
    throw new Error(`${name}: DSPy gives ${print(expected)}, ours ${print(found)}`);
}

function formatWorks(): Work[] {
  const cases = (chatFormat.cases as unknown as FormatCase[]).filter((one) => one.error === undefined);
  return cases.map((one) => {
    const signature = buildSignature(one);
    const [demos, inputs] = [one.demos.map(toRecord), toRecord(one.inputs)];
    const run = (): unknown => adapter.format(signature, demos, inputs);
    expectEqual(run(), one.messages, one.name);
    const length = one.messages?.at(-1)?.content.length ?? 0;
    return {
      run,
      runNaively: () => {
        for (let typed = 0; typed < length; typed++) run();
      },
    };
  });
}

function parseWorks(isRefused: boolean): Work[] {
  const cases = chatParse.cases as unknown as ParseCase[];
  return cases
    .filter((one) => (one.error !== undefined) === isRefused)
    .map((one) => {
      const signature = buildSignature(one);
      const parse = (text: string): unknown => attempt(() => adapter.parse(signature, text));
      const found = parse(one.completion);
      if (!isRefused) expectEqual(found, plain(one.values), one.completion);
      else if (!(found instanceof Error))
        throw new Error(`DSPy refuses this, ours does not: ${one.completion}`);
      return {
        run: () => parse(one.completion),
        runNaively: () => {
          for (let end = 1; end <= one.completion.length; end++) parse(one.completion.slice(0, end));
        },
      };
    });
}

function passUs(works: readonly (() => unknown)[]): number {
  const startMs = performance.now();
  for (const work of works) work();
  return ((performance.now() - startMs) * 1000) / works.length;
}

function measure(works: readonly (() => unknown)[], passes: number): { ours: number; spread: string } {
  for (let pass = 0; pass < passes; pass++) passUs(works);
  const best = Array.from({ length: rounds }, () =>
    Math.min(...Array.from({ length: tries }, () => passUs(works))),
  ).toSorted((one, other) => one - other);
  return { ours: best[rounds >> 1]!, spread: `${best[0]!.toFixed(1)}–${best[rounds - 1]!.toFixed(1)}` };
}

/** One row for each group. With `sabotage` every case is done again for each character of its text, and the rows must fall short. */
export function benchDspy(report: (row: BenchRow) => void, options: { sabotage: boolean }): void {
  const groups = [
    ['format', 'prompts formatted', formatWorks()],
    ['parse', 'answers parsed', parseWorks(false)],
    ['refuse', 'answers refused', parseWorks(true)],
  ] as const;
  for (const [group, title, works] of groups) {
    const runs = works.map((work) => (options.sabotage ? work.runNaively : work.run));
    const measured = measure(runs, options.sabotage ? 1 : warmUpPasses);
    report({ name: `${title}, per case of ${works.length}`, ...measured, unit: 'µs', goal: 1, group });
  }
}
