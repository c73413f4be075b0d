import { describe, expect, it } from 'vitest';
import { parseSignature } from './parse-signature.ts';
import { isSignature } from './signature.ts';

const signature = parseSignature('context: list[str], question -> answer: int', 'Answer.');

describe('Signature', () => {
  it('cannot be changed', () => {
    expect(Object.isFrozen(signature)).toBe(true);
    expect(() => (signature.fields as unknown[]).push(1)).toThrow(TypeError);
    expect(() => Object.assign(signature.fields[0] as object, { name: 'x' })).toThrow(TypeError);
  });

  it('leaves the old signature as it was', () => {
    const changed = signature.withUpdatedFields('question', {
      description: 'What is asked.',
      type: 'Optional[str]',
    });
    expect(changed.field('question')).toMatchObject({
      description: 'What is asked.',
      type: { kind: 'union' },
    });
    expect(signature.field('question')?.description).toBe('${question}');
    expect(signature.equals(changed)).toBe(false);
    expect(signature.equals(signature.withInstructions('Answer.'))).toBe(true);
  });

  it('names a field that is missing', () => {
    expect(() => signature.withUpdatedFields('nothing', {})).toThrow(
      expect.objectContaining({
        code: 'program/field-missing',
        fields: { field: 'nothing', expected: ['context', 'question', 'answer'] },
      }),
    );
  });

  it('puts fields among those of their kind', () => {
    expect(signature.prepend('first', { kind: 'output', type: 'bool' }).text).toBe(
      'context, question -> first, answer',
    );
    expect(signature.append('last', { kind: 'input' }).text).toBe('context, question, last -> answer');
    expect(signature.insert(-2, 'middle', { kind: 'input' }).text).toBe(
      'context, middle, question -> answer',
    );
    expect(() => signature.insert(4, 'x', { kind: 'input' })).toThrow(/Invalid index to insert: 4/);
    expect(() => signature.insert(0.5, 'x', { kind: 'input' })).toThrow(/Invalid index to insert/);
  });

  it('replaces a field of the same name, whatever its kind', () => {
    expect(signature.prepend('answer', { kind: 'input', type: 'str' }).text).toBe(
      'answer, context, question -> ',
    );
    const moved = signature.append('context', { kind: 'input', type: 'int' });
    expect(moved.text).toBe('question, context -> answer');
    expect(moved.field('context')?.type).toEqual({ kind: 'scalar', name: 'int' });
  });

  it('keeps prefixes and descriptions through its state', () => {
    const described = signature.withUpdatedFields('answer', { prefix: 'A:', description: 'The number.' });
    const state = described.dumpState();
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    expect(signature.loadState(state).equals(described)).toBe(true);
    expect(signature.loadState({ instructions: '', fields: [] }).instructions).toBe('');
  });

  it('is known by its mark, not by its class', () => {
    expect(isSignature(signature)).toBe(true);
    expect(isSignature({ fields: [] })).toBe(false);
    expect(isSignature(null)).toBe(false);
  });
});
