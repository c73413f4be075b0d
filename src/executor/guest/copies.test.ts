import { expect, test } from 'vitest';
import { Copies } from './copies.ts';

/** As `postMessage` does. */
const giveAway = (buffer: ArrayBuffer): ArrayBuffer => structuredClone(buffer, { transfer: [buffer] });
const bytesOf = (buffer: ArrayBuffer): readonly number[] => [...new Uint8Array(buffer)];

test.each([
  ['made when it is asked for', false],
  ['made ahead', true],
])('each has a copy of its own, %s', (_name, isAhead) => {
  const copies = new Copies(new Uint8Array([1, 2, 3]).buffer);
  for (let round = 0; round < 3; round += 1) {
    if (isAhead) copies.prepare();
    const mine = giveAway(copies.take());
    expect(bytesOf(mine)).toEqual([1, 2, 3]);
    new Uint8Array(mine).fill(9);
  }
});

test('one that was made ahead is given once', () => {
  const copies = new Copies(new Uint8Array([1]).buffer);
  copies.prepare();
  copies.prepare();
  expect(copies.take()).not.toBe(copies.take());
});
