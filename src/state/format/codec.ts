/** What a format is: a way to write a state file as bytes and to read it again. The table of them is in `codecs.ts`. */
import { CodedError, messageOf } from '../../base/index.ts';

/** The binary formats of state files. */
export type StateFormat = 'msgpack' | 'protobuf' | 'etf';

/** What a file holds besides its version and its checksum. */
export interface StateFile {
  /** What the state is of, such as `program`; at most 200 characters. */
  readonly kind: string;
  /** Versions of what wrote the file, by name; at most 100. */
  readonly versions: Readonly<Record<string, string>>;
  /** JSON values, undefined, bigint, Date, Map, Set, ArrayBuffer, DataView and typed arrays, without cycles. */
  readonly state: unknown;
}

/** What the codecs see: every format writes these, whatever it calls them. */
export interface Envelope extends StateFile {
  readonly version: number;
  /** SHA-256 in hex over the canonical bytes of `{ kind, versions, state }`; undefined in files that others made without one. */
  readonly checksum: string | undefined;
}

/** What is read of an envelope before anybody looked at it. */
export type UncheckedEnvelope = { readonly [Part in keyof Envelope]: unknown };

/** The version of the envelope that is written, and the newest that is read. */
export const fileVersion = 1;

/** In every format the first thing that a file says. */
export const fileMagic = 'vivarium-state';

/** What a reader and a writer of files refuse, and why. */
export interface FormatLimits {
  /** Bytes of a file, and of what it inflates to: a reader holds both. Default 64 MiB. */
  readonly maxFileBytes: number;
  /** Values in a file, containers included: one of two bytes in a file is an object of 50 and more in memory. Default 2 Mi. */
  readonly maxValues: number;
  /** Nesting of values: engines clone, compare and print recursively. Default 256. */
  readonly maxDepth: number;
  /** Bytes of one bigint: work on them grows faster than their length. Default 4 KiB. */
  readonly maxBigintBytes: number;
}

export const defaultFormatLimits: FormatLimits = Object.freeze({
  maxFileBytes: 64 * 2 ** 20,
  maxValues: 2 * 2 ** 20,
  maxDepth: 256,
  maxBigintBytes: 4096,
});

export interface StateCodec {
  readonly format: StateFormat;
  /** Values of `envelope` are what `assertEncodable` lets through. */
  encode(envelope: Envelope): Uint8Array<ArrayBuffer>;
  /**
   * Never more work and memory than in proportion to the bytes, whatever they are.
   * @throws `state/format-damaged`, `state/version-too-new`, `state/value-too-large`
   */
  decode(bytes: Uint8Array, limits: FormatLimits): Promise<UncheckedEnvelope>;
}

/** @param expected what a whole file has there */
export function damaged(format: string, expected: string, cause?: unknown): CodedError {
  const why = cause === undefined ? '' : ` (${messageOf(cause)})`;
  return new CodedError('state/format-damaged', `the ${format} file is damaged: expected ${expected}${why}`, {
    fields: { format, expected },
    cause,
  });
}

/** @throws `state/version-too-new` for files of a later version of this library; their values may be of kinds that are not known here */
export function assertKnownVersion(version: unknown): void {
  if (typeof version !== 'number' || !Number.isInteger(version) || version <= fileVersion) return;
  throw new CodedError(
    'state/version-too-new',
    `the file has version ${version}, the newest that can be read is ${fileVersion}`,
    { fields: { found: version, supported: fileVersion } },
  );
}

/** Counts what a reader makes. @throws `state/value-too-large`, `state/format-damaged` */
export class ValueCounter {
  readonly #format: string;
  readonly #limits: FormatLimits;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  constructor(format: string, limits: FormatLimits) {
    this.#format = format;
    this.#limits = limits;
  }

  add(count: number = 1): void {
    this.#count += count;
    if (this.#count > this.#limits.maxValues) throw tooLarge('file', this.#limits.maxValues, 'values');
  }

  enter(depth: number): void {
    if (depth > this.#limits.maxDepth)
      throw damaged(this.#format, `at most ${this.#limits.maxDepth} levels of nesting`);
  }
}

export function tooLarge(scope: string, limit: number, unit: string): CodedError {
  return new CodedError('state/value-too-large', `a ${scope} exceeds ${limit} ${unit}`, {
    fields: { scope, limit, unit },
  });
}
