import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCodedError } from '../base/index.ts';
import { maxTypeDepth } from './parse-python-type.ts';
import { maxSignatureLength, parseSignature } from './parse-signature.ts';
import { printSignature } from './print-signature.ts';
import { createField } from './field.ts';
import { Signature } from './signature.ts';
import { literalType, unionType } from './python-type.ts';
import type { PythonType } from './python-type.ts';

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

const fieldName = fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/).map((name) => `f_${name}`);

const pythonType: fc.Arbitrary<PythonType> = fc.letrec<{ type: PythonType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc
      .constantFrom('str', 'int', 'float', 'bool', 'bytes', 'complex')
      .map((name) => ({ kind: 'scalar' as const, name: name as 'str' })),
    fc.constant<PythonType>({ kind: 'any' }),
    fc.constant<PythonType>({ kind: 'none' }),
    fc.constant<PythonType>({ kind: 'list' }),
    fc.constant<PythonType>({ kind: 'tuple', items: [], isVariadic: false }),
    fc
      .array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.nat(), fc.boolean(), fc.constant(null)), {
        minLength: 1,
        maxLength: 4,
      })
      .filter((values) => !values.some((value) => typeof value === 'string' && value.includes('->')))
      .map(literalType),
    tie('type').map((item): PythonType => ({ kind: 'list', item })),
    fc
      .tuple(tie('type'), fc.boolean())
      .map(([item, isFrozen]): PythonType => ({ kind: 'set', item, isFrozen })),
    fc
      .tuple(tie('type'), tie('type'))
      .map(([key, value]): PythonType => ({ kind: 'dict', entry: { key, value } })),
    fc
      .array(tie('type'), { minLength: 1, maxLength: 3 })
      .map((items): PythonType => ({ kind: 'tuple', items, isVariadic: false })),
    tie('type').map((item): PythonType => ({ kind: 'tuple', items: [item], isVariadic: true })),
    fc.array(tie('type'), { minLength: 1, maxLength: 3 }).map(unionType),
  ),
})).type;

describe('parseSignature', () => {
  it('reads back what printSignature writes', () => {
    const fields = fc.uniqueArray(
      fc.record({
        name: fieldName,
        kind: fc.constantFrom('input' as const, 'output' as const),
        type: pythonType,
      }),
      { selector: (field) => field.name, maxLength: 6 },
    );
    fc.assert(
      fc.property(fields, (specs) => {
        const signature = new Signature({
          fields: specs.map(({ name, ...spec }) => createField(name, spec)),
        });
        const again = parseSignature(printSignature(signature));
        expect(again.fields).toEqual(signature.fields);
        expect(again.instructions).toBe(signature.instructions);
        expect(printSignature(again)).toBe(printSignature(signature));
      }),
      { numRuns: 300 },
    );
  });

  it('never throws anything without a code', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.string(),
        fc.constantFrom(
          '->',
          ',',
          ':',
          'a',
          'list[',
          ']',
          '*',
          '/',
          '=',
          '(',
          ')',
          '|',
          'Literal[',
          "'",
          '...',
          'int',
          '\n',
        ),
      ),
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        expect([undefined, 'program/signature-invalid']).toContain(
          codeOf(() => parseSignature(parts.join(''))),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('names the place and what was expected', () => {
    expect(thrownBy(() => parseSignature('question, k: int answer -> b'))).toMatchObject({
      code: 'program/signature-invalid',
      fields: { signature: 'question, k: int answer -> b', position: 17, expected: 'a comma' },
    });
    expect(thrownBy(() => parseSignature('a -> b: list[str'))).toMatchObject({ fields: { position: 16 } });
  });

  it('takes custom types by their name, dots included', () => {
    const date = { kind: 'custom', name: 'date', schema: { type: 'string', format: 'date' } } as const;
    const color = { kind: 'enum', name: 'Color', members: [{ name: 'RED', value: 'red' }] } as const;
    const signature = parseSignature('day: datetime.date -> colors: list[Color]', undefined, {
      customTypes: { 'datetime.date': date, Color: color },
    });
    expect(signature.fields.map((field) => field.type)).toEqual([date, { kind: 'list', item: color }]);
    expect(thrownBy(() => parseSignature('day: datetime.date -> b'))).toMatchObject({
      message: 'Unknown name: datetime.date',
    });
  });

  it.each(['constructor', 'toString', 'hasOwnProperty'])('does not take %s for a type', (name) => {
    expect(thrownBy(() => parseSignature(`a: ${name} -> b`))).toMatchObject({
      message: `Unknown name: ${name}`,
    });
    expect(
      isCodedError(
        thrownBy(() => parseSignature(`a: ${name}[int] -> b`)),
        'program/signature-invalid',
      ),
    ).toBe(true);
  });

  it('refuses a text that is too long or too deep, at once', () => {
    const long = `${'a, '.repeat(maxSignatureLength)}-> b`;
    const deep = `a: ${'list['.repeat(maxTypeDepth + 1)}int${']'.repeat(maxTypeDepth + 1)} -> b`;
    const parentheses = `a: ${'('.repeat(maxSignatureLength / 4)} -> b`;
    for (const text of [long, deep, parentheses]) {
      expect(
        isCodedError(
          thrownBy(() => parseSignature(text)),
          'program/signature-invalid',
        ),
      ).toBe(true);
    }
    const allowed = `a: ${'list['.repeat(maxTypeDepth)}int${']'.repeat(maxTypeDepth)} -> b`;
    expect(parseSignature(allowed).inputFields).toHaveLength(1);
  });

  it('makes the names of fields normal, as Python does', () => {
    expect(parseSignature('ﬁeld -> ａ').text).toBe('field -> a');
  });
});
