/** Reads what an index says. All of it comes from outside. */
import type { Clock } from '../../../../platform/index.ts';
import type { ExecutorLimits } from '../../../limits.ts';
import type { PackageIndex } from '../../../package.ts';
import { CodedError } from '../../../../base/index.ts';
import type { Candidate, IndexReader, OfferedFile } from './candidate.ts';
import { toCandidate } from './candidate.ts';
import { invalidPackage } from './fault.ts';
import { FileMissing, FileStore } from './file-store.ts';
import type { FileRequest, TakeBytes } from './file-store.ts';
import { Pace } from './pace.ts';
import { maxRequirements } from './read-wheel.ts';
import { isPackageName, normalizeName } from './package-name.ts';
import { SharedLoad } from './shared-load.ts';
import { parseSimpleHtml, parseSimpleJson, readHash } from './simple-page.ts';

/** The page of one package, or a lock of all; the largest known ones have a few MB. */
const maxPageBytes = 16 * 2 ** 20;
/** After this a list is asked for again. */
const listAgeMs = 5 * 60_000;
/** Lists that are kept in memory. */
const maxLists = 256;
/** Files in all of them. */
const maxListed = 200_000;

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (value: unknown): Fields =>
  Object.assign(Object.create(null), typeof value === 'object' ? value : {}) as Fields;

interface KeptList {
  readonly atMs: number;
  readonly candidates: readonly Candidate[];
}

abstract class BaseIndex implements IndexReader {
  readonly origin: string;
  protected readonly index: PackageIndex;
  protected readonly files: FileStore;
  readonly #base: URL;
  readonly #limits: ExecutorLimits;
  protected readonly clock: Clock;
  readonly #lists = new Map<string, KeptList>();
  #listed = 0;

  constructor(index: PackageIndex, limits: ExecutorLimits, clock: Clock) {
    this.index = index;
    this.#limits = limits;
    this.clock = clock;
    this.files = new FileStore(index, clock);
    this.#base = new URL(index.url, globalThis.document?.baseURI);
    this.origin = this.#base.origin;
  }

  protected get base(): URL {
    return this.#base;
  }

  async find(name: string, signal: AbortSignal, take: TakeBytes): Promise<readonly Candidate[]> {
    const kept = this.#lists.get(name);
    const nowMs = this.clock.monotonic();
    if (kept && nowMs - kept.atMs < listAgeMs) return kept.candidates;
    const candidates = await this.list(name, signal, take);
    this.#listed += candidates.length;
    if (this.#lists.size >= maxLists || this.#listed > maxListed) {
      this.#lists.clear();
      this.#listed = candidates.length;
    }
    this.#lists.set(name, { atMs: nowMs, candidates });
    return candidates;
  }

  async fetch(
    { url, sha256, fileName }: Candidate,
    signal: AbortSignal,
    take: TakeBytes,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { origin, protocol } = new URL(url);
    const isKnown = origin === this.origin || this.index.fileOrigins?.includes(origin);
    if (!isKnown || !/^https?:$/u.test(protocol)) {
      throw invalidPackage(fileName, 'a file of the index or of one of its fileOrigins', url);
    }
    const { packageDownloadBytes: maxBytes } = this.#limits;
    const request = { url, accept: '*/*', maxBytes, limit: 'packageDownloadBytes', signal, take };
    if (sha256 !== undefined) return this.files.fetchFixed(request, sha256);
    if (!this.index.allowsMissingHash) {
      throw new CodedError('executor/package-hash-mismatch', `the index names no SHA-256 of ${fileName}`, {
        fields: { url, expected: 'a SHA-256', found: 'none' },
      });
    }
    try {
      return (await this.files.fetchLatest(request)).bytes;
    } catch (error) {
      throw error instanceof FileMissing ? missing(url) : error;
    }
  }

  protected abstract list(name: string, signal: AbortSignal, take: TakeBytes): Promise<readonly Candidate[]>;

  protected request(url: string, accept: string, signal: AbortSignal, take: TakeBytes): FileRequest {
    return { url, accept, maxBytes: maxPageBytes, limit: 'packagePageBytes', signal, take };
  }
}

function missing(url: string): CodedError {
  return new CodedError('executor/package-unavailable', `${url} is not there`, {
    fields: { url, why: 'status 404' },
    isRetryable: true,
  });
}

