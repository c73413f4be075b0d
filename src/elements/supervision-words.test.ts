import { expect, test } from 'vitest';
import {
  budgetWords,
  dependencyWords,
  partWords,
  reasonWords,
  restartCountWords,
  restartsLeftWords,
  strategyWords,
} from './supervision-words.ts';

test.each([
  [{ restartsLeft: 2, maxRestarts: 3, maxSeconds: 5 }, '2 of 3 restarts left in this 5 s window'],
  [
    { restartsLeft: 0, maxRestarts: 3, maxSeconds: 5 },
    '0 of 3 restarts left in this 5 s window: it gives up at the next failure',
  ],
  [{ restartsLeft: 1, maxRestarts: 1, maxSeconds: 60 }, '1 of 1 restart left in this 60 s window'],
  [{ restartsLeft: 0, maxRestarts: 0, maxSeconds: 5 }, 'no restarts: it gives up at the first failure'],
])('a budget of %o', (budget, words) => {
  expect(budgetWords(budget)).toBe(words);
});

test('what is left is said shortly, too', () => {
  expect(restartsLeftWords({ restartsLeft: 2, maxRestarts: 3, maxSeconds: 5 })).toBe('2 of 3 restarts left');
  expect([0, 1, 2].map(restartCountWords)).toEqual(['0 restarts', '1 restart', '2 restarts']);
});

test.each([
  ['crashed', 'it crashed'],
  ['shutdown: gave up', 'it gave up'],
  ['worker-lost: ended', 'its worker ended'],
  ['worker-lost: something new', 'its worker is gone: something new'],
  ['worker-hung', 'its worker did not answer in time and was killed'],
  ['start failed: as asked', 'it could not start: as asked'],
  ['unheard-of', 'unheard-of'],
  ['constructor', 'constructor'],
])('the reason %s', (reason, words) => {
  expect(reasonWords(reason)).toBe(words);
});

test('each strategy says who is started again', () => {
  expect(strategyWords('one-for-one')).toContain('alone');
  expect(strategyWords('one-for-all')).toContain('all its siblings');
  expect(strategyWords('rest-for-one')).toContain('started after it');
});

test('a dependency says what calls do without it', () => {
  expect(dependencyWords({ id: 'a', whenDown: 'wait', isDown: true })).toBe('a (down: calls wait)');
  expect(dependencyWords({ id: 'a', whenDown: 'degrade', isDown: false })).toBe(
    'a (calls go on while it is down)',
  );
  expect(dependencyWords({ id: 'a', whenDown: 'fail', isDown: true })).toBe('a (down: calls fail)');
});

test('so does a sub-module', () => {
  expect(partWords({ path: 'critic', whenDown: 'local', isDown: false })).toBe(
    'critic (its calls run in the module itself while it is down)',
  );
  expect(partWords({ path: 'hops[0]', whenDown: 'fail', isDown: true })).toBe(
    'hops[0] (down: its calls fail)',
  );
});
