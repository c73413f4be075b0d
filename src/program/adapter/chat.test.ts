import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { parseSignature } from '../parse-signature.ts';
import { splitLines, strip } from '../python-text.ts';
import type { Signature } from '../signature.ts';
import { ChatAdapter, maxCompletionLength } from './chat.ts';

const adapter = new ChatAdapter();
const signature: Signature = parseSignature('question -> text: str, count: int, ok: bool, items: list[str]');

/** Ends of line other than `\n` come back as `\n`, inside JSON too: DSPy cuts an answer at all of Python's. */
const plainText = fc.string({ unit: 'grapheme' }).map((text) => splitLines(text).join('\n'));

/** Lines of their own that look like headers end a field, in DSPy too. */
const answerText = plainText.map(strip).filter((text) => !text.includes('[[ ##'));

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (thrown) {
    return thrown;
  }
  throw new Error('nothing was thrown');
}

/** Undefined when nothing is thrown. */
function codeOf(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (thrown) {
    return isCodedError(thrown) ? thrown.code : thrown;
  }
}

describe('ChatAdapter', () => {
  it('reads back the assistant turn that it writes', () => {
    const outputs = fc.record({
      text: answerText,
      count: fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: 2n ** 60n, max: 2n ** 70n })),
      ok: fc.boolean(),
      items: fc.array(plainText),
    });
    fc.assert(
      fc.property(outputs, (values) => {
        const messages = adapter.format(signature, [{ question: 'q', ...values }], { question: 'next' });
        expect(messages.map((message) => message.role)).toEqual(['system', 'user', 'assistant', 'user']);
        expect(adapter.parse(signature, messages[2]?.content as string)).toEqual(values);
      }),
      { numRuns: 300 },
    );
  });

  it('never throws anything without a code, whatever the model wrote', () => {
    const wide: Signature = parseSignature(
      "q -> a: int, b: dict[str, list[float]], c: Literal['x', 1], d: Optional[bool]",
    );
    const pieces = fc.array(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.constantFrom(
          '\n',
          '[[ ## a ## ]]',
          '\n[[ ## b ## ]]\n',
          '\n[[ ## c ## ]]\n',
          '\n[[ ## d ## ]]\n',
          '[[ ## completed ## ]]',
          '{',
          '[',
        ),
      ),
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        expect([undefined, 'program/adapter-parse-failed']).toContain(
          codeOf(() => adapter.parse(wide, parts.join(''))),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('says what was found and what is missing', () => {
    const thrown = thrownBy(() => adapter.parse(signature, '[[ ## text ## ]]\nhello\n[[ ## ok ## ]]\nyes'));
    expect(thrown).toMatchObject({
      code: 'program/adapter-parse-failed',
      fields: {
        adapter: 'ChatAdapter',
        signature: 'question -> text, count, ok, items',
        parsed: ['text', 'ok'],
        missing: ['count', 'items'],
      },
    });
  });

  it('names the field whose value did not fit', () => {
    const thrown = thrownBy(() => adapter.parse(signature, '[[ ## count ## ]]\nmany'));
    expect(thrown).toMatchObject({ fields: { field: 'count' }, cause: { code: 'program/value-invalid' } });
  });

  it('refuses an answer that is too long without repeating it', () => {
    const thrown = thrownBy(() => adapter.parse(signature, 'x'.repeat(maxCompletionLength + 1)));
    expect(isCodedError(thrown, 'program/adapter-parse-failed')).toBe(true);
    expect((thrown as Error).message.length).toBeLessThan(3000);
  });

  it('reads an answer of the greatest length', () => {
    const one: Signature = parseSignature('q -> answer');
    const text = 'word \n'.repeat((maxCompletionLength - 100) / 6);
    expect(adapter.parse(one, `[[ ## answer ## ]]\n${text}`)).toEqual({ answer: strip(text) });
  });

  it('does not find fields on the prototype', () => {
    const odd: Signature = parseSignature('constructor -> toString');
    expect(adapter.format(odd, [{}], {}).map((message) => message.role)).toEqual(['system', 'user']);
    expect(adapter.format(odd, [], {})[1]?.content).not.toContain('## constructor ##');
    expect(() => adapter.parse(odd, '')).toThrow(
      expect.objectContaining({ code: 'program/adapter-parse-failed' }),
    );
  });

  it('refuses an output whose type has no schema', () => {
    const bare: Signature = parseSignature('q -> a: Thing', undefined, {
      customTypes: { Thing: { kind: 'custom', name: 'Thing' } },
    });
    expect(() => adapter.format(bare, [], {})).toThrow(
      expect.objectContaining({ code: 'program/type-unsupported' }),
    );
  });

  it('prints enums and custom types with their schema', () => {
    const typed: Signature = parseSignature('q: Person -> color: Color, person: Person', undefined, {
      customTypes: {
        Color: {
          kind: 'enum',
          name: 'Color',
          members: [
            { name: 'RED', value: 'red' },
            { name: 'BLUE', value: 'blue' },
          ],
        },
        Person: {
          kind: 'custom',
          name: 'Person',
          description: 'One person.',
          schema: { title: 'Person', type: 'object', properties: { name: { type: 'string' } } },
        },
      },
    });
    const system = adapter.format(typed, [], { q: { name: 'x' } })[0]?.content;
    expect(system).toContain('{color}        # note: the value you produce must be one of: red; blue');
    expect(system).toContain(
      'must adhere to the JSON schema: {"type": "object", "properties": {"name": {"type": "string"}}, "title": "Person"}',
    );
    expect(system).toContain('1. `q` (Person): \n    Type description of Person: One person.');
  });
});
