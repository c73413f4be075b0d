/** What one worker can host: the classes of each kind by version, those served and those imported by address. */
import { CodedError, compareVersions, newestVersion } from '../../base/index.ts';
import { ModuleImporter } from './import-module.ts';
import type { ImportRequest, ModuleImportOptions } from './import-module.ts';
import { Editions } from './editions.ts';
import { toModuleVersion } from './module-class.ts';
import type { ModuleClass, ModuleVersion } from './module-class.ts';
import type {
  CatalogChangeBody,
  Edition,
  LoadedVersion,
  UpdateFailBody,
  VersionInfo,
} from '../module-protocol.ts';

/** Classes by kind: one, or a list of versions. The kind is the key, so minified class names do not matter. */
export type Modules = Readonly<Record<string, ModuleClass | readonly ModuleClass[]>>;

/** The classes that are served under a kind. */
export type ClassOf<M extends Modules, K extends keyof M> = M[K] extends readonly (infer C extends
  ModuleClass)[]
  ? C
  : M[K] extends ModuleClass
    ? M[K]
    : never;

/** Versions of one kind that a worker knows at most: imported code stays in memory for as long as its worker lives. */
export const maxVersionsPerKind: number = 100;

/** Which class is wanted. */
export interface VersionRequest extends Partial<ImportRequest> {
  readonly version?: string | undefined;
  /** The file that has it, when it is not served. */
  readonly url?: string | undefined;
  /** The very class, as long as it is known here; otherwise what the version means now. */
  readonly edition?: Edition | undefined;
  /** What other workers have imported already, so that a version means one class everywhere. */
  readonly loaded?: readonly LoadedVersion[] | undefined;
}

const defaultImportMs = 10_000;

export class ModuleCatalog {
  #importer: ModuleImporter;
  readonly #editions = new Editions();
  #kinds = new Map<string, readonly ModuleVersion[]>();
  #tellPage: (method: string, body: unknown) => void = () => undefined;

  /** @throws `runtime/module-class-invalid`, `runtime/version-invalid`, `runtime/import-origin-invalid` */
  constructor(modules: Modules, options: ModuleImportOptions = {}) {
    this.#importer = new ModuleImporter(options);
    this.replace(modules);
  }

