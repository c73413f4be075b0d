/** What `import` finds: the modules that the caller gave as files, and the few that are part of the sandbox. */

import { faultOfModule, isFault, namesInModule, placeOfAsked } from './script.ts';
import type { ScriptFault } from './script.ts';
import type { KnownSource, SourcePlace } from './traceback.ts';
import { countCharacters, originalFault, samePlace } from './translation.ts';
import type { Translated, Translation } from './translation.ts';

/** How files are reached; written as a module because that is what guests' code imports. Of what is missing, the call says so. */
const fileModule = `const files = globalThis[Symbol.for('vivarium.files')];
export const { readFileSync, writeFileSync, appendFileSync, existsSync, readdirSync, mkdirSync, unlinkSync, rmSync, statSync, renameSync, copyFileSync } = files;
const there = Object.keys(files).join(', ');
const lacks = ('access chmod chown close cp fstat fsync link lstat mkdtemp open opendir read readlink readv realpath rmdir symlink truncate utimes write writev'
  .replace(/\\w+/g, '$& $&Sync') + ' createReadStream createWriteStream watch watchFile').split(' ');
const missing = Object.fromEntries(lacks.map((name) => [name, () => {
  throw Object.assign(new Error('fs.' + name + ' is not there: there is ' + there), { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' });
}]));
const later = (work) => async (...given) => {
  const done = typeof given.at(-1) === 'function' ? given.pop() : undefined;
  if (!done) return work(...given);
  let answer;
  try { answer = [null, work(...given)]; } catch (error) { answer = [error]; }
  await null;
  done(...answer);
};
export const promises = Object.fromEntries(
  Object.entries({ ...missing, ...files }).filter(([name]) => name !== 'existsSync')
    .map(([name, work]) => [name.replace(/Sync$/, ''), later(work)]),
);
export const { readFile, writeFile, appendFile, readdir, mkdir, unlink, rm, stat, rename, copyFile } = promises;
export default { ...promises, ...missing, ...files, promises };
`;

const promisesModule = `export { readFile, writeFile, appendFile, readdir, mkdir, unlink, rm, stat, rename, copyFile } from 'node:fs';
import { promises } from 'node:fs';
export default promises;
`;

const processModule = `const process = globalThis[Symbol.for('vivarium.process')];
export const { env, cwd, chdir } = process;
export default process;
`;

const ownModules = new Map([
  ['process', processModule],
  ['fs', fileModule],
  ['fs/promises', promisesModule],
]);

const ownName = (name: string): string => name.replace(/^node:/u, '');

const jsonStart = 'export default ';

/** A file of JSON as a module. */
const wrapJson = (source: string): Translated => ({
  code: `${jsonStart}${source};`,
  toOriginal: ({ line, column }) => ({ line, column: line === 1 ? column - jsonStart.length : column }),
});

/** From a place that the interpreter names. */
function placesOf({ code, toOriginal }: Translated): KnownSource['toOriginal'] {
  const count = countCharacters(code);
  return (place) => toOriginal(count(place));
}

/** A module as {@link Modules} hands it over to the next one: how often it was replaced comes last. */
export type SavedModule = readonly [name: string, source: string, version: number];

export class Modules {
  readonly #sources = new Map<string, string>();
  /** The interpreter loads a name once: a module that was replaced, or that needs one that was, goes on under another. */
  readonly #versions = new Map<string, number>();
  /** From these other names. */
  readonly #paths = new Map<string, string>();
  /** Of those that the interpreter has asked for. */
  readonly #known = new Map<string, KnownSource>();
  readonly #translate: Translation['module'];
  readonly #endings: readonly string[];
  #changes = 0;

  /** @param endings tried after a name, in this order */
  constructor(translate: Translation['module'], endings: readonly string[]) {
    this.#translate = translate;
    this.#endings = ['', ...endings, ...endings.map((ending) => `/index${ending}`)];
  }

  add(imports: readonly (readonly [name: string, source: string])[]): void {
    const replaced: string[] = [];
    for (const [name, source] of imports) {
      const path = plain(name);
      const before = this.#sources.get(path);
      if (before === source) continue;
      if (before !== undefined) replaced.push(path);
      this.#sources.set(path, source);
      this.#changes += 1;
    }
    if (replaced.length > 0) for (const path of this.#dependentsOf(replaced)) this.#renew(path);
  }

  /** Takes what {@link all} of another one told. */
  restore(saved: readonly SavedModule[]): void {
    for (const [path, source, version] of saved) {
      this.#sources.set(path, source);
      if (version > 0) this.#name(path, version);
      this.#changes += 1;
    }
  }

  #renew(path: string): void {
    this.#name(path, (this.#versions.get(path) ?? 0) + 1);
  }