class SimpleIndex extends BaseIndex {
  protected async list(name: string, signal: AbortSignal, take: TakeBytes): Promise<readonly Candidate[]> {
    const folder = this.base.href.endsWith('/') ? this.base.href : `${this.base.href}/`;
    const url = new URL(`${name}/`, folder).href;
    const accept =
      'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1';
    try {
      const { bytes, mediaType } = await this.files.fetchLatest(this.request(url, accept, signal, take));
      const text = new TextDecoder().decode(bytes);
      const isJson = mediaType.endsWith('json');
      const pace = new Pace(signal);
      const offered = await (isJson ? parseSimpleJson : parseSimpleHtml)(text, url, pace);
      return (await toCandidates(offered, pace)).filter((candidate) => candidate.name === name);
    } catch (error) {
      if (error instanceof FileMissing) return [];
      throw error;
    }
  }
}

async function toCandidates(offered: readonly OfferedFile[], pace: Pace): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  for (const file of offered) {
    await pace.spend(file.fileName.length + file.requiresPython.length);
    const candidate = toCandidate(file);
    if (candidate) candidates.push(candidate);
  }
  return candidates;
}

/** A lock file, and what was read for it. */
interface ReadLock {
  readonly packages: Fields;
  readonly sizeBytes: number;
}

class LockIndex extends BaseIndex {
  #packages: Fields | undefined;
  #loading: SharedLoad<ReadLock> | undefined;

  protected async list(name: string, signal: AbortSignal, take: TakeBytes): Promise<readonly Candidate[]> {
    const packages = (this.#packages ??= await this.#wait(signal, take));
    const candidate = this.#find(fieldsOf(packages[name]), name);
    return candidate ? [candidate] : [];
  }

  /** It is read for nobody in particular, and counts for each who waits. */
  async #wait(signal: AbortSignal, take: TakeBytes): Promise<Fields> {
    const { packages, sizeBytes } = await this.#joinLoad().wait(signal);
    take(sizeBytes);
    return packages;
  }

  /** The load in progress, where somebody waits for it, or a new one. */
  #joinLoad(): SharedLoad<ReadLock> {
    if (!this.#loading || this.#loading.isOver)
      this.#loading = new SharedLoad((signal) => this.#load(signal), this.clock);
    return this.#loading;
  }

  async #load(signal: AbortSignal): Promise<ReadLock> {
    const { lockSha256 } = this.index;
    const request = this.request(this.base.href, 'application/json', signal, () => undefined);
    let bytes: Uint8Array;
    try {
      bytes = lockSha256
        ? await this.files.fetchFixed(request, lockSha256.toLowerCase())
        : (await this.files.fetchLatest(request)).bytes;
    } catch (error) {
      throw error instanceof FileMissing ? missing(request.url) : error;
    }
    const packages = fieldsOf(parseJson(new TextDecoder().decode(bytes), request.url))['packages'];
    if (typeof packages !== 'object' || packages === null) {
      throw invalidPackage(request.url, 'a lock file with packages', 'another');
    }
    const named = Object.entries(packages).map(
      ([name, entry]) => [normalizeName(name), entry as unknown] as const,
    );
    const byName = Object.assign(Object.create(null), Object.fromEntries(named)) as Fields;
    return { packages: byName, sizeBytes: bytes.length };
  }

  /** Libraries that are shared by compiled packages are no wheels, and are not taken. */
  #find(entry: Fields, name: string): Candidate | undefined {
    const { file_name: fileName, sha256, depends } = entry;
    if (typeof fileName !== 'string') return undefined;
    const folder = this.index.packageBaseUrl ?? new URL('.', this.base).href;
    const base = new URL(folder.endsWith('/') ? folder : `${folder}/`, this.base);
    const url = URL.canParse(fileName, base.href) ? new URL(fileName, base).href : '';
    const hash = readHash(sha256);
    const file = {
      fileName: fileName.slice(fileName.lastIndexOf('/') + 1),
      url,
      sha256: hash,
      requiresPython: '',
      isYanked: false,
    };
    const candidate = toCandidate(file);
    if (!candidate || candidate.name !== name) return undefined;
    const dependsOn = Array.isArray(depends) ? (depends as unknown[]) : [];
    if (dependsOn.length > maxRequirements) {
      throw invalidPackage(`${name}.depends`, `at most ${maxRequirements} names`, String(dependsOn.length));
    }
    const names = dependsOn.filter((item): item is string => typeof item === 'string' && isPackageName(item));
    return { ...candidate, dependsOn: names };
  }
}

function parseJson(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidPackage(url, 'JSON', 'another');
  }
}

/** Asks for nothing yet. */
export function openIndex(index: PackageIndex, limits: ExecutorLimits, clock: Clock): IndexReader {
  return index.form === 'simple'
    ? new SimpleIndex(index, limits, clock)
    : new LockIndex(index, limits, clock);
}
