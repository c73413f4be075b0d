/** What `import` finds: the modules that the caller gave as files, and the few that are part of the sandbox. */

import { faultOfModule, isFault, placeOfAsked } from './script.ts';
import type { ScriptFault } from './script.ts';
import type { KnownSource, SourcePlace } from './traceback.ts';
import { countCharacters, originalFault, samePlace } from './translation.ts';
import type { Translated, Translation } from './translation.ts';

/** How files are reached; written as a module because that is what guests' code imports. */
const fileModule = `const files = globalThis[Symbol.for('vivarium.files')];
export const { readFileSync, writeFileSync, appendFileSync, existsSync, readdirSync, mkdirSync, unlinkSync, rmSync, statSync } = files;
const later = (work) => async (...given) => work(...given);
export const promises = Object.fromEntries(
  Object.entries(files).map(([name, work]) => [name.replace(/Sync$/, ''), later(work)]),
);
export const { readFile, writeFile, appendFile, readdir, mkdir, unlink, rm, stat } = promises;
export default { ...files, promises };
`;

const promisesModule = `export { readFile, writeFile, appendFile, readdir, mkdir, unlink, rm, stat } from 'node:fs';
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

export class Modules {
  readonly #sources = new Map<string, string>();
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
    for (const [name, source] of imports) {
      const path = plain(name);
      if (this.#sources.get(path) === source) continue;
      this.#sources.set(path, source);
      this.#changes += 1;
    }
  }

  /** Another number whenever something was added or replaced. */
  get changes(): number {
    return this.#changes;
  }

  /** What {@link add} takes. */
  get all(): readonly (readonly [name: string, source: string])[] {
    return [...this.#sources];
  }

  /** The full name of what `base` asks for; what is not found keeps its name, and fails when it is read. */
  resolve(base: string, asked: string): string {
    const path = /^\.{0,2}\//u.test(asked) ? join(base, asked) : plain(asked);
    const found = this.#endings.find((ending) => this.#sources.has(path + ending));
    if (found !== undefined) return path + found;
    return ownModules.has(ownName(asked)) ? `node:${ownName(asked)}` : asked;
  }

  /** What the interpreter reads of a module by its full name; why it cannot be read, or `undefined` where there is none. */
  read(name: string): string | ScriptFault | undefined {
    const translated = this.#made(name);
    if (!translated) return name.startsWith('node:') ? ownModules.get(ownName(name)) : undefined;
    const isBroken = isFault(translated);
    this.#known.set(name, { file: name, toOriginal: isBroken ? samePlace : placesOf(translated) });
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
      if (place) return { ...toOriginal(place), file };
    }
    return undefined;
  }

  #made(name: string): Translated | ScriptFault | undefined {
    const source = this.#sources.get(name);
    if (source === undefined) return undefined;
    return name.endsWith('.json') ? wrapJson(source) : this.#translate(source, name);
  }
}

const plain = (name: string): string => name.replace(/^(\.?\/)+/u, '');

/** Paths of modules begin at the same place as those of files. */
function join(base: string, asked: string): string {
  const parts = asked.startsWith('/') || base.startsWith('<') ? [] : base.split('/').slice(0, -1);
  for (const part of asked.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
