/** What the page knows of versions: those imported by address, which any worker may have to import again. */
import type { ActorSystem } from '../../actor/index.ts';
import { compareVersions, isCodedError } from '../../base/index.ts';
import { randomHex, withDeadline } from '../../platform/index.ts';
import type { Clock, DeadlineOptions, Random } from '../../platform/index.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import { toAbsoluteUrl } from './import-module.ts';
import type { RuntimeLimits } from '../limits.ts';
import { catalogKind } from '../module-protocol.ts';
import type { LoadBody, LoadedVersion, VersionInfo, VersionsBody } from '../module-protocol.ts';

export interface ModuleVersionsOptions {
  readonly system: ActorSystem;
  readonly random: Random;
  readonly limits: RuntimeLimits;
}

/** A file that is asked for. */
export interface Reading {
  readonly kind: string;
  /** Undefined when no file is needed. */
  readonly url: string | undefined;
  /** For the wait. Default none: every reading is bounded itself. */
  readonly limit?: { readonly clock: Clock } & DeadlineOptions;
}

export class ModuleVersions {
  readonly #options: ModuleVersionsOptions;
  readonly #loaded = new Map<string, readonly LoadedVersion[]>();
  /** By kind: resolves when no file of it is read. */
  readonly #reading = new Map<string, Promise<unknown>>();

  constructor(options: ModuleVersionsOptions) {
    this.#options = options;
  }

  /** Kinds of which a file was imported. */
  get loadedKinds(): readonly string[] {
    return [...this.#loaded.keys()];
  }

  /** Versions of a kind that were imported by address. */
  loadedOf(kind: string): readonly LoadedVersion[] {
    return this.#loaded.get(kind) ?? [];
  }

  add(kind: string, { version, url }: VersionInfo): void {
    if (url === undefined || this.loadedOf(kind).some((one) => one.version === version)) return;
    this.#loaded.set(kind, [...this.loadedOf(kind), { version, url }]);
  }

  /** @throws what `Runtime.load` does */
  async load(kind: string, url: string | URL): Promise<readonly string[]> {
    const timeoutMs = this.#options.limits.importTimeoutMs;
    const file = toAbsoluteUrl(url);
    return this.readAlone({ kind, url: file }, async () => {
      const body: LoadBody = { kind, url: file, loaded: this.loadedOf(kind), timeoutMs };
      const infos = await this.#askCatalog('load', body);
      for (const info of infos) this.add(kind, info);
      return versionsIn([...infos, ...this.loadedOf(kind)]);
    });
  }

  /**
   * Runs `work`, which reads a file and adds the version that it has. Files that are not known yet are read one after another in each kind:
   * two of them could have one version. @throws what `work` throws, `port/timeout` and `port/cancelled` from the wait
   */
  async readAlone<T>({ kind, url, limit }: Reading, work: () => Promise<T>): Promise<T> {
    const isKnown = (): boolean =>
      url === undefined || this.loadedOf(kind).some((loaded) => loaded.url === url);
    for (let before = this.#reading.get(kind); before && !isKnown(); before = this.#reading.get(kind)) {
      const ended = before;
      await (limit ? withDeadline(limit.clock, limit, () => ended) : ended);
    }
    const reading = work();
    if (isKnown()) return reading;
    const read = reading
      .catch(() => undefined)
      .then(() => {
        if (this.#reading.get(kind) === read) this.#reading.delete(kind);
      });
    this.#reading.set(kind, read);
    return reading;
  }

  /** Semantic order. @throws `runtime/module-not-found` for an unknown kind */
  async list(kind: string): Promise<readonly string[]> {
    const body: VersionsBody = { kind };
    const loaded = this.loadedOf(kind);
    const infos = await this.#askCatalog('versions', body).catch((error: unknown) => {
      // a kind may be known from its files alone, and this worker may not have read them
      if (loaded.length > 0 && isCodedError(error, 'runtime/module-not-found')) return [];
      throw error;
    });
    return versionsIn([...infos, ...loaded]);
  }

  /** As {@link list}, asked of the worker that a module runs in. */
  async listOf(module: HostedModuleRecord): Promise<readonly string[]> {
    const infos = (await module.call('versions', null)) as readonly VersionInfo[];
    return versionsIn([...this.loadedOf(module.kind), ...infos]);
  }

  async #askCatalog(method: string, body: unknown): Promise<readonly VersionInfo[]> {
    const { system, random } = this.#options;
    const ref = await system.spawn({ actor: `catalog_${randomHex(random, 8)}`, kind: catalogKind });
    try {
      return (await ref.call(method, body)) as readonly VersionInfo[];
    } finally {
      await system.stop(ref.actor);
    }
  }
}

function versionsIn(infos: readonly VersionInfo[]): readonly string[] {
  return [...new Set(infos.map(({ version }) => version))].toSorted(compareVersions);
}
