import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePythonJson } from './python-json.ts';
import { maxLiteralLength, parsePythonLiteral } from './python-literal.ts';
import { fromPythonValue, maxIntegerDigits, maxValueDepth } from './python-value.ts';
import { maxRepairLength, repairJson } from './repair-json.ts';

/** Generous: the machine is shared. Quadratic reading of these texts takes minutes. */
const hostileLimitMs = 10_000;
const pieces = fc.array(
  fc.oneof(
    fc.string(),
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '(',
      ')',
      '"',
      "'",
      '“',
      '”',
      ':',
      ',',
      '\\',
      '#',
      '//',
      '/*',
      '*/',
      '\n',
      '1',
      '-',
      'true',
      'a',
      '...',
      '```',
    ),
  ),
  { maxLength: 60 },
);

/** JSON.parse has no integers beyond 2^53. */
function numbersOnly(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? Number(item) : item)) ??
      'null',
  );
}

describe('repairJson', () => {
  it('leaves JSON as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(numbersOnly(fromPythonValue(repairJson(text)))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('reads any text without throwing', () => {
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('');
        expect(repairJson(text)).not.toBe(undefined);
        expect(() => parsePythonLiteral(text)).not.toThrow();
      }),
      { numRuns: 3000 },
    );
  });

  it('reads what is left of a list that was cut off', () => {
    const list = fc.array(fc.array(fc.nat(), { minLength: 1 }), { minLength: 1 });
    fc.assert(
      fc.property(list, (value) => {
        const text = JSON.stringify(value).replace(/\]+$/, '');
        expect(fromPythonValue(repairJson(text))).toEqual(value);
      }),
    );
  });

  it.each([
    ['quotes that never close', '["a x]'.repeat(maxRepairLength / 6)],
    [
      'parentheses that close in prose',
      `${'(1\n'.repeat(maxRepairLength / 5)}${')'.repeat(maxRepairLength / 5)} x`,
    ],
    ['braces', '{'.repeat(maxRepairLength)],
    ['brackets', '['.repeat(maxRepairLength)],
    ['braces and quotes', '{"'.repeat(maxRepairLength / 2)],
    ['commas and quotes', `{"a": "${',"'.repeat(maxRepairLength / 2 - 4)}`],
    ['bare values and commas', `{"a": b${',b'.repeat(maxRepairLength / 2 - 4)}`],
    ['open comments', '[/*'.repeat(maxRepairLength / 3)],
    ['blanks before parentheses', `${' '.repeat(maxRepairLength / 2)}${'(x'.repeat(maxRepairLength / 4)}`],
    ['backslashes', `['${'\\'.repeat(maxRepairLength - 3)}`],
    ['digits', `[${'1'.repeat(maxRepairLength - 1)}`],
    ['digits that are no number', `[${'1'.repeat(maxRepairLength - 4)}/2]`],
  ])('ends soon on %s', (_name, text) => {
    const startMs = performance.now();
    repairJson(text);
    expect(performance.now() - startMs).toBeLessThan(hostileLimitMs);
  });

  it('reads no literal that is longer than its limit', () => {
    const literal = (length: number): string => `'${'x'.repeat(length - 2)}'`;
    expect(parsePythonLiteral(literal(maxLiteralLength))).toHaveLength(maxLiteralLength - 2);
    expect(parsePythonLiteral(literal(maxLiteralLength + 1))).toBe(undefined);
  });

  it('does not repair what is longer than its limit', () => {
    const items = '1,'.repeat(maxRepairLength / 2);
    expect(repairJson(`[${items}`)).toBe('');
    expect(repairJson(`[${items}1]`)).toMatchObject({ kind: 'list' });
  });
});

/** Undefined when the text is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return numbersOnly(JSON.parse(text));
  } catch {
    return undefined;
  }
}

describe('parsePythonJson', () => {
  it('agrees with JSON.parse on what is JSON', () => {
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('');
        const value = parsePythonJson(text);
        expect(value === undefined ? undefined : numbersOnly(fromPythonValue(value))).toEqual(jsonOf(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('tells 1 from 1.0, and keeps large integers whole', () => {
    expect(parsePythonJson('[1, 1.0, 1e2, 12345678901234567890]')).toEqual({
      kind: 'list',
      items: [1n, { kind: 'float', value: 1 }, { kind: 'float', value: 100 }, 12345678901234567890n],
    });
  });

  it('has bounds on depth and digits', () => {
    expect(parsePythonJson('['.repeat(maxValueDepth + 1) + ']'.repeat(maxValueDepth + 1))).toBe(undefined);
    expect(parsePythonJson('1'.repeat(maxIntegerDigits + 1))).toBe(undefined);
    expect(parsePythonJson('1'.repeat(maxIntegerDigits))).toBeTypeOf('bigint');
    expect(parsePythonJson(`"${'x\\n'.repeat(1_300_000)}"`)).toHaveLength(2_600_000);
  });
});
