import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCodedError } from '../base/index.ts';
import { parsePythonType } from './parse-python-type.ts';
import { parseValue } from './parse-value.ts';
import type { PythonType } from './python-type.ts';

const color: PythonType = {
  kind: 'enum',
  name: 'Color',
  members: [
    { name: 'RED', value: 'red' },
    { name: 'TWO', value: 2 },
  ],
};

/** Undefined when nothing is thrown. */
function codeOf(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (thrown) {
    return isCodedError(thrown) ? thrown.code : thrown;
  }
}

describe('parseValue', () => {
  it('takes an enum by value, then by name', () => {
    expect(parseValue('red', color)).toBe('red');
    expect(parseValue('RED', color)).toBe('red');
    expect(parseValue('TWO', color)).toBe(2);
    expect(() => parseValue('blue', color)).toThrow('blue is not a valid name or value for the enum Color');
    expect(parseValue('["red", 2]', { kind: 'list', item: color })).toEqual(['red', 2]);
  });

  it('gives integers beyond 2^53 as bigints', () => {
    expect(parseValue('9007199254740993', parsePythonType('int'))).toBe(9007199254740993n);
    expect(parseValue('9007199254740991', parsePythonType('int'))).toBe(9007199254740991);
  });

  it('names what did not fit, and where', () => {
    expect(() => parseValue('{"a": [1, "x"]}', parsePythonType('dict[str, list[int]]'))).toThrow(
      "Not a valid dict[str, list[int]]: at 'a': at item 1: expected an int, but found 'x'.",
    );
  });

  it('passes a custom type as it was read', () => {
    expect(parseValue("{'name': 'x', age: 3}", { kind: 'custom', name: 'Person' })).toEqual({
      name: 'x',
      age: 3,
    });
  });

  it.each([
    ['int', `"${'1'.repeat(1_000_000)}x"`],
    ['float', `"${'1'.repeat(1_000_000)}x"`],
    ['float', `"${'1_'.repeat(500_000)}"`],
    ['float', `${'1'.repeat(9_998)}x`],
    ['bool', `"${'1'.repeat(1_000_000)}x"`],
  ])('ends soon on digits without end: %s', (type, text) => {
    const startMs = performance.now();
    expect(codeOf(() => parseValue(text, parsePythonType(type)))).toBe('program/value-invalid');
    expect(performance.now() - startMs).toBeLessThan(2000);
  });

  it('never throws anything without a code', () => {
    const types = [
      'int',
      'float',
      'bool',
      'list[str]',
      'dict[str, Any]',
      'Optional[int]',
      'Union[int, str]',
      'tuple[int, str]',
      'set[int]',
      "Literal['a']",
      'complex',
      'Any',
    ];
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), fc.constantFrom(...types), (text, type) => {
        expect([undefined, 'program/value-invalid']).toContain(
          codeOf(() => parseValue(text, parsePythonType(type))),
        );
      }),
      { numRuns: 2000 },
    );
  });
});
