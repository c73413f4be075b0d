/**
 * State files as MessagePack: the list `['vivarium-state', version, { kind, versions, checksum, state }]`.
 *
 * Everything is plain MessagePack but undefined, binary data and bigints of more than 64 bits, which have msgpackr's extensions, and
 * these, which are maps whose only key is a number: `{ 1: [[key, value], …] }` a Map, `{ 2: [item, …] }` a Set, `{ 3: nil }` minus zero.
 * Integers of 64 bits are bigints.
 */
// The entries without Node's native part. The one use of `Function`, for records, is out of reach: records are off, and the scan refuses
// them.
import { Packr } from 'msgpackr/pack';
import { Unpackr } from 'msgpackr/unpack';
import { assertKnownVersion, damaged, fileMagic } from '../codec.ts';
import type { Envelope, FormatLimits, StateCodec, UncheckedEnvelope } from '../codec.ts';
import { objectOf, viewOf } from '../encodable.ts';
import { scanMessagePack } from './msgpack-scan.ts';

const mapTag = 1;
const setTag = 2;
const minusZeroTag = 3;

/** Objects go through as Maps, so that no name of a property can mean anything to the library. */
function toPackable(value: unknown): unknown {
  if (Object.is(value, -0)) return new Map([[minusZeroTag, null]]);
  if (typeof value !== 'object' || value === null || value instanceof Date || viewOf(value)) return value;
  // Array.from shows holes as undefined
  if (Array.isArray(value)) return Array.from(value as unknown[], toPackable);
  if (value instanceof Set) return new Map([[setTag, Array.from(value, toPackable)]]);
  if (value instanceof Map) {
    const entries = Array.from(value, ([key, item]) => [toPackable(key), toPackable(item)]);
    return new Map([[mapTag, entries]]);
  }
  return new Map(Object.entries(value).map(([key, item]) => [key, toPackable(item)]));
}

/** Makes the values of what was unpacked, and counts them: a key that stood twice in a map has been lost before it came here. */
class Reader {
  count = 0;

  read(value: unknown): unknown {
    this.count += 1;
    if (Array.isArray(value)) return value.map((item) => this.read(item));
    if (!(value instanceof Map)) return value;
    const [first] = value as ReadonlyMap<unknown, unknown>;
    if (value.size === 1 && first && typeof first[0] === 'number')
      return this.#readTagged(first[0], first[1]);
    const object = objectOf(this.#textKeyed(value));
    if (!object) throw damaged('msgpack', 'keys that differ');
    return object;
  }

  *#textKeyed(map: ReadonlyMap<unknown, unknown>): Iterable<readonly [string, unknown]> {
    for (const [key, item] of map) {
      if (typeof key !== 'string') throw damaged('msgpack', 'texts as keys');
      this.count += 1;
      yield [key, this.read(item)];
    }
  }

  #readTagged(tag: number, content: unknown): unknown {
    this.count += 1;
    const value = this.read(content);
    if (tag === minusZeroTag && value === null) return -0;
    if (tag === setTag && Array.isArray(value)) return new Set(value);
    if (tag === mapTag && Array.isArray(value) && value.every(isPair)) return new Map(value);
    throw damaged('msgpack', 'a map, a set or minus zero behind a number as key');
  }
}

function isPair(value: unknown): value is readonly [unknown, unknown] {
  return Array.isArray(value) && value.length === 2;
}

function encode({ version, kind, versions, checksum, state }: Envelope): Uint8Array<ArrayBuffer> {
  const packr = new Packr({ useRecords: false, moreTypes: true, useBigIntExtension: true });
  const packed = packr.pack([fileMagic, version, toPackable({ kind, versions, checksum, state })]);
  // Node's packs into shared buffers
  return new Uint8Array(packed);
}

/** The version stands where it can be read before anything else is. */
function versionOf(bytes: Uint8Array): number {
  const at = 2 + fileMagic.length;
  const [token = 0xff, ...next] = bytes.subarray(at, at + 5);
  if (token < 0x80) return token;
  if (token < 0xcc || token > 0xce) throw damaged('msgpack', 'a version');
  return next.slice(0, 2 ** (token - 0xcc)).reduce((number, byte) => 256 * number + byte, 0);
}

function decode(bytes: Uint8Array, limits: FormatLimits): UncheckedEnvelope {
  const version = versionOf(bytes);
  assertKnownVersion(version);
  // an entry of a Map is three levels deeper than the Map
  const count = scanMessagePack(bytes, { ...limits, maxDepth: 3 * limits.maxDepth + 2 });
  const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: false, copyBuffers: true });
  const reader = new Reader();
  const [, , envelope] = reader.read(unpackr.unpack(bytes)) as readonly unknown[];
  if (reader.count !== count) throw damaged('msgpack', 'keys that differ');
  if (typeof envelope !== 'object' || envelope === null || Array.isArray(envelope)) {
    throw damaged('msgpack', 'a map behind the version');
  }
  const { kind, versions, checksum, state, ...rest } = envelope as Record<string, unknown>;
  if (Object.keys(rest).length > 0) throw damaged('msgpack', 'kind, versions, checksum and state alone');
  return { version, kind, versions, checksum, state };
}

export const msgpackCodec: StateCodec = {
  format: 'msgpack',
  encode,
  decode: (bytes, limits) => Promise.resolve().then(() => decode(bytes, limits)),
};
