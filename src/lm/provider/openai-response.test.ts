import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { createRedactor } from '../redact.ts';
import { readChunk, readCompletion } from './openai-response.ts';

const context = { model: 'm', redact: createRedactor(['secret-key']) };
const read = (value: unknown) => readCompletion(context, JSON.stringify(value));
const choice = (content: unknown, index?: number) => ({
  index,
  message: { role: 'assistant', content },
  finish_reason: 'stop',
});

describe('readCompletion', () => {
  test('orders answers by their index and takes the place for a missing one', () => {
    const swapped = read({ choices: [choice('b', 1), choice('a', 0)] });
    expect(swapped.outputs.map((output) => output.text)).toEqual(['a', 'b']);
    const bare = read({ choices: [choice('a'), choice('b')] });
    expect(bare.outputs.map((output) => output.text)).toEqual(['a', 'b']);
  });

  test('what is optional may be missing or null', () => {
    expect(read({ choices: [{ message: { content: null } }] })).toEqual({
      model: 'm',
      outputs: [{ text: '', finishReason: null }],
      usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
    });
  });

  test('a refusal is the answer', () => {
    const refused = { message: { content: null, refusal: 'I will not.' } };
    expect(read({ choices: [refused] }).outputs[0]?.text).toBe('I will not.');
  });

  test('a wrong count becomes 0, and a missing total is added up', () => {
    const usage = { prompt_tokens: -4, completion_tokens: 6 };
    expect(read({ choices: [choice('x')], usage }).usage).toEqual({
      inputTokens: 0,
      outputTokens: 6,
      totalTokens: 6,
    });
  });

  test.each([
    ['two answers of one index', { choices: [choice('a', 0), choice('b', 0)] }, 'choices'],
    ['a negative index', { choices: [choice('a', -1)] }, 'choices[0].index'],
    ['a huge index', { choices: [choice('a', 1e9)] }, 'choices[0].index'],
    ['too many answers', { choices: Array.from({ length: 129 }, () => choice('x')) }, 'choices'],
    ['content that is a number', { choices: [choice(7)] }, 'choices[0].message.content'],
    ['no message', { choices: [{ text: 'old style' }] }, 'choices[0].message'],
    ['a choice that is null', { choices: [null] }, 'choices[0]'],
    [
      'a finish reason that is an object',
      { choices: [{ ...choice('x'), finish_reason: {} }] },
      'choices[0].finish_reason',
    ],
    ['a list', [], 'body'],
  ])('%s is refused by the name of the field', (_, body, field) => {
    expect(() => read(body)).toThrow(
      expect.objectContaining({
        code: 'lm/response-invalid',
        fields: expect.objectContaining({ field }) as object,
      }),
    );
  });

  test('an error in place of an answer keeps its meaning', () => {
    const withError = (error: unknown) => () => read({ error });
    expect(withError({ message: 'overloaded', code: 529 })).toThrow(
      expect.objectContaining({ code: 'lm/server' }),
    );
    expect(withError({ message: 'no', code: 401 })).toThrow(expect.objectContaining({ code: 'lm/auth' }));
    expect(withError({ code: 'context_length_exceeded' })).toThrow(
      expect.objectContaining({ code: 'lm/context-window-exceeded' }),
    );
    expect(withError('bad secret-key')).toThrow('bad [redacted]');
  });
});

describe('whatever a server sends', () => {
  const almost = fc.record(
    {
      choices: fc.oneof(
        fc.jsonValue(),
        fc.array(
          fc.oneof(
            fc.jsonValue(),
            fc.record(
              {
                index: fc.oneof(fc.integer(), fc.jsonValue()),
                message: fc.oneof(fc.jsonValue(), fc.record({ content: fc.jsonValue() })),
                delta: fc.oneof(fc.jsonValue(), fc.record({ content: fc.jsonValue() })),
                finish_reason: fc.jsonValue(),
              },
              { requiredKeys: [] },
            ),
          ),
        ),
      ),
      usage: fc.jsonValue(),
      error: fc.jsonValue(),
      model: fc.jsonValue(),
      id: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    almost.map((value) => JSON.stringify(value)),
  );

  test.each([
    ['whole', readCompletion],
    ['a piece', readChunk],
  ])('%s: the result is sound, or the error is ours', (_, reader) => {
    fc.assert(
      fc.property(body, (text) => {
        try {
          const result = reader(context, text);
          const texts = 'outputs' in result ? result.outputs : result.pieces;
          expect(texts.every((one) => typeof one.text === 'string')).toBe(true);
          expect('outputs' in result ? result.outputs.length : 1).toBeGreaterThan(0);
        } catch (error) {
          if (!isCodedError(error) || !error.code.startsWith('lm/')) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});
