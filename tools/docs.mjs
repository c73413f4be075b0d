// What the documents claim, read out of them and held against the tree: examples, links, error codes, commands, tests.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

export const root = resolve(import.meta.dirname, '..');
const notOurs = new Set(['node_modules', 'dist', 'dist-app', '.cache', '.git', 'coverage', 'test-results']);

/** @param {string} folder @param {(name: string) => boolean} isWanted @returns {string[]} paths from the root, with slashes */
export function filesUnder(folder, isWanted) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return notOurs.has(entry.name) ? [] : filesUnder(path, isWanted);
    return isWanted(entry.name) ? [path.split(sep).join('/')] : [];
  });
}

/** @param {string} path */
export const readText = (path) => readFileSync(join(root, path), 'utf8');

export const documents = () => filesUnder('.', (name) => name.endsWith('.md'));

/**
 * One fenced block of TypeScript. `given` is the text of a comment `<!-- given: … -->` right before it: what the reader is
 * supposed to have already.
 * @typedef {{ document: string, line: number, name: string | undefined, given: string, code: string }} Example
 */

/** @param {string} document @param {string} text @returns {Example[]} */
export function readExamples(document, text) {
  const block = /(?:<!-- given:((?:(?!-->)[\s\S])*)-->\s*)?^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm;
  return [...text.matchAll(block)].flatMap(([whole, given = '', language, code = '']) => {
    if (language !== 'ts') return [];
    const line = text.slice(0, text.indexOf(whole) + whole.indexOf('```')).split('\n').length;
    return [{ document, line, name: /^\/\/ ([\w.-]+\.ts)\b/.exec(code)?.[1], given: given.trim(), code }];
  });
}

/** As GitHub makes it. @param {string} heading */
const toAnchor = (heading) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_\- ]/gu, '')
    .replaceAll(' ', '-');

/** @param {string} text */
const withoutCode = (text) => text.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/`[^`\n]*`/g, '');

/** @param {string} path @param {string} text */
function anchorsOf(path, text) {
  if (!path.endsWith('.md')) return new Set();
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '');
  return new Set([...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => toAnchor(heading)));
}

/**
 * Links of a document that lead nowhere in this tree.
 * @param {string} document
 * @param {string} text
 */
export function brokenLinks(document, text) {
  const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const file = path === '' ? join(root, document) : join(root, dirname(document), path);
    if (relative(root, file).startsWith('..') || (path !== '' && !existsSync(file))) return true;
    if (anchor === undefined) return false;
    return !anchorsOf(file, path === '' ? text : readFileSync(file, 'utf8')).has(anchor);
  });
}

const layers =
  'base|platform|telemetry|port|compute|state|actor|lm|executor|program|evaluate|optimize|cluster|runtime|elements|app';
const testFile = /\.(?:test|test-d|contract|bench)\.ts$/;
const testModule = /-test(?:-\w+)?(?:\.worker)?\.ts$/;

/** Sources whose errors a user can meet: neither tests nor what only tests run. @param {string} path */
export const isSource = (path) => path.endsWith('.ts') && !testFile.test(path) && !testModule.test(path);

/**
 * The error codes that a source names, and the templates that make more of them.
 * @param {string} source
 * @returns {{ codes: string[], templates: string[] }}
 */
export function codesIn(source) {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  const literal = new RegExp(`'((?:${layers})/[a-z0-9][a-z0-9-]*[a-z0-9])'`, 'g');
  const template = new RegExp(`CodedError\\(\\s*\`((?:${layers})/[^\`]*)\``, 'g');
  return {
    codes: [...code.matchAll(literal)].map(([, found = '']) => found),
    templates: [...code.matchAll(template)].map(([, found = '']) => found),
  };
}

/**
 * The rows of docs/errors.md with the heading they stand under.
 * @param {string} text
 * @returns {{ code: string, layer: string, when: string, todo: string }[]}
 */
export function readErrorRows(text) {
  let layer = '';
  return text.split('\n').flatMap((line) => {
    layer = /^## (\w+)$/.exec(line)?.[1] ?? layer;
    const [, code = '', when = '', todo = ''] =
      /^\| `([a-z]+\/[a-z0-9-]+)` \| (.+?) \| (.+?) \|$/.exec(line) ?? [];
    return code === '' ? [] : [{ code, layer, when, todo }];
  });
}

/** Scripts that a document tells its reader to run. @param {string} text */
export function scriptsIn(text) {
  const named = [...text.matchAll(/\bnpm (?:run (?:--silent )?([a-z][\w:-]*)|(start|test)\b)/g)];
  // `npm run unit`, `browser`, `e2e`: the words behind the first one are scripts too
  const listed = [...text.matchAll(/`npm run [\w:-]+`((?:, `[\w:-]+`)+)/g)].flatMap(([, rest = '']) =>
    [...rest.matchAll(/`([\w:-]+)`/g)].map(([, name = '']) => name),
  );
  return [...new Set([...named.map(([, script, short]) => script ?? short ?? ''), ...listed])];
}

/**
 * Areas of `npm run bench` or names of `npm run prove` that a document speaks of: in the command, and in the list of its row.
 * @param {string} text
 * @param {'bench' | 'prove'} command
 */
export function namesFor(text, command) {
  const inCommands = [...text.matchAll(new RegExp(`npm run ${command} -- ([a-z]+)`, 'g'))].map(
    ([, name = '']) => name,
  );
  const row = text.split('\n').find((line) => line.startsWith(`| \`npm run ${command} -- `));
  const list = /(?:areas|others):(.*)\|$/.exec(row ?? '')?.[1] ?? '';
  return [...new Set([...inCommands, ...[...list.matchAll(/`([a-z]+)`/g)].map(([, name = '']) => name)])];
}

/** Titles of the tests that a file holds, as they stand in its source. @param {string} source */
export function titlesIn(source) {
  const direct = /\b(?:test|it)(?:\.[a-z]+)*\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/gi;
  const each =
    /\]\s*(?:as const\s*)?\)\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1|\.each\([\w.]+\)\(\s*(['"`])((?:\\.|(?!\3)[^\\])*)\3/g;
  return [...source.matchAll(direct), ...source.matchAll(each)].map(([, , title, , other]) =>
    (title ?? other ?? '').replaceAll("\\'", "'"),
  );
}

/**
 * What a document names as `file` › "title". A title may be a part of the test's own.
 * @param {string} text
 * @returns {{ file: string, title: string }[]}
 */
export function testsNamedIn(text) {
  return [...text.matchAll(/`([\w./-]+\.ts)` › "([^"\n]+)"/g)].map(([, file = '', title = '']) => ({
    file,
    title,
  }));
}

/**
 * Why a named test is not there, or nothing.
 * @param {{ file: string, title: string }} named
 * @returns {string[]}
 */
export function missingTest({ file, title }) {
  if (!existsSync(join(root, file))) return [`${file} does not exist`];
  const titles = titlesIn(readText(file));
  return titles.some((one) => one.includes(title)) ? [] : [`${file} has no test "${title}"`];
}
