/** What `import` finds: the modules that the caller gave as files, and the few that are part of the sandbox. */

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

/** Turns a module's source into what the interpreter can read. */
export type Translate = (source: string, name: string) => string;

export class Modules {
  readonly #sources = new Map<string, string>();
  readonly #translate: Translate;
  readonly #endings: readonly string[];

  /** @param endings tried after a name, in this order */
  constructor(translate: Translate, endings: readonly string[]) {
    this.#translate = translate;
    this.#endings = ['', ...endings, ...endings.map((ending) => `/index${ending}`)];
  }

  add(imports: readonly (readonly [name: string, source: string])[]): void {
    for (const [name, source] of imports) this.#sources.set(plain(name), source);
  }

  /** The full name of what `base` asks for; what is not found keeps its name, and fails when it is read. */
  resolve(base: string, asked: string): string {
    const path = /^\.{0,2}\//u.test(asked) ? join(base, asked) : plain(asked);
    const found = this.#endings.find((ending) => this.#sources.has(path + ending));
    if (found !== undefined) return path + found;
    return ownModules.has(ownName(asked)) ? `node:${ownName(asked)}` : asked;
  }

  /** The source of a module by its full name, or `undefined`. */
  read(name: string): string | undefined {
    const source = this.#sources.get(name);
    if (source === undefined) return name.startsWith('node:') ? ownModules.get(ownName(name)) : undefined;
    return name.endsWith('.json') ? `export default ${source};` : this.#translate(source, name);
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
