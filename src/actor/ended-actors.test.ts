import { expect, test } from 'vitest';
import { EndedActors, maxEndedActors } from './ended-actors.ts';

test('the last ones that ended are known by their start, and no more than the bound', () => {
  const ended = new EndedActors();
  ended.add('a', 1);
  expect([ended.has('a', 1), ended.has('a', 2), ended.has('b', 1)]).toEqual([true, false, false]);
  for (let count = 1; count < maxEndedActors; count++) ended.add('b', count);
  expect(ended.has('a', 1)).toBe(true);
  // told once more it is the newest
  ended.add('a', 1);
  ended.add('b', maxEndedActors);
  expect([ended.has('a', 1), ended.has('b', 1), ended.has('b', 2)]).toEqual([true, false, true]);
});
