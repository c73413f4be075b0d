import { describe, expect, test } from 'vitest';
import type { LmRequest } from '../../lm/index.ts';
import { ChatAdapter, parseSignature } from '../../program/index.ts';
import { preparedQuestions, questionsFor } from './prepared-questions.ts';
import { createScriptedModel, fillSentence, promptSections, scriptedReply } from './scripted-model.ts';

const adapter = new ChatAdapter();
const write = parseSignature(
  'question, columns: list[str], sample_rows, previous_code, previous_error -> reasoning, code',
);
const explain = parseSignature('question, code, result -> answer');

const writeRequest = (question: string, previousError: string = ''): LmRequest => ({
  messages: adapter.format(write, [], {
    question,
    columns: ['a'],
    sample_rows: '{}',
    previous_code: '',
    previous_error: previousError,
  }),
  config: {},
});
const explainRequest = (question: string, result: string): LmRequest => ({
  messages: adapter.format(explain, [], { question, code: 'x', result }),
  config: {},
});

describe('the scripted model', () => {
  test.each(preparedQuestions)('writes code for: $question', ({ question, code }) => {
    const { text } = scriptedReply(writeRequest(question));
    const parsed = adapter.parse(write, String(text));
    expect(parsed['code']).toBe(`\`\`\`python\n${code}\n\`\`\``);
  });

  test('shown an error, it writes the repaired code', () => {
    const prepared = preparedQuestions.find(({ repairedCode }) => repairedCode !== undefined);
    const { text } = scriptedReply(writeRequest(prepared?.question ?? '', 'TypeError: …'));
    expect(text).toContain(prepared?.repairedCode);
  });

  test.each(preparedQuestions)('knows no answer to: $question', ({ question, sentence, code }) => {
    const gaps = [...sentence.matchAll(/\{(\w+)\}/gu)].map(([, name]) => name as string);
    expect(gaps.length).toBeGreaterThan(0);
    for (const gap of gaps) expect(code).toContain(`"${gap}":`);
    const result = Object.fromEntries(gaps.map((gap, at) => [gap, `<${at}>`]));
    const { text } = scriptedReply(explainRequest(question, JSON.stringify(result)));
    const answer = adapter.parse(explain, String(text))['answer'];
    for (const at of gaps.keys()) expect(answer).toContain(`<${at}>`);
    expect(sentence).not.toMatch(/\d|Adelie|Gentoo|Chinstrap|Biscoe|Dream|Torgersen/u);
  });

  test('says that it does not know other questions', () => {
    expect(() => scriptedReply(writeRequest('What is love?'))).toThrow(
      expect.objectContaining({ code: 'app/question-not-prepared' }) as Error,
    );
  });

  test('refuses a result that is no object', () => {
    const question = preparedQuestions[0]?.question ?? '';
    expect(() => scriptedReply(explainRequest(question, 'printed text'))).toThrow(
      expect.objectContaining({ code: 'app/script-result-unreadable' }) as Error,
    );
  });

  test('its name says that it is scripted', () => {
    expect(createScriptedModel()).toMatchObject({ model: 'scripted/ask-table', isScripted: true });
  });
});

test('sections leave out the reminder at the end', () => {
  const sections = promptSections(explainRequest('q', '{"a": 1}'));
  expect([...sections]).toEqual([
    ['question', 'q'],
    ['code', 'x'],
    ['result', '{"a": 1}'],
  ]);
});

test('missing members show as a question mark', () => {
  expect(fillSentence('{a} and {b}', { a: 0 })).toBe('0 and ?');
});

test('questions are offered where their columns are', () => {
  expect(questionsFor(['x'])).toEqual(['Summarise every numeric column.']);
  expect(questionsFor(['species', 'island', 'sex', 'body_mass_g', 'flipper_length_mm'])).toHaveLength(
    preparedQuestions.length,
  );
});