  get kinds(): readonly string[] {
    return [...this.#kinds.keys()];
  }

  /** Serves these in the place of what was served; what was imported by address stays. @throws as the constructor */
  replace(modules: Modules): void {
    const kinds = new Map<string, readonly ModuleVersion[]>();
    for (const [kind, versions] of this.#kinds) {
      const imported = versions.filter(({ url }) => url !== undefined);
      if (imported.length > 0) kinds.set(kind, imported);
    }
    for (const [kind, given] of Object.entries(modules)) {
      const served = (Array.isArray(given) ? given : [given]).map((Class) => toModuleVersion(kind, Class));
      if (served.length === 0) throw emptyKind(kind);
      kinds.set(kind, addVersions(kind, kinds.get(kind) ?? [], served));
    }
    // only what is taken counts: of modules that are refused none is kept
    for (const [kind, versions] of kinds)
      kinds.set(
        kind,
        versions.map((one) => this.#kept(kind, one)),
      );
    this.#kinds = kinds;
  }

  #kept(kind: string, one: ModuleVersion): ModuleVersion {
    return one.url === undefined ? this.#editions.add(kind, one) : one;
  }

  /** A class that was served, also when another one is by now; undefined when it is not known. */
  edition(kind: string, version: string | undefined, edition: Edition): ModuleVersion | undefined {
    return this.#editions.find(kind, version, edition);
  }

  /** Where news of what is served goes: any actor of this worker knows the way. */
  attachPage(tell: (method: string, body: unknown) => void): void {
    this.#tellPage = tell;
  }

  /** Serves these instead, and tells the page, which asks the modules that run to take over. @throws as the constructor */
  update(modules: Modules, options: ModuleImportOptions = {}): void {
    const importer = new ModuleImporter(options);
    this.replace(modules);
    this.#importer = importer;
    const body: CatalogChangeBody = { kinds: this.kinds };
    this.#tellPage('catalog-change', body);
  }

  /** New code came and could not be taken. */
  reportFailure(body: UpdateFailBody): void {
    this.#tellPage('update-fail', body);
  }

  /** In semantic order. @throws `runtime/module-not-found` for an unknown kind */
  versionsOf(kind: string): readonly VersionInfo[] {
    return this.#versions(kind).map(({ version, url }) => ({
      version,
      ...(url === undefined ? {} : { url }),
    }));
  }

  /** The version that is asked for, or the newest. @throws `runtime/module-not-found`, `runtime/version-not-found` */
  find(kind: string, version?: string, url?: string): ModuleVersion {
    const versions = this.#versions(kind).filter((one) => url === undefined || one.url === url);
    const wanted = version ?? newestVersion(versions.map((one) => one.version));
    const found = versions.find((one) => one.version === wanted);
    if (found) return found;
    const known = versions.map((one) => one.version);
    throw new CodedError(
      'runtime/version-not-found',
      `kind "${kind}" has no version "${String(wanted).slice(0, 100)}"${url === undefined ? '' : ` in ${url}`}; there are: ${known.join(', ')}`,
      { fields: { kind, version: String(wanted).slice(0, 100), known } },
    );
  }

  /**
   * As {@link find}, among what is known elsewhere too; what is in a file that was not imported yet is imported first, and comes later.
   * @throws also what {@link load} throws
   */
  resolve(kind: string, request: VersionRequest): ModuleVersion | Promise<ModuleVersion> {
    const { version, url, edition, loaded = [] } = request;
    const same = edition && this.edition(kind, version, edition);
    if (same) return same;
    if (url !== undefined) return this.#resolveIn(kind, url, version, request);
    const own = this.#kinds.get(kind) ?? [];
    const wanted = version ?? newestVersion([...own, ...loaded].map((one) => one.version));
    const elsewhere = loaded.find((one) => one.version === wanted);
    if (own.some((one) => one.version === wanted) || !elsewhere) return this.find(kind, wanted);
    return this.#resolveIn(kind, elsewhere.url, wanted, request);
  }

  /**
   * Adds the classes that a file exports to a kind, which may be new.
   * @throws `runtime/module-url-refused`, `runtime/module-load-failed`, `runtime/module-class-invalid`, `runtime/version-invalid`, `runtime/too-many-versions`
   */
  async load(kind: string, url: string, request: VersionRequest = {}): Promise<readonly VersionInfo[]> {
    const { timeoutMs = defaultImportMs, signal, loaded = [] } = request;
    const classes = await this.#importer.classesOf(url, { timeoutMs, signal });
    if (!this.#has(kind, url)) {
      const added = classes.map((Class) => toModuleVersion(kind, Class, url));
      for (const { version } of added) {
        const other = loaded.find((one) => one.url !== url && compareVersions(one.version, version) === 0);
        if (other) throw takenVersion(kind, version);
      }
      this.#kinds.set(kind, addVersions(kind, this.#kinds.get(kind) ?? [], added));
    }
    return this.versionsOf(kind);
  }

  #resolveIn(
    kind: string,
    url: string,
    version: string | undefined,
    request: VersionRequest,
  ): ModuleVersion | Promise<ModuleVersion> {
    if (this.#has(kind, url)) return this.find(kind, version, url);
    return this.load(kind, url, request).then(() => this.find(kind, version, url));
  }

  #has(kind: string, url: string): boolean {
    return this.#kinds.get(kind)?.some((one) => one.url === url) ?? false;
  }

  #versions(kind: string): readonly ModuleVersion[] {
    const versions = this.#kinds.get(kind);
    if (versions) return versions;
    const known = this.kinds;
    throw new CodedError(
      'runtime/module-not-found',
      `no kind "${kind}" is served here; there are: ${known.join(', ') || 'none'}`,
      { fields: { kind, known: known.slice(0, 100) } },
    );
  }
}

function addVersions(
  kind: string,
  there: readonly ModuleVersion[],
  added: readonly ModuleVersion[],
): readonly ModuleVersion[] {
  const all = [...there, ...added].toSorted((a, b) => compareVersions(a.version, b.version));
  const twice = all.find((one, at) => {
    const next = all[at + 1];
    return next !== undefined && compareVersions(one.version, next.version) === 0;
  });
  if (twice) throw takenVersion(kind, twice.version);
  if (all.length <= maxVersionsPerKind) return all;
  throw new CodedError(
    'runtime/too-many-versions',
    `kind "${kind}" would have ${all.length} versions, allowed are ${maxVersionsPerKind}`,
    { fields: { kind, versions: all.length, allowed: maxVersionsPerKind } },
  );
}

function takenVersion(kind: string, version: string): CodedError {
  return new CodedError(
    'runtime/version-invalid',
    `kind "${kind}" has two classes of version "${version}"; each needs a version of its own`,
    { fields: { kind, version } },
  );
}

function emptyKind(kind: string): CodedError {
  return new CodedError('runtime/module-class-invalid', `kind "${kind}" is given an empty list of classes`, {
    fields: { kind, found: 'an empty list', expected: 'at least one class' },
  });
}
