/** Classes that were served, and in whose place others are served by now. */
import { expect, test } from 'vitest';
import { Module } from '../../program/index.ts';
import { Editions, maxEditions } from './editions.ts';
import type { ModuleClass, ModuleVersion } from './module-class.ts';

const served = (Class: ModuleClass): ModuleVersion => ({ version: '1.0.0', Class, url: undefined });

class Critic extends Module {}

/** Another class of the same text each time. */
const sameText = (): ModuleClass => class Same extends Critic {};

const add = (editions: Editions, Class: ModuleClass, kind: string = 'k') => {
  const { edition } = editions.add(kind, served(Class));
  if (!edition) throw new Error('it has none');
  return edition;
};

test('a class is found again behind others of its version, and has one edition for as long as it is served', () => {
  const editions = new Editions();
  const [one, other] = [sameText(), sameText()];
  const edition = add(editions, one);
  expect(add(editions, other)).not.toEqual(edition);
  expect(add(editions, one)).toBe(edition);
  expect(editions.find('k', '1.0.0', edition)?.Class).toBe(one);
});

test('what ran in another worker is found by its text: the newest, of its kind and version, and nothing else', () => {
  const [here, there] = [new Editions(), new Editions()];
  const edition = add(there, sameText());
  expect(here.find('k', '1.0.0', edition)).toBeUndefined();
  const [one, other] = [sameText(), sameText()];
  add(here, one);
  add(here, other);
  add(here, class Same extends Module {});
  add(here, sameText(), 'of another kind');
  expect(here.find('k', '1.0.0', edition)?.Class).toBe(other);
  expect(here.find('k', '1.0.1', edition)).toBeUndefined();
  expect(here.find('other', '1.0.0', edition)).toBeUndefined();
});

test('a class that extends another one is another when that one is', () => {
  const on = (Base: ModuleClass): ModuleClass => class Same extends Base {};
  const editions = new Editions();
  const one = add(editions, on(Critic));
  const other = add(
    editions,
    on(
      class Critic extends Module {
        readonly more: number = 1;
      },
    ),
  );
  expect(one.mark).not.toBe(other.mark);
});

test('no more than the bound are kept: the oldest is forgotten', () => {
  const editions = new Editions();
  const first = add(editions, Critic);
  const second = add(editions, sameText());
  for (let count = 2; count < maxEditions; count++) add(editions, sameText());
  expect(editions.find('k', '1.0.0', first)?.Class).toBe(Critic);
  add(editions, sameText());
  expect(editions.find('k', '1.0.0', first)).toBeUndefined();
  expect(editions.find('k', '1.0.0', second)).toBeDefined();
});
