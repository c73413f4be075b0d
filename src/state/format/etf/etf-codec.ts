/**
 * State files in the external term format of Erlang: `{vivarium_state, Version, #{kind, versions, checksum, state}}`.
 *
 * | value | term |
 * | --- | --- |
 * | null, undefined, true, false | the atoms of these names; `nil` is read as null |
 * | text | a binary in UTF-8; any other atom is read as a text |
 * | number | an integer within ±(2^53 - 1), else a float |
 * | list, object | a list, a map with binaries as keys; atoms are read as keys too |
 * | NaN, ∞, -∞ | `{number, nan}`, `{number, infinity}`, `{number, '-infinity'}` |
 * | bigint | `{bigint, Integer}`; an integer beyond ±(2^53 - 1) is read as one too |
 * | Date, Map, Set | `{time, Milliseconds}`, `{map, [{Key, Value}]}`, `{set, [Item]}` |
 * | binary data | `{binary, <<"Float64Array">>, Bytes}` and so on, as in memory |
 */
import { assertKnownVersion, damaged } from '../codec.ts';
import type { Envelope, FormatLimits, StateCodec, UncheckedEnvelope } from '../codec.ts';
import { makeView, objectOf, viewOf } from '../encodable.ts';
import { decodeTerm, textOf } from './decode-term.ts';
import { encodeTerm } from './encode-term.ts';
import { atom, tuple } from './term.ts';
import type { Atom, Term, Tuple } from './term.ts';

const fileAtom = 'vivarium_state';
const encoder = new TextEncoder();

function toTerm(value: unknown): Term {
  if (typeof value === 'string') return encoder.encode(value);
  if (typeof value === 'number') return toNumberTerm(value);
  if (typeof value === 'bigint') return tuple(atom('bigint'), value);
  if (typeof value === 'object' && value !== null) return toObjectTerm(value);
  // null, undefined, true, false
  return atom(String(value));
}

function toNumberTerm(value: number): Term {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return value;
  if (Number.isFinite(value)) return { type: 'float', value };
  const name = Number.isNaN(value) ? 'nan' : value > 0 ? 'infinity' : '-infinity';
  return tuple(atom('number'), atom(name));
}

function toObjectTerm(value: object): Term {
  if (value instanceof Date) return tuple(atom('time'), value.getTime());
  const view = viewOf(value);
  if (view) return tuple(atom('binary'), encoder.encode(view.type), view.bytes);
  // Array.from shows holes as undefined
  if (Array.isArray(value)) return Array.from(value as unknown[], toTerm);
  if (value instanceof Set) return tuple(atom('set'), Array.from(value, toTerm));
  if (value instanceof Map) {
    const entries = Array.from(value, ([key, item]) => tuple(toTerm(key), toTerm(item)));
    return tuple(atom('map'), entries);
  }
  const entries = Object.entries(value).map(([key, item]) => [encoder.encode(key), toTerm(item)] as const);
  return { type: 'map', entries };
}

const atomValues: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['null', null],
  ['nil', null],
  ['undefined', undefined],
  ['true', true],
  ['false', false],
]);

const numberNames: ReadonlyMap<string, number> = new Map([
  ['nan', Number.NaN],
  ['infinity', Infinity],
  ['-infinity', -Infinity],
]);

type Tagged = Exclude<Term, number | bigint | Uint8Array | readonly Term[]>;

function fromTerm(term: Term): unknown {
  if (typeof term === 'number' || typeof term === 'bigint') return term;
  if (term instanceof Uint8Array) return textOf(term);
  if (Array.isArray(term)) return (term as readonly Term[]).map(fromTerm);
  const tagged = term as Tagged;
  switch (tagged.type) {
    case 'float':
      return tagged.value;
    case 'atom':
      return atomValues.has(tagged.name) ? atomValues.get(tagged.name) : tagged.name;
    case 'map':
      return fromEntries(tagged.entries);
    case 'tuple':
      return fromTuple(tagged);
    case 'bitstring':
      throw damaged('etf', 'whole bytes');
  }
}

