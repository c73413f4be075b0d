import { expect, test } from 'vitest';
import { cutText, shownTextLength } from './cut-text.ts';

test('a text at the limit is whole, one character more is cut and says so', () => {
  const whole = 'x'.repeat(shownTextLength);
  expect(cutText(whole)).toBe(whole);
  const cut = cutText(`${whole}y`);
  expect(cut.startsWith(`${whole}\n`)).toBe(true);
  expect(cut).toContain('200,000 of 200,001 characters');
});

test('what is kept stays small whatever was printed', () => {
  expect(cutText('z'.repeat(16_000_000)).length).toBeLessThan(shownTextLength + 100);
});
