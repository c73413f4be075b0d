import { expect, test } from 'vitest';
import { joinBytes } from './join-bytes.ts';

test('bytes stand one after the other, in an array of their own', () => {
  const part = Uint8Array.of(2, 3);
  const whole = joinBytes([[1], part, new Uint8Array(), [4]]);
  part.fill(9);
  expect([...whole]).toEqual([1, 2, 3, 4]);
  expect(whole.buffer.byteLength).toBe(4);
  expect(joinBytes([])).toEqual(new Uint8Array());
});
