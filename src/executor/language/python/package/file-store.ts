/** Fetches files of an index, bounded, and keeps them for when there is no network. */
import { CodedError, messageOf } from '../../../../base/index.ts';
import { readWhole, sha256Hex } from '../../../../platform/index.ts';
import type { Clock } from '../../../../platform/index.ts';
import type { PackageIndex } from '../../../package.ts';
import type { StoredPackage } from '../../../package-cache.ts';
import { beyondLimit } from './fault.ts';

/** Told how many bytes more were read for a run, wherever they came from; throws when those of all its files are too many. */
export type TakeBytes = (sizeBytes: number) => void;

/** What is asked for. */
export interface FileRequest {
  readonly url: string;
  readonly accept: string;
  readonly maxBytes: number;
  /** The name of that bound. */
  readonly limit: string;
  readonly take: TakeBytes;
  readonly signal: AbortSignal;
}

/** Bytes and what they are said to be. */
export interface FetchedFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly mediaType: string;
}

function unavailable(url: string, why: string, cause?: unknown): CodedError {
  return new CodedError('executor/package-unavailable', `${url} could not be fetched: ${why}`, {
    fields: { url, why },
    isRetryable: true,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A status that says that there is nothing of this name. */
export class FileMissing extends Error {}

export class FileStore {
  readonly #index: PackageIndex;
  readonly #clock: Clock;

  constructor(index: PackageIndex, clock: Clock) {
    this.#index = index;
    this.#clock = clock;
  }

  /** A file that has one content for ever: what is kept is as good as what would be fetched. Rejects with `executor/package-hash-mismatch`. */
  async fetchFixed(request: FileRequest, sha256: string): Promise<Uint8Array<ArrayBuffer>> {
    const kept = await this.#read(`sha256:${sha256}`, sha256, request.maxBytes);
    if (kept) {
      request.take(kept.length);
      return kept;
    }
    const { bytes } = await this.#fetch(request);
    const found = await sha256Hex(bytes);
    if (found !== sha256) {
      throw new CodedError('executor/package-hash-mismatch', `${request.url} is not what its index names`, {
        fields: { url: request.url, expected: sha256, found },
      });
    }
    await this.#keep(`sha256:${sha256}`, bytes, found);
    return bytes;
  }

  /** A file that changes: what is kept counts only when the network does not answer. Rejects with {@link FileMissing} for what is not there. */
  async fetchLatest(request: FileRequest): Promise<FetchedFile> {
    const key = `latest:${request.url}`;
    try {
      const file = await this.#fetch(request);
      const head = new TextEncoder().encode(`${file.mediaType}\n`);
      const whole = new Uint8Array(await new Blob([head, file.bytes]).arrayBuffer());
      await this.#keep(key, whole, await sha256Hex(whole));
      return file;
    } catch (error) {
      const isOffline = error instanceof CodedError && error.code === 'executor/package-unavailable';
      const kept = isOffline ? await this.#read(key, undefined, request.maxBytes + 1000) : undefined;
      if (!kept || request.signal.aborted) throw error;
      request.take(kept.length);
      const end = kept.indexOf(10);
      return { mediaType: new TextDecoder().decode(kept.subarray(0, end)), bytes: kept.slice(end + 1) };
    }
  }

  async #fetch(request: FileRequest): Promise<FetchedFile> {
    const { url, accept, signal, maxBytes, limit } = request;
    const load = this.#index.fetch ?? ((address: string, init: RequestInit) => fetch(address, init));
    try {
      const response = await load(url, {
        headers: { accept },
        signal,
        credentials: 'omit',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
      });
      if (response.status === 404) throw new FileMissing(url);
      // for a fetch of the caller's that follows all the same
      if (!response.ok || response.redirected) throw unavailable(url, `status ${response.status}`);
      const mediaType =
        (response.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
      const bytes = await readWhole(response.body, (sizeBytes, addedBytes) => {
        request.take(addedBytes);
        if (sizeBytes > maxBytes) throw beyondLimit(limit, maxBytes, `bytes of ${url}`);
      });
      return { bytes, mediaType };
    } catch (error) {
      const isOurs = error instanceof CodedError || error instanceof FileMissing || signal.aborted;
      throw isOurs ? error : unavailable(url, messageOf(error), error);
    }
  }

  async #read(
    key: string,
    sha256: string | undefined,
    maxBytes: number,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { cache } = this.#index;
    try {
      const { digest, content } = Object((await cache?.read(key)) ?? {}) as Partial<StoredPackage>;
      if (!(content instanceof Blob) || content.size > maxBytes) return undefined;
      const bytes = new Uint8Array(await content.arrayBuffer());
      if ((await sha256Hex(bytes)) === (sha256 ?? digest)) return bytes;
      await cache?.delete(key);
    } catch {
      // a cache that fails costs a download
    }
    return undefined;
  }

  async #keep(key: string, bytes: Uint8Array<ArrayBuffer>, digest: string): Promise<void> {
    try {
      await this.#index.cache?.write(key, {
        digest,
        storedAtMs: this.#clock.now(),
        content: new Blob([bytes]),
      });
    } catch {
      // no room, or no storage: the next time is a download again
    }
  }
}
