import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maxPatternCharacters, parseGlob } from './glob.ts';

test.each([
  ['qa', 'qa', true],
  ['qa', 'qa2', false],
  ['q?', 'qa', true],
  ['q?', 'q', false],
  ['q?', 'q.', false],
  ['*', 'qa', true],
  ['*', '', true],
  ['*', 'team.qa', false],
  ['team.*', 'team.qa', true],
  ['team.*', 'team.qa.inner', false],
  ['team/*', 'team/qa', true],
  ['team/*', 'team.qa', false],
  ['**', 'team.qa/inner', true],
  ['***', 'team.qa/inner', true],
  ['team.**', 'team.qa.inner', true],
  ['team.**', 'team', false],
  ['**.qa', 'qa', true],
  ['**.qa', 'a.b.qa', true],
  ['**.qa', 'a.bqa', false],
  ['**.qa', 'a/b/qa', false],
  ['**/qa', 'a.b/qa', true],
  ['team.**.qa', 'team.qa', true],
  ['team.**.qa', 'team.a.b.qa', true],
  ['team.**.qa', 'team.a.bqa', false],
  ['a**b', 'a.x.b', true],
  ['a**b', 'ab', true],
  ['*a*', 'banana', true],
  ['*a*', 'bon', false],
  ['module_*', 'module_0123456789abcdef', true],
])('%s on "%s": %s', (pattern, id, expected) => {
  expect(parseGlob(pattern).matches(id)).toBe(expected);
});

/** The rules once more, as a regular expression: right, but not safe from hostile patterns. */
function toRegExp(pattern: string): RegExp {
  const parts = pattern.match(/\*\*+|\*|\?|[^*?]/gu) ?? [];
  let text = '';
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at] as string;
    const startsSegment = at === 0 || /[./]/u.test((parts[at - 1] as string).at(-1) as string);
    const next = parts[at + 1];
    if (part.length > 1 && startsSegment && (next === '.' || next === '/')) {
      text += next === '.' ? String.raw`(?:[^]*\.)?` : String.raw`(?:[^]*\/)?`;
      at++;
    } else if (part.length > 1) text += '[^]*';
    else if (part === '*') text += '[^./]*';
    else if (part === '?') text += '[^./]';
    else text += part.replace(/[./]/u, '\\$&');
  }
  return new RegExp(`^${text}$`, 'u');
}

test('every pattern means what its regular expression means', () => {
  const piece = fc.constantFrom('a', 'b', '.', '/', '*', '**', '?', '**.', '**/');
  const pattern = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(''));
  const id = fc.array(fc.constantFrom('a', 'b', '.', '/'), { maxLength: 8 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(pattern, id, (someGlob, someId) => {
      // a run of stars that the pieces made together is read as one by both
      expect(parseGlob(someGlob).matches(someId)).toBe(toRegExp(someGlob).test(someId));
    }),
    { numRuns: 5_000 },
  );
});

test('no pattern makes a match slow', () => {
  const id = `${'a'.repeat(127)}b`;
  const hostile = [
    '*a'.repeat(128),
    '**a'.repeat(85),
    '**.'.repeat(85),
    `${'*?'.repeat(127)}c`,
    '*'.repeat(256),
  ];
  const startedMs = performance.now();
  for (const pattern of hostile) for (let round = 0; round < 20; round++) parseGlob(pattern).matches(id);
  expect(performance.now() - startedMs).toBeLessThan(2_000);
});

test.each([
  ['', ''],
  ['a'.repeat(maxPatternCharacters + 1), 'a'.repeat(200)],
  ['{a,b}', '{a,b}'],
  ['[ab]', '[ab]'],
  ['a b', 'a b'],
  ['!a', '!a'],
  [undefined as unknown as string, 'undefined'],
  [Symbol('x') as unknown as string, 'Symbol(x)'],
])('pattern %j is refused', (pattern, value) => {
  expect(() => parseGlob(pattern)).toThrow(
    expect.objectContaining({
      code: 'runtime/pattern-invalid',
      fields: { field: 'pattern', value, expectation: expect.stringContaining('256') as string },
    }) as Error,
  );
});
