import { parse } from 'acorn';
import { expect, test } from 'vitest';
import { languages } from '../language/languages.ts';
import { escapeAttempts, escapeScripts } from './attempts.ts';
import { writeBareGuest } from './bare-guest.ts';
import { knownAttempts } from './known-attempts.ts';

const ids = escapeAttempts.map(({ id }) => id);
const possible = escapeAttempts.filter(({ control }) => control !== 'absent');

function repeated(names: readonly string[]): readonly string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}

test('every attempt has a name, and a mechanism, of its own', () => {
  expect(repeated(ids)).toEqual([]);
  expect(repeated(escapeAttempts.map(({ mechanism }) => mechanism))).toEqual([]);
});

test('there are at least 120 of them that a worker can make at all', () => {
  expect(possible.length).toBeGreaterThanOrEqual(120);
});

test('they come from every language, and from scripts in the place of a guest', () => {
  const found = new Set(possible.map(({ language }) => language));
  expect([...found].toSorted()).toEqual([...Object.keys(languages), 'worker'].toSorted());
});

test('every way that is known is tried', () => {
  expect(repeated(knownAttempts.map(({ what }) => what))).toEqual([]);
  const untried = knownAttempts.filter(({ tests }) => tests.length === 0);
  expect(untried.map(({ what }) => what)).toEqual([]);
  const named = knownAttempts.flatMap(({ tests }) => tests);
  expect(named.filter((id) => !ids.includes(id))).toEqual([]);
});

test('scripts have names of their own, and make one script that can be read', () => {
  expect(repeated(escapeAttempts.flatMap(({ scripts }) => Object.keys(scripts ?? {})))).toEqual([]);
  expect(() => parse(writeBareGuest(escapeScripts), { ecmaVersion: 'latest' })).not.toThrow();
});
