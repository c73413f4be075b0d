import { expect, test } from 'vitest';
import { ViewState } from './view-state.ts';

test('a notice that is said again stays in its place; the oldest go first beyond four', () => {
  const state = new ViewState(() => undefined);
  for (const id of ['a', 'b', 'c']) state.say(id, id);
  state.notify('a', new Error('again'), 'error', 'work-on-copy');
  expect(state.current.notices.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  expect(state.current.notices[0]).toMatchObject({ notice: { message: 'again' }, action: 'work-on-copy' });
  for (const id of ['d', 'e']) state.say(id, id);
  expect(state.current.notices.map(({ id }) => id)).toEqual(['b', 'c', 'd', 'e']);
  state.dismiss('c');
  expect(state.current.notices.map(({ id }) => id)).toEqual(['b', 'd', 'e']);
});