  #name(path: string, version: number): void {
    this.#versions.set(path, version);
    this.#paths.set(nameOf(path, version), path);
  }

  /** These, and all that name one of them in their text, or one that does. */
  #dependentsOf(paths: readonly string[]): ReadonlySet<string> {
    const found = new Set(paths);
    const asked = new Map([...this.#sources.keys()].map((path) => [path, this.#askedBy(path)] as const));
    for (let size = 0; size < found.size;) {
      ({ size } = found);
      for (const [path, needed] of asked) if (needed.some((other) => found.has(other))) found.add(path);
    }
    return found;
  }

  #askedBy(path: string): readonly string[] {
    const translated = this.#made(path);
    if (!translated || isFault(translated)) return [];
    return namesInModule(translated.code).modules.map(({ name }) => this.#pathOf(this.resolve(path, name)));
  }

  /** Of the name that the interpreter has for it. */
  #pathOf(name: string): string {
    return this.#paths.get(name) ?? name;
  }

  /** Another number whenever something was added or replaced. */
  get changes(): number {
    return this.#changes;
  }

  get all(): readonly SavedModule[] {
    return [...this.#sources].map(([path, source]) => [path, source, this.#versions.get(path) ?? 0]);
  }

  /** The full name of what `base` asks for; what is not found keeps its name, and fails when it is read. */
  resolve(base: string, asked: string): string {
    const path = /^\.{0,2}\//u.test(asked) ? join(base, asked) : plain(asked);
    const found = this.#endings.find((ending) => this.#sources.has(path + ending));
    if (found !== undefined) return nameOf(path + found, this.#versions.get(path + found) ?? 0);
    return ownModules.has(ownName(asked)) ? `node:${ownName(asked)}` : asked;
  }

  /** What the interpreter reads of a module by its full name; why it cannot be read, or `undefined` where there is none. */
  read(name: string): string | ScriptFault | undefined {
    const translated = this.#made(name);
    if (!translated) return name.startsWith('node:') ? ownModules.get(ownName(name)) : undefined;
    const isBroken = isFault(translated);
    this.#known.set(name, {
      file: this.#pathOf(name),
      toOriginal: isBroken ? samePlace : placesOf(translated),
    });
    return isBroken ? translated : translated.code;
  }

  /** A module that was read, for tracebacks. */
  find(name: string): KnownSource | undefined {
    // an interpreter that goes on for another one has not read all that it has
    if (!this.#known.has(name)) this.read(name);
    return this.#known.get(name);
  }

  /** Why a module cannot be compiled, as it is told of the code of a run; `undefined` where only the interpreter knows. */
  faultIn(name: string): ScriptFault | undefined {
    const translated = this.#made(name);
    if (!translated || isFault(translated)) return translated;
    const fault = faultOfModule(translated.code);
    return fault && originalFault(fault, translated.toOriginal);
  }

  /** Where a module that was read asks for what `module` does not export, or hands on under that name what there is not. */
  placeOfAsked(name: string, module: string): SourcePlace | undefined {
    for (const file of this.#known.keys()) {
      const translated = this.#made(file);
      if (!translated || isFault(translated)) continue;
      const { code, toOriginal } = translated;
      const place = placeOfAsked(code, (asked) =>
        file === module
          ? asked.exported === name
          : asked.name === name && this.resolve(file, asked.from) === module,
      );
      if (place) return { ...toOriginal(place), file: this.#pathOf(file) };
    }
    return undefined;
  }

  #made(name: string): Translated | ScriptFault | undefined {
    const path = this.#pathOf(name);
    const source = this.#sources.get(path);
    if (source === undefined) return undefined;
    return path.endsWith('.json') ? wrapJson(source) : this.#translate(source, path);
  }
}

/** Under which the interpreter loads it. */
const nameOf = (path: string, version: number): string => (version === 0 ? path : `${path}?${version}`);

/** As which a module is known that was given as `./name` or `/name`. */
export const plain = (name: string): string => name.replace(/^(\.?\/)+/u, '');

/** Paths of modules begin at the same place as those of files. */
function join(base: string, asked: string): string {
  const parts = asked.startsWith('/') || base.startsWith('<') ? [] : base.split('/').slice(0, -1);
  for (const part of asked.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
