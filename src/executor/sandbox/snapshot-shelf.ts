/** Snapshots as the host's cache keeps them: compressed, named by what they fit, checked on the way out. Nothing here ever fails a start. */
import { CodedError, isCodedError, messageOf } from '../../base/index.ts';
import { deflateBytes, inflateBytes, sha256Hex, withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { ExecutorLimits } from '../limits.ts';
import type { SnapshotCache, StoredSnapshot } from '../snapshot-cache.ts';

export interface ShelfOptions {
  readonly cache: SnapshotCache;
  readonly limits: Pick<ExecutorLimits, 'snapshotBytes' | 'snapshotAgeMs' | 'snapshotReadMs'>;
  readonly clock: Clock;
  readonly hub: Hub;
}

/** An image is a heap in bytes, pages that were never written left out. More is no image of ours. */
const maxImageBytes = 64 * 2 ** 20;

/** Read and inflated. */
interface Opened {
  readonly build: string;
  readonly image: ArrayBuffer;
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
   * The image for this build; what is there and does not fit is dropped. Resolves with `undefined` when there is none, or it takes too long. It is
   * read while `build` is still being worked out; resolves with `undefined` as well where that rejects, or there is none.
   */
  async take(language: string, build: Promise<string | undefined>): Promise<ArrayBuffer | undefined> {
    const reading = this.#read(language);
    const wanted = await build.catch(() => undefined);
    const found = await reading;
    if (!found || wanted === undefined) return undefined;
    if (found.build === wanted) return found.image;
    await this.drop(language, unfit('it is of another build').message);
    return undefined;
  }

  /** Never rejects. */
  async #read(language: string): Promise<Opened | undefined> {
    const { cache, clock, limits } = this.#options;
    try {
      return await withDeadline(clock, { timeoutMs: limits.snapshotReadMs }, async () => {
        const found = await cache.read(language);
        return found === undefined ? undefined : await this.#open(parseStored(found));
      });
    } catch (error) {
      // one that is late may be good
      const isLate = isCodedError(error, 'port/timeout');
      if (isLate) this.#tell(language, 'it was not read in time');
      else await this.drop(language, messageOf(error));
      return undefined;
    }
  }

  /** Keeps an image for later visits. */
  async put(language: string, build: string, image: Uint8Array): Promise<number | undefined> {
    const { cache, clock, limits } = this.#options;
    try {
      const bytes = await deflateBytes(image, 'gzip');
      if (bytes.length > limits.snapshotBytes) throw unfit(`it has ${bytes.length} bytes`);
      const digest = await sha256Hex(bytes);
      const content = new Blob([bytes]);
      await cache.write(language, { build, madeAtMs: clock.now(), digest, content });
      return bytes.length;
    } catch (error) {
      await this.drop(language, messageOf(error));
      return undefined;
    }
  }

  /** Forgets what is there, and tells why. */
  async drop(language: string, reason: string): Promise<void> {
    const { cache, clock, limits } = this.#options;
    this.#tell(language, reason);
    // the next visit finds it unfit again
    await withDeadline(clock, { timeoutMs: limits.snapshotReadMs }, () => cache.delete(language)).catch(
      () => undefined,
    );
  }

  #tell(language: string, reason: string): void {
    this.#options.hub.emit({ type: 'snapshot-drop', language, reason });
  }

  async #open(stored: StoredSnapshot): Promise<Opened> {
    const { clock, limits } = this.#options;
    const ageMs = clock.now() - stored.madeAtMs;
    if (ageMs < 0 || ageMs > limits.snapshotAgeMs) throw unfit('it is too old');
    if (stored.content.size > limits.snapshotBytes) throw unfit(`it has ${stored.content.size} bytes`);
    const bytes = new Uint8Array(await stored.content.arrayBuffer());
    if ((await sha256Hex(bytes)) !== stored.digest) throw unfit('its bytes have changed');
    return { build: stored.build, image: (await inflateBytes(bytes, 'gzip', maxImageBytes)).buffer };
  }
}
