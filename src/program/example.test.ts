import { describe as group, expect, test } from 'vitest';
import { Example, isExample } from './example.ts';
import { Completions, isPrediction, Prediction } from './prediction.ts';

const failure = (code: string): object => expect.objectContaining({ code }) as object;
function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

group('examples', () => {
  const example = new Example({ question: 'q', answer: 'a', note: 1 });

  test('fields are properties, and nothing else is seen by spread, JSON or structured clone', () => {
    expect(example.question.length + example.note).toBe(2);
    const fields = { question: 'q', answer: 'a', note: 1 };
    expect(Object.assign({}, example.withInputs('question'))).toEqual(fields);
    expect(JSON.parse(JSON.stringify(example))).toEqual(fields);
    expect(structuredClone(example)).toEqual(fields);
    expect(() => {
      (example as { question: string }).question = 'x';
    }).toThrow(TypeError);
  });

  test('a field with the name of a method is reached with get', () => {
    const odd = new Example({ copy: 'mine', inputs: 2 });
    expect(odd.get('copy')).toBe('mine');
    expect(typeof odd.copy).toBe('function');
    expect(odd.toObject()).toEqual({ copy: 'mine', inputs: 2 });
    expect(odd.get('zzz', 'otherwise')).toBe('otherwise');
    expect(odd.has('zzz')).toBe(false);
  });

  test('inputs and labels', () => {
    const marked = example.withInputs('question');
    expect(marked.inputs().toObject()).toEqual({ question: 'q' });
    expect(marked.inputs().inputKeys).toEqual(['question']);
    expect(marked.labels().toObject()).toEqual({ answer: 'a', note: 1 });
    expect(example.inputKeys).toBeUndefined();
    expect(thrownBy(() => example.inputs())).toEqual(failure('program/inputs-not-marked'));
    expect(thrownBy(() => example.labels())).toEqual(failure('program/inputs-not-marked'));
    expect(thrownBy(() => example.withInputs('nope' as never))).toMatchObject({
      code: 'program/field-missing',
      fields: { field: 'nope', expected: ['question', 'answer', 'note'] },
    });
  });

  test('copies keep the marked inputs, which DSPy loses', () => {
    const marked = example.withInputs('question', 'note');
    expect(marked.copy({ answer: 'b' }).inputKeys).toEqual(['question', 'note']);
    expect(marked.copy({ extra: 1 }).extra).toBe(1);
    expect(new Example(marked).inputKeys).toEqual(['question', 'note']);
    expect(marked.without('note').inputKeys).toEqual(['question']);
    expect(marked.without('note').toObject()).toEqual({ question: 'q', answer: 'a' });
  });

  test('an example can equal a prediction; toObject goes all the way down', () => {
    expect(example.equals(new Prediction({ answer: 'a', note: 1, question: 'q' }))).toBe(true);
    expect(example.equals(new Prediction({ answer: 'a' }))).toBe(false);
    const nested = new Example({ list: [new Prediction({ x: 1 })], map: { e: new Example({ y: 2 }) } });
    expect(nested.toObject()).toEqual({ list: [{ x: 1 }], map: { e: { y: 2 } } });
    expect(isExample(nested) && !isPrediction(nested)).toBe(true);
  });

  test.each([null, undefined, 3, 'x'])('fields that are %j are refused', (fields) => {
    expect(thrownBy(() => new Example(fields as never))).toEqual(failure('program/fields-invalid'));
  });

  test('a field called __proto__ stays a field', () => {
    const hostile = new Example(JSON.parse('{"__proto__": {"polluted": 1}, "a": 1}') as { a: number });
    expect((hostile as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Object.keys(hostile.fields)).toEqual(['__proto__', 'a']);
  });
});

group('predictions', () => {
  test('from a list of records and from lists by field', () => {
    for (const input of [
      [
        { a: 1, b: 'x' },
        { a: 2, b: 'y' },
      ],
      { a: [1, 2], b: ['x', 'y'] },
    ]) {
      const prediction = Prediction.fromCompletions<{ a: number; b: string }>(input);
      expect(Object.assign({}, prediction)).toEqual({ a: 1, b: 'x' });
      expect(prediction.completions?.length).toBe(2);
      expect(prediction.completions?.field('b')).toEqual(['x', 'y']);
      expect(prediction.completions?.at(1).a).toBe(2);
      expect([...(prediction.completions ?? [])].map((each) => each.b)).toEqual(['x', 'y']);
    }
  });

  test.each([
    ['lists that differ in length', { a: [1], b: [] }],
    ['a value that is no list', { a: 1 }],
    ['no completion', []],
    ['no list', {}],
  ])('%s: completions-invalid', (_what, input) => {
    expect(thrownBy(() => new Completions(input as never))).toEqual(failure('program/completions-invalid'));
  });

  test('an index outside the completions', () => {
    const completions = new Completions([{ a: 1 }]);
    for (const index of [-1, 1, 0.5]) {
      expect(thrownBy(() => completions.at(index))).toEqual(failure('program/completion-not-found'));
    }
  });

  test('a prediction is a number by its score, and only so', () => {
    const [low, high] = [new Prediction({ score: 1 }), new Prediction({ score: '2.5' })];
    expect(Number(high) - Number(low)).toBe(1.5);
    expect(Math.max(Number(low), Number(high))).toBe(2.5);
    expect(thrownBy(() => Number(new Prediction({ answer: 'a' })))).toEqual(failure('program/score-missing'));
    expect(new Prediction({ answer: 'a' })[Symbol.toPrimitive]('string')).toBe('Prediction({"answer":"a"})');
  });

  test('a copy has changed fields', () => {
    const copy = new Prediction({ a: 1 }).copy({ b: 2 });
    expect([copy.a, copy.b]).toEqual([1, 2]);
  });
});
