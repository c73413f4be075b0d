/** Snapshots as the host's cache keeps them: compressed, named by what they fit, checked on the way out. Nothing here ever fails a start. */
import { CodedError, isCodedError, messageOf } from '../../base/index.ts';
import { deflateBytes, inflateBytes, sha256Hex, withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { ExecutorLimits } from '../limits.ts';
import type { SnapshotCache, StoredSnapshot } from '../snapshot-cache.ts';

export interface ShelfOptions {
  readonly cache: SnapshotCache;
  readonly limits: Pick<
    ExecutorLimits,
    'snapshotBytes' | 'snapshotBuilds' | 'snapshotAgeMs' | 'snapshotReadMs'
  >;
  readonly clock: Clock;
  readonly hub: Hub;
}

/** An image is a heap in bytes, pages that were never written left out. More is no image of ours. */
const maxImageBytes = 64 * 2 ** 20;

/** What is kept of a language, last used first, and the image of the first. */
interface Found {
  readonly kept: readonly StoredSnapshot[];
  readonly first?: ArrayBuffer | undefined;
}

function unfit(why: string): CodedError {
  return new CodedError('executor/snapshot-invalid', `the snapshot cannot be used: ${why}`, {
    fields: { why },
  });
}

/** Reads what came from outside; throws `executor/snapshot-invalid`. */
function parseStored(found: unknown): StoredSnapshot {
  if (typeof found !== 'object' || found === null) throw unfit('it is no record');
  const { build, madeAtMs, digest, content } = found as Readonly<Record<string, unknown>>;
  if (typeof build !== 'string' || typeof digest !== 'string' || !Number.isFinite(madeAtMs))
    throw unfit('a field is missing');
  if (!(content instanceof Blob)) throw unfit('its content is missing');
  return { build, madeAtMs: madeAtMs as number, digest, content };
}

export class SnapshotShelf {
  readonly #options: ShelfOptions;

  constructor(options: ShelfOptions) {
    this.#options = options;
  }

  /**
   * The image for this build; one that is damaged or too old is dropped, those of other builds stay. Resolves with `undefined` when there is none, or it
   * takes too long. What was used last is read while `build` is still being worked out; resolves with `undefined` as well where that rejects, or there
   * is none.
   */
  async take(language: string, build: Promise<string | undefined>): Promise<ArrayBuffer | undefined> {
    const reading = this.#read(language);
    const wanted = await build.catch(() => undefined);
    const { kept, first } = await reading;
    const place = kept.findIndex((snapshot) => snapshot.build === wanted);
    if (place <= 0) return place === 0 ? first : undefined;
    const found = kept[place] as StoredSnapshot;
    const image = await this.#inTime(() => this.#open(found)).catch((error: unknown) =>
      this.#miss(language, error, wanted),
    );
    // where that fails the order stays as it was
    if (image) this.#write(language, found).catch(() => undefined);
    return image;
  }

  /** Never rejects. */
  async #read(language: string): Promise<Found> {
    let kept: readonly StoredSnapshot[] = [];
    const first = await this.#inTime(async () => {
      kept = await this.#list(language);
      return kept[0] && (await this.#open(kept[0]));
    }).catch((error: unknown) => this.#miss(language, error, kept[0]?.build));
    return { kept, first };
  }

  async #miss(language: string, error: unknown, build: string | undefined): Promise<undefined> {
    // one that is late may be good
    const isLate = isCodedError(error, 'port/timeout');
    if (isLate) this.#tell(language, 'it was not read in time');
    else await this.drop(language, messageOf(error), build);
  }

  /** Keeps an image for later visits. */
  async put(language: string, build: string, image: Uint8Array): Promise<number | undefined> {
    const { clock, limits } = this.#options;
    try {
      const bytes = await deflateBytes(image, 'gzip');
      if (bytes.length > limits.snapshotBytes) throw unfit(`it has ${bytes.length} bytes`);
      const digest = await sha256Hex(bytes);
      const content = new Blob([bytes]);
      await this.#write(language, { build, madeAtMs: clock.now(), digest, content });
      return bytes.length;
    } catch (error) {
      await this.drop(language, messageOf(error), build);
      return undefined;
    }
  }

  /** Forgets that of `build`, or of all, and tells why. */
  async drop(language: string, reason: string, build?: string): Promise<void> {
    const { cache } = this.#options;
    this.#tell(language, reason);
    // the next visit finds it unfit again
    await this.#inTime(async () => {
      const others = build === undefined ? [] : await this.#others(language, build);
      await (others.length > 0 ? cache.write(language, others) : cache.delete(language));
    }).catch(() => undefined);
  }

  /** Before those of other builds, of which the ones go that are beyond a bound. */
  async #write(language: string, first: StoredSnapshot): Promise<void> {
    const { snapshotBuilds, snapshotBytes } = this.#options.limits;
    let sizeBytes = 0;
    const kept = [first, ...(await this.#others(language, first.build))]
      .slice(0, snapshotBuilds)
      .filter(({ content }) => (sizeBytes += content.size) <= snapshotBytes);
    await this.#options.cache.write(language, kept);
  }

  /** Those that are not too old; none where they cannot be read. */
  async #others(language: string, build: string): Promise<readonly StoredSnapshot[]> {
    const kept = await this.#list(language).catch(() => []);
    return kept.filter((snapshot) => snapshot.build !== build && this.#isFresh(snapshot));
  }

  /** Last used first. Rejects with what the cache says, or with `executor/snapshot-invalid`. */
  async #list(language: string): Promise<readonly StoredSnapshot[]> {
    const { cache, limits } = this.#options;
    const found = (await cache.read(language)) ?? [];
    if (!Array.isArray(found)) throw unfit('it is no list');
    return found.slice(0, limits.snapshotBuilds).map(parseStored);
  }

  #inTime<T>(work: () => Promise<T>): Promise<T> {
    const { clock, limits } = this.#options;
    return withDeadline(clock, { timeoutMs: limits.snapshotReadMs }, work);
  }

  #isFresh({ madeAtMs }: StoredSnapshot): boolean {
    const { clock, limits } = this.#options;
    const ageMs = clock.now() - madeAtMs;
    return ageMs >= 0 && ageMs <= limits.snapshotAgeMs;
  }

  #tell(language: string, reason: string): void {
    this.#options.hub.emit({ type: 'snapshot-drop', language, reason });
  }

  async #open(stored: StoredSnapshot): Promise<ArrayBuffer> {
    const { content, digest } = stored;
    if (!this.#isFresh(stored)) throw unfit('it is too old');
    if (content.size > this.#options.limits.snapshotBytes) throw unfit(`it has ${content.size} bytes`);
    const bytes = new Uint8Array(await content.arrayBuffer());
    if ((await sha256Hex(bytes)) !== digest) throw unfit('its bytes have changed');
    return (await inflateBytes(bytes, 'gzip', maxImageBytes)).buffer;
  }
}
