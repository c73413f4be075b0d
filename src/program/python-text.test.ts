import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanDocumentation, dedent, representText, splitLines, strip } from './python-text.ts';
import { floatText } from './python-value.ts';

describe('Python text', () => {
  it('strips what Python calls white space, and nothing else', () => {
    expect(strip('\x1c\x1d\x1e\x1f\x85\xa0\u2003\u3000 x \u2028\u2029\t\n')).toBe('x');
    expect(strip('\ufeffx\u200b')).toBe('\ufeffx\u200b');
  });

  it('ends lines where Python does', () => {
    expect(splitLines('a\nb\rc\r\nd\ve\ff\x1cg\x1dh\x1ei\x85j\u2028k\u2029l')).toEqual(
      'abcdefghijkl'.split(''),
    );
    expect(splitLines('')).toEqual([]);
    expect(splitLines('\n')).toEqual(['']);
    expect(splitLines('a\n\n')).toEqual(['a', '']);
  });

  it('splits and strips long runs of white space in linear time', () => {
    const run = `x${' '.repeat(2_000_000)}y`;
    expect(strip(run)).toHaveLength(2_000_002);
    expect(cleanDocumentation(run)).toHaveLength(2_000_002);
    expect(dedent(run)).toHaveLength(2_000_002);
  });

  it('quotes as repr does', () => {
    const vectors: [string, string][] = [
      ['plain', "'plain'"],
      ["it's", '"it\'s"'],
      ['"', "'\"'"],
      ['\'"', "'\\'\"'"],
      ['a\\b\n\r\t\x00\x1b\x7f', "'a\\\\b\\n\\r\\t\\x00\\x1b\\x7f'"],
      ['é中😀', "'é中😀'"],
      ['\xa0\xad\u200b\u2028\ufeff\ud800', "'\\xa0\\xad\\u200b\\u2028\\ufeff\\ud800'"],
      ['\u{e0001}', "'\\U000e0001'"],
    ];
    for (const [text, represented] of vectors) expect(representText(text)).toBe(represented);
  });

  it('writes floats that read back the same', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = floatText(value);
        expect(Object.is(Number(text), value)).toBe(true);
        expect(text).toMatch(/^-?\d+(?:\.\d+)?(?:e[+-]\d{2,3})?$/);
        expect(text).toMatch(/[.e]/);
      }),
    );
  });
});