function fromEntries(entries: readonly (readonly [Term, Term])[]): Record<string, unknown> {
  const object = objectOf(entries.map(([key, value]) => [keyOf(key), fromTerm(value)] as const));
  if (!object) throw damaged('etf', 'keys that differ');
  return object;
}

function keyOf(term: Term): string {
  if (term instanceof Uint8Array) return textOf(term);
  if (isAtom(term)) return term.name;
  throw damaged('etf', 'binaries or atoms as keys');
}

function isAtom(term: Term | undefined): term is Atom {
  return typeof term === 'object' && 'type' in term && term.type === 'atom';
}

function isTuple(term: Term | undefined): term is Tuple {
  return typeof term === 'object' && 'type' in term && term.type === 'tuple';
}

function fromTuple({ items }: Tuple): unknown {
  const [name, content, bytes] = items;
  if (isAtom(name) && content !== undefined) {
    const value = items.length === 2 ? fromPair(name.name, content) : undefined;
    if (value !== undefined) return value;
    if (items.length === 3 && name.name === 'binary' && bytes instanceof Uint8Array) {
      const view = makeView(String(fromTerm(content)), bytes);
      if (view) return view;
    }
  }
  throw damaged('etf', 'a tuple that says bigint, number, time, map, set or binary');
}

/** Undefined for what is none of these pairs. */
function fromPair(name: string, content: Term): unknown {
  if (name === 'bigint' && typeof content === 'number') return BigInt(content);
  if (name === 'bigint' && typeof content === 'bigint') return content;
  if (name === 'number' && isAtom(content)) return numberNames.get(content.name);
  if (name === 'time' && typeof content === 'number') return dateOf(content);
  if (!Array.isArray(content)) return undefined;
  const items = content as readonly Term[];
  if (name === 'set') return new Set(items.map(fromTerm));
  return name === 'map' ? new Map(items.map(entryOf)) : undefined;
}

function dateOf(time: number): Date {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) throw damaged('etf', 'a time of this calendar');
  return date;
}

function entryOf(term: Term): readonly [unknown, unknown] {
  if (!isTuple(term) || term.items.length !== 2) throw damaged('etf', 'pairs in a map');
  const [key, value] = term.items as readonly [Term, Term];
  return [fromTerm(key), fromTerm(value)];
}

function encode({ version, kind, versions, checksum, state }: Envelope): Uint8Array<ArrayBuffer> {
  const parts = Object.entries({ kind, versions, checksum, state });
  const entries = parts.map(([name, value]) => [atom(name), toTerm(value)] as const);
  return encodeTerm(tuple(atom(fileAtom), version, { type: 'map', entries }));
}

async function decode(bytes: Uint8Array, limits: FormatLimits): Promise<UncheckedEnvelope> {
  // an entry of a Map is three levels deeper than the Map
  const term = await decodeTerm(bytes, {
    ...limits,
    maxDepth: 3 * limits.maxDepth + 3,
    maxValues: 3 * limits.maxValues,
  });
  const [name, version, body] = isTuple(term) ? term.items : [];
  if (!isAtom(name) || name.name !== fileAtom) throw damaged('etf', `{${fileAtom}, Version, Map}`);
  assertKnownVersion(version);
  const { kind, versions, checksum, state, ...rest } = bodyOf(body);
  if (Object.keys(rest).length > 0) throw damaged('etf', 'kind, versions, checksum and state alone');
  return { version, kind, versions, checksum, state };
}

function bodyOf(term: Term | undefined): Record<string, unknown> {
  const isMap = typeof term === 'object' && 'type' in term && term.type === 'map';
  if (!isMap) throw damaged('etf', 'a map behind the version');
  return fromEntries(term.entries);
}

export const etfCodec: StateCodec = { format: 'etf', encode, decode };
