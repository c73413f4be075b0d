// Byte for byte against files that DSPy 3.3.1 wrote; see fixtures/dspy/saved-state.py.
import { describe as group, expect, test } from 'vitest';
import fixture from '../../fixtures/dspy/saved-state.json' with { type: 'json' };
import { loadDspyState, toDspyState } from './dspy-state.ts';
import { programLimits } from './limits.ts';
import { Module } from './module.ts';
import { ChainOfThought } from './predict/chain-of-thought.ts';
import { Predict } from './predict/predict.ts';

class TwoLevel extends Module {
  readonly a = new Predict('question -> query');
  readonly b = new ChainOfThought('context, question -> answer');
}

const programs: Readonly<Record<string, () => Module>> = {
  predict: () => new Predict('question -> answer'),
  'with-demos': () => new ChainOfThought('context, question -> answer'),
  'two-level': () => new TwoLevel(),
  'odd-values': () => new Predict('question -> answer'),
  edited: () => new TwoLevel(),
  'with-lm': () => new Predict('question -> answer'),
};
const files: Readonly<Record<string, string>> = fixture.files;
const open = (name: string): Module => (programs[name] as () => Module)();

group('files of DSPy', () => {
  test.each(['predict', 'two-level'])('a new %s is written as DSPy writes it', (name) => {
    expect(toDspyState(open(name))).toBe(files[name]);
  });

  test('demos made here are written as DSPy writes them', () => {
    const program = new ChainOfThought('context, question -> answer');
    program.predict.demos = [
      { context: ['a'], question: 'q', answer: 3, augmented: true },
      { question: 'x', answer: 2 },
    ];
    expect(toDspyState(program)).toBe(files['with-demos']);
  });

  test.each(Object.keys(files))('%s is read, and written again byte for byte', (name) => {
    const program = open(name);
    expect(loadDspyState(program, files[name] as string, { allowUnsafeLmState: true })).toEqual([]);
    expect(toDspyState(program)).toBe(files[name]);
  });

  test('edited texts arrive', () => {
    const program = new TwoLevel();
    loadDspyState(program, files.edited as string);
    expect(program.a.signature.instructions).toBe('Line one.\n\nLine “two”.');
    expect(program.b.predict.signature.field('answer')).toMatchObject({
      prefix: 'Final:',
      description: 'short',
    });
  });

  test('addresses in a saved language model are dropped unless asked for, with a warning', () => {
    const program = new Predict('question -> answer');
    expect(loadDspyState(program, files['with-lm'] as string)).toEqual([
      'self: dropped api_base from the saved language model',
    ]);
    expect(program.lmState).toMatchObject({ model: 'openai/gpt-4o-mini' });
    expect(program.lmState).not.toHaveProperty('api_base');
    expect(program.lm).toBeUndefined();
  });

  test('another version of DSPy is a warning', () => {
    const text = (files.predict as string).replace('3.3.1', '3.2.0');
    expect(loadDspyState(new Predict('question -> answer'), text)).toEqual([
      expect.stringContaining('3.2.0'),
    ]);
  });
});

group('bad files', () => {
  const change = (edit: (file: { a: Record<string, unknown>; [key: string]: unknown }) => void): string => {
    const file = JSON.parse(files['two-level'] as string) as { a: Record<string, unknown> };
    edit(file);
    return JSON.stringify(file);
  };
  const bad: readonly [string, string, string, string][] = [
    ['no JSON', '{', 'program/state-invalid', 'file'],
    ['a list', '[]', 'program/state-invalid', 'file'],
    ['empty', '', 'program/state-invalid', 'file'],
    ['nested 100,000 deep', '['.repeat(100_000), 'program/state-invalid', 'file'],
    ['no metadata', '{}', 'program/state-invalid', 'metadata'],
    [
      'a predictor missing',
      change((file) => delete file['b.predict']),
      'program/state-missing',
      'predictors.b.predict',
    ],
    ['demos no list', change((file) => (file.a.demos = {})), 'program/state-invalid', 'a'],
    ['a demo no object', change((file) => (file.a.demos = [1])), 'program/state-invalid', 'a'],
    ['no signature', change((file) => delete file.a.signature), 'program/state-invalid', 'a'],
    ['lm a text', change((file) => (file.a.lm = 'x')), 'program/state-invalid', 'a'],
    [
      'a field too few',
      change((file) => (file.a.signature = { instructions: '', fields: [] })),
      'program/state-invalid',
      'a',
    ],
    ['before DSPy 2.5', change((file) => (file.a.extended_signature = {})), 'program/state-invalid', 'a'],
    ['the second one bad', change((file) => (file['b.predict'] = {})), 'program/state-invalid', 'b.predict'],
  ];

  test.each(bad)('%s: refused by key, and nothing has changed', (_what, text, code, key) => {
    const program = new TwoLevel();
    program.a.demos = [{ question: 'kept', query: 'kept' }];
    const before = toDspyState(program);
    let thrown: unknown;
    try {
      loadDspyState(program, text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code, fields: { key } });
    expect(toDspyState(program)).toBe(before);
  });

  test('a file that is too long is refused unread', () => {
    const text = { length: programLimits.stateCharacters + 1 } as string;
    expect(() => loadDspyState(new TwoLevel(), text)).toThrow(/at most/);
  });

  test('a demo that JSON cannot hold is refused on save, by predictor', () => {
    const program = new TwoLevel();
    program.a.demos = [{ question: () => 1 }];
    expect(() => toDspyState(program)).toThrow(
      expect.objectContaining({ code: 'program/state-not-json' }) as Error,
    );
    expect(() => toDspyState(program)).toThrow(/^a: /);
  });

  test('surplus predictors are ignored, as in DSPy', () => {
    const program = new TwoLevel();
    loadDspyState(
      program,
      change((file) => (file.other = file.a)),
    );
    expect(toDspyState(program)).toBe(files['two-level']);
  });
});
