/**
 * One journal entry: what one commit wrote under the journaled prefixes, as bytes with a checksum. A long one is stored
 * in several parts, one after the other.
 *
 * A part: format (1 byte), time (double), number of the part from 0, number of parts (counts), its piece of the body, CRC-32 of
 * all that. The body: how many writes; of each a tag (`p` put, `d` delete, `a` append, `o` append with outcomes), its place
 * among all writes of the commit, the revision that it gave the key or 0 when that was not known beforehand (count), its key,
 * and for puts and appends the value, counted: as it was given, since what the writes came to is known inside the transaction
 * alone, which keeps it beside the last part with a checksum of its own.
 */
import { ByteReader } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { fromValueBytes } from '../codec/from-value-bytes.ts';
import { toValueBytes } from '../codec/to-value-bytes.ts';
import { appendedNumberOf, compareKeys, hasPrefix } from '../key.ts';
import type { Key } from '../key.ts';
import type { PreparedWrite } from '../plan-commit.ts';
import { withOutcomesOf } from '../outcomes.ts';
import type { Committed } from '../store.ts';
import { crc32 } from '../codec/crc32.ts';
import { readKey, writeKey } from './records.ts';

const entryFormat = 1;
const tags = { put: 0x70, delete: 0x64, append: 0x61 } as const;
const outcomesTag = 0x6f;

/** A change of one key, as the journal knows it. */
export interface JournalWrite {
  readonly key: Key;
  /** Undefined: the key was deleted. */
  readonly bytes: Uint8Array | undefined;
  /** What the write made of the key's revision, when it was known at the time of writing. */
  readonly revision: number | undefined;
}

export interface EntryPart {
  /** The writer's wall clock. */
  readonly atMs: number;
  readonly part: number;
  readonly parts: number;
  readonly body: Uint8Array;
}

/** A write that is journaled, and its place among the writes of its group. */
export interface PlacedWrite {
  readonly write: PreparedWrite;
  readonly place: number;
}

function writeChange(writer: ByteWriter, { write, place }: PlacedWrite, maxBytes: number): void {
  const { type, key, value, expectedRevision, withOutcomes = false } = write;
  if (type === 'check') return;
  writer.byte(withOutcomes ? outcomesTag : tags[type]);
  writer.count(place);
  writer.count(expectedRevision === undefined ? 0 : expectedRevision + 1);
  writeKey(writer, key);
  if (type !== 'delete') writer.counted(toValueBytes(value, maxBytes));
}

/**
 * The parts of an entry, in order.
 * @param writes without checks
 * @throws `state/not-encodable`, `state/value-too-large`
 */
export function toEntryParts(
  writes: readonly PlacedWrite[],
  atMs: number,
  { partBytes, maxBytes }: { readonly partBytes: number; readonly maxBytes: number },
): readonly Uint8Array<ArrayBuffer>[] {
  const writer = new ByteWriter(maxBytes);
  writer.count(writes.length);
  for (const write of writes) writeChange(writer, write, maxBytes);
  const body = writer.finish();
  const parts = Math.max(1, Math.ceil(body.length / partBytes));
  return Array.from({ length: parts }, (_, part) => {
    const piece = body.subarray(part * partBytes, (part + 1) * partBytes);
    return toPart({ atMs, part, parts, body: piece });
  });
}

function toPart({ atMs, part, parts, body }: EntryPart): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writer.byte(entryFormat);
  writer.double(atMs);
  writer.count(part);
  writer.count(parts);
  writer.raw(body);
  writer.uint32(0);
  const bytes = writer.finish();
  const end = bytes.length - 4;
  new DataView(bytes.buffer).setUint32(end, crc32(bytes.subarray(0, end)), true);
  return bytes;
}

/** @throws `state/bytes-damaged` */
export function fromPart(bytes: Uint8Array): EntryPart {
  const reader = new ByteReader(bytes);
  if (bytes.length < 15) reader.fail('a journal entry is too short');
  const end = bytes.length - 4;
  const expected = new ByteReader(bytes.subarray(end)).uint32();
  if (crc32(bytes.subarray(0, end)) !== expected) reader.fail('the checksum of a journal entry is wrong');
  const format = reader.byte();
  if (format !== entryFormat) reader.fail(`a journal entry has format ${format}, expected ${entryFormat}`);
  const atMs = reader.double();
  const [part, parts] = [reader.count(), reader.count()];
  return { atMs, part, parts, body: bytes.subarray(reader.offset, end) };
}

/** The number of an append, from what the commit came to. */
function appendedBy(reader: ByteReader, prefix: Key, outcome: Committed | undefined): Key {
  const key: unknown = outcome?.key;
  const isKey = Array.isArray(key) && key.length === prefix.length + 1 && hasPrefix(key as Key, prefix);
  if (!isKey || appendedNumberOf(key as Key) === undefined)
    return reader.fail('the number of an append is missing');
  return key as Key;
}

/**
 * The writes of a whole body.
 * @param outcomes of all writes of the group; needed when there are appends
 * @throws `state/bytes-damaged`
 */
export function fromBody(
  body: Uint8Array,
  outcomes: readonly Committed[] | undefined,
): readonly JournalWrite[] {
  const reader = new ByteReader(body);
  const count = reader.countOf('writes', 5);
  const writes: JournalWrite[] = [];
  for (let index = 0; index < count; index++) writes.push(readChange(reader, outcomes));
  reader.end();
  return writes;
}

/** What an append with outcomes stored: the store puts it together from what is before it. */
function withEarlier(bytes: Uint8Array, outcomes: readonly Committed[], place: number): Uint8Array {
  return toValueBytes(withOutcomesOf(fromValueBytes(bytes), outcomes.slice(0, place)));
}

function readTag(reader: ByteReader): number {
  const tag = reader.byte();
  if (Object.values<number>(tags).includes(tag) || tag === outcomesTag) return tag;
  return reader.fail(`a write has the unknown tag ${tag}`);
}

function readChange(reader: ByteReader, outcomes: readonly Committed[] = []): JournalWrite {
  const tag = readTag(reader);
  const [place, planned] = [reader.count(), reader.count()];
  const outcome = outcomes[place];
  const named = readKey(reader);
  const bytes = tag === tags.delete ? undefined : reader.counted();
  const isAppend = tag === tags.append || tag === outcomesTag;
  const key = isAppend ? appendedBy(reader, named, outcome) : named;
  if (outcome && compareKeys(outcome.key, key) !== 0) reader.fail('an outcome belongs to another key');
  return {
    key,
    bytes: bytes && tag === outcomesTag ? withEarlier(bytes, outcomes, place) : bytes,
    revision: outcome?.revision ?? (planned || undefined),
  };
}
