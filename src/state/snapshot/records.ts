/** Keys and the bytes of their values: what a snapshot holds, and what a state is rebuilt in. */
import { CodedError } from '../../base/index.ts';
import { ByteReader } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { fromValueBytes } from '../codec/from-value-bytes.ts';
import { encodeKey } from '../key.ts';
import type { Key } from '../key.ts';

export interface BytesRecord {
  readonly key: Key;
  /** One value, as `toValueBytes` gives it. */
  readonly bytes: Uint8Array;
}

function tooLarge(limit: number): CodedError {
  return new CodedError('state/snapshot-too-large', `a snapshot exceeds ${limit} bytes`, {
    fields: { limit },
  });
}

export function writeKey(writer: ByteWriter, key: Key): void {
  writer.count(key.length);
  for (const segment of key) writer.text(segment);
}

/** @throws `state/bytes-damaged` */
export function readKey(reader: ByteReader): Key {
  const length = reader.countOf('segments', 1);
  const key = Array.from({ length }, () => reader.text());
  try {
    encodeKey(key);
  } catch (error) {
    return reader.fail('a key is none', error);
  }
  return Object.freeze(key);
}

/** A state under construction: the last record of each key. */
export class Records {
  readonly #records = new Map<string, BytesRecord>();
  readonly #maxBytes: number;
  #sizeBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#records.size;
  }

  /** @throws `state/snapshot-too-large` */
  put(key: Key, bytes: Uint8Array): void {
    const encoded = encodeKey(key);
    this.#sizeBytes += sizeOf(encoded, bytes) - this.#drop(encoded);
    if (this.#sizeBytes > this.#maxBytes) throw tooLarge(this.#maxBytes);
    this.#records.set(encoded, { key, bytes });
  }

  delete(key: Key): void {
    this.#sizeBytes -= this.#drop(encodeKey(key));
  }

  /** In order of key. */
  sorted(): readonly BytesRecord[] {
    return [...this.#records].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, record]) => record);
  }

  #drop(encoded: string): number {
    const known = this.#records.get(encoded);
    this.#records.delete(encoded);
    return known ? sizeOf(encoded, known.bytes) : 0;
  }
}

/** As it is counted against the bounds. */
export function sizeOfRecord({ key, bytes }: BytesRecord): number {
  return sizeOf(encodeKey(key), bytes);
}

function sizeOf(encoded: string, bytes: Uint8Array): number {
  return encoded.length + bytes.length + 8;
}

/** The records as one run of bytes: equal states have equal bytes. */
export function toRecordBytes(records: readonly BytesRecord[], maxBytes: number): Uint8Array<ArrayBuffer> {
  // keys outside of ASCII take more bytes than were counted
  const writer = new ByteWriter(4 * maxBytes);
  writer.count(records.length);
  for (const { key, bytes } of records) {
    writeKey(writer, key);
    writer.counted(bytes);
  }
  return writer.finish();
}

/**
 * Reverses {@link toRecordBytes}; the records' bytes are views.
 * @throws `state/bytes-damaged`
 */
export function fromRecordBytes(bytes: Uint8Array): readonly BytesRecord[] {
  const reader = new ByteReader(bytes);
  const count = reader.countOf('records', 3);
  const records: BytesRecord[] = [];
  let last = '';
  for (let index = 0; index < count; index++) {
    const key = readKey(reader);
    const encoded = encodeKey(key);
    if (encoded <= last) reader.fail('keys are not in order');
    last = encoded;
    records.push({ key, bytes: reader.counted() });
  }
  reader.end();
  return records;
}

/** @throws `state/bytes-damaged` */
export function valueOf({ bytes }: BytesRecord): unknown {
  return fromValueBytes(bytes);
}

export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
