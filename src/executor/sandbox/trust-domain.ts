/**
 * One realm for everything that may know of each other: guests of one domain share a frame, so one of them could find a way to another. It makes
 * the realm when it is first needed and again when it was lost, and hands it each language's files once.
 */
import { CodedError } from '../../base/index.ts';
import { withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { Language } from '../language/language.ts';
import { KindSnapshot } from './kind-snapshot.ts';
import type { GuestFiles, GuestKind, SandboxHost } from './sandbox-host.ts';
import type { SnapshotShelf } from './snapshot-shelf.ts';

/** Makes the realm; gives up, and takes away what it made, when `signal` aborts. */
export type CreateHost = (signal: AbortSignal) => Promise<SandboxHost>;

/** Fetches what guests of a language are made of. */
export type FetchFiles = (
  language: Language,
  memoryBytes: number,
  signal: AbortSignal,
) => Promise<GuestFiles>;

export interface DomainParts {
  readonly createHost: CreateHost;
  readonly fetchFiles: FetchFiles;
  readonly clock: Clock;
  readonly hub: Hub;
  /** Absent: every interpreter boots. */
  readonly shelf?: SnapshotShelf | undefined;
  /** Longest that the realm, or the files of one language, may take. */
  readonly bootTimeoutMs: number;
}

/** A realm that can start guests of the wanted kind. */
export interface PreparedRealm {
  readonly host: SandboxHost;
  readonly kind: GuestKind;
  /** Where the language `hasSnapshots` and the domain keeps some. */
  readonly snapshot?: KindSnapshot | undefined;
}

type LoadedKind = Omit<PreparedRealm, 'host'>;

interface Realm {
  readonly host: Promise<SandboxHost>;
  readonly kinds: Map<string, Promise<LoadedKind>>;
}

interface Loading {
  readonly language: Language;
  readonly host: SandboxHost;
  readonly files: GuestFiles;
  /** What the shelf has. */
  readonly taking: Promise<ArrayBuffer | undefined> | undefined;
}

/**
 * A frame and the executors that share it. Whoever made it disposes it, after its executors; runs that still go on then end as
 * `cancelled` or `failed` with `executor/frame-lost`.
 */
export class TrustDomain implements Disposable {
  readonly #parts: DomainParts;
  readonly #closing = new AbortController();
  #realm: Realm | undefined;

  /** Called by `createTrustDomain`, which see. */
  constructor(parts: DomainParts) {
    this.#parts = parts;
  }

  /**
   * The realm with the language's files. Rejects with `executor/boot-failed`, `executor/frame-lost`, `executor/frame-unavailable`,
   * `platform/asset-failed`, `executor/wasm-invalid`, `executor/disposed`, or `port/timeout`.
   */
  async prepare(language: Language, memoryBytes: number): Promise<PreparedRealm> {
    const realm = await this.#liveRealm();
    const kind = this.#kindIn(realm, language, memoryBytes);
    return { host: await realm.host, ...(await kind) };
  }

  /** Takes the realm away, with everything in it. */
  [Symbol.dispose](): void {
    this.#closing.abort(new CodedError('executor/disposed', 'the trust domain has been disposed'));
    this.#realm?.host.then(
      (host) => host[Symbol.dispose](),
      () => undefined,
    );
  }

  /** The realm that is there or being made, or a new one. */
  async #liveRealm(): Promise<Realm> {
    const present = this.#realm;
    const host = await present?.host.catch(() => undefined);
    if (present && host && !host.isLost) return present;
    // somebody else may have begun a new one during the wait
    if (this.#realm === present) this.#realm = this.#createRealm();
    return this.#realm as Realm;
  }

  #createRealm(): Realm {
    const host = this.#limited(this.#parts.createHost);
    // told to whoever waits for it
    host.catch(() => undefined);
    return { host, kinds: new Map() };
  }

  /** Loaded already, being loaded, or begun now; what failed is tried again by the next one. */
  #kindIn({ host, kinds }: Realm, language: Language, memoryBytes: number): Promise<LoadedKind> {
    const isCapped = language.assets.some((asset) => asset.isMemoryCapped);
    const key = isCapped ? `${language.name} ${memoryBytes}` : language.name;
    const present = kinds.get(key);
    if (present) return present;
    const loading = this.#limited(async (signal) => {
      // while the realm is made
      const files = this.#parts.fetchFiles(language, memoryBytes, signal);
      const { shelf } = this.#parts;
      files.catch(() => undefined);
      const hasSome = language.hasSnapshots && shelf;
      const taking = hasSome
        ? shelf.take(
            language.name,
            files.then(({ build }) => build),
          )
        : undefined;
      return this.#load({ language, host: await host, files: await files, taking });
    });
    kinds.set(key, loading);
    loading.catch(() => kinds.delete(key));
    return loading;
  }

  async #load({ language, host, files, taking }: Loading): Promise<LoadedKind> {
    const { kind, ready } = host.load(files);
    // while the realm compiles
    const [snapshot] = await Promise.all([this.#snapshotOf(kind, { language, host, files, taking }), ready]);
    return { kind, snapshot };
  }

  /** With what the shelf has handed to the realm. */
  async #snapshotOf(
    kind: GuestKind,
    { language, host, files, taking }: Loading,
  ): Promise<KindSnapshot | undefined> {
    const { shelf, clock, hub, bootTimeoutMs: timeoutMs } = this.#parts;
    const build = await files.build;
    if (!shelf || !build) return undefined;
    const { signal } = this.#closing;
    const parts = { shelf, language: language.name, build, clock, hub, timeoutMs, signal };
    const snapshot = new KindSnapshot({ host, kind, ...parts });
    const image = await taking;
    if (image) snapshot.keep(image);
    return snapshot;
  }

  /** With a time limit of its own, because several starts may wait for it. */
  #limited<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, bootTimeoutMs } = this.#parts;
    return withDeadline(clock, { timeoutMs: bootTimeoutMs, signal: this.#closing.signal }, work);
  }
}
