/** The answers come from the rows: no file that is built holds one of them, and none holds what they are made of. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { readPenguins, truths } from './fixtures/penguins.ts';
import { expect, test } from './fixtures/test.ts';

const app = resolve(import.meta.dirname, '../dist-app');
const texts = new Set(['.js', '.html', '.css', '.json', '.svg', '.txt']);

/** Every text of the build but the data itself, which lies in `data/`. */
const files = readdirSync(app, { recursive: true, encoding: 'utf8' })
  .filter((path) => texts.has(extname(path)) && !path.startsWith('data'))
  .map((path) => ({ path, text: readFileSync(join(app, path), 'utf8') }));

const rows = readPenguins();
const names = [...new Set(rows.flatMap(({ species, island }) => [species, island]))];
const figures = truths().flatMap(({ facts }) => facts.flatMap((fact) => fact.match(/\d+(\.\d+)?/gu) ?? []));
const escaped = (text: string): string => text.replaceAll(/[.()]/gu, String.raw`\$&`);

/** The number as a whole, and not one of a library's table of numbers: those have a number before and after. */
const standsAlone = (figure: string): RegExp =>
  new RegExp(
    String.raw`(?<![\w.]|\d,)${escaped(figure)}(?![\w.])|(?<![\w.])${escaped(figure)}(?![\w.]|,-?\d)`,
    'u',
  );

/** Names of species and islands, and figures of the answers that no other thing has by chance. */
function answersIn(text: string): string[] {
  const facts = truths().flatMap((truth) => truth.facts);
  const telling = figures.filter((figure) => figure.replace('.', '').length >= 4);
  return [
    ...facts.filter((fact) => fact.length > 6 && text.includes(fact)),
    ...names.filter((name) => new RegExp(String.raw`\b${name}\b`, 'iu').test(text)),
    ...telling.filter((figure) => standsAlone(figure).test(text)),
  ];
}

test('the search finds an answer where there is one', () => {
  for (const { facts } of truths())
    for (const fact of facts.filter((text) => text.length > 6))
      expect(answersIn(`const answer = "${fact}";`)).not.toEqual([]);
  const figure = figures.find((text) => text.length === 4) ?? '';
  for (const text of [
    `x=${figure};`,
    `[${figure}]`,
    `f(1,${figure})`,
    'means={gentoo:1}',
    '"in Gentoo, where"',
  ])
    expect(answersIn(text)).not.toEqual([]);
  expect(answersIn(`[5075,${figure},-1]`)).toEqual([]);
  expect(figures.length).toBeGreaterThan(25);
});

test('no built file holds an answer, a figure of one, or a name that one needs', () => {
  expect(files.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['index.html', 'vivarium.js', 'modules.worker.js']),
  );
  expect(files.some(({ text }) => text.includes('Which species is the heaviest on average'))).toBe(true);
  const found = files.map(({ path, text }) => ({ path, answers: answersIn(text) }));
  expect(found.filter(({ answers }) => answers.length > 0)).toEqual([]);
});
