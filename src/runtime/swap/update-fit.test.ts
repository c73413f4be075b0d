/** New code that is served to a program and the actors inside it: all of them take it, or none does. */
import { expect, test } from 'vitest';
import type { Modules } from '../version/module-catalog.ts';
import {
  BrokenJudge,
  createCourt,
  failures,
  LonelyCourt,
  MinuteCourt,
  MinuteJudge,
  NewClerk,
  NewCourt,
  NewJudge,
  newCode,
} from './update-test-scene.ts';

test('code in which program and parts still fit is taken by all', async () => {
  const { court, update } = await createCourt();
  update(newCode);
  await expect.poll(() => court.call(null)).toBe('new court, new judge 3, new clerk');
  // a shape that changes on both sides alike
  update({ judge: MinuteJudge, clerk: NewClerk, court: MinuteCourt });
  await expect.poll(() => court.call(null)).toBe('new court, minutes 1, new clerk');
  expect(failures()).toEqual([]);
});

test.each<[string, Modules]>([
  ['a part has another shape', { judge: MinuteJudge, clerk: NewClerk, court: NewCourt }],
  ['the program takes a part for another', { judge: NewJudge, clerk: NewClerk, court: MinuteCourt }],
  ['the program has a part no more', { judge: NewJudge, clerk: NewClerk, court: LonelyCourt }],
  ['a part cannot be constructed', { judge: BrokenJudge, clerk: NewClerk, court: NewCourt }],
])('code in which %s is taken by nobody, and all serve on', async (_, modules) => {
  const { court, update } = await createCourt();
  update(modules);
  const refused = ['c', 'c/clerk', 'c/judge'].map((id) => `${id} runtime/sub-module-mismatch`);
  await expect.poll(failures).toEqual(refused);
  expect(await court.call(null)).toBe('court, judge 3, clerk');
  await court.parameter('judge.seconds').set(4);
  expect(await court.call(null)).toBe('court, judge 4, clerk');
  // the next edit mends it
  update(newCode);
  await expect.poll(() => court.call(null)).toBe('new court, new judge 4, new clerk');
});
