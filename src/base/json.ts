/** JSON as a type, with the checks and the canonical text that storage and digests rely on. */
import { CodedError } from './error.ts';

export type JsonPrimitive = string | number | boolean | null;
export type Json = JsonPrimitive | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

const maxDepthDefault = 512;

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isJsonWithin(value: unknown, depth: number, proven: Set<object>): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth <= 0) return false;
  if (proven.has(value)) return true;
  if (!Array.isArray(value) && !isPlainObject(value)) return false;
  if (!Object.values(value).every((item) => isJsonWithin(item, depth - 1, proven))) return false;
  // a value that is shared a thousand times is walked once
  proven.add(value);
  return true;
}

/** True for finite JSON values. Cycles and nesting beyond `maxDepth` (default 512) are not JSON. */
export function isJson(value: unknown, maxDepth: number = maxDepthDefault): value is Json {
  return isJsonWithin(value, maxDepth, new Set());
}

/** No parameter value of the largest allowed size has a longer text; a JavaScript string holds twice as much. */
const maxCharactersDefault = 2 ** 28;

/** Characters of the text of each array and object, and which of them stand at more than one place. */
interface TextLengths {
  readonly known: Map<object, number>;
  readonly shared: Set<object>;
}

const escaped = /["\\\p{Cc}\p{Cs}]/u;

function lengthOf(value: Json, lengths: TextLengths): number {
  if (typeof value === 'string') return lengthOfString(value);
  if (value === null || typeof value !== 'object') return `${value}`.length;
  const known = lengths.known.get(value);
  if (known !== undefined) {
    lengths.shared.add(value);
    return known;
  }
  // met again inside itself, it has no end
  lengths.known.set(value, Infinity);
  const characters = Array.isArray(value)
    ? lengthOfList(value as readonly Json[], lengths)
    : lengthOfObject(value as JsonObject, lengths);
  lengths.known.set(value, characters);
  return characters;
}

function lengthOfList(list: readonly Json[], lengths: TextLengths): number {
  let characters = 2 + Math.max(0, list.length - 1);
  for (const item of list) characters += lengthOf(item, lengths);
  return characters;
}

function lengthOfObject(object: JsonObject, lengths: TextLengths): number {
  const keys = Object.keys(object);
  let characters = 2 + Math.max(0, keys.length - 1);
  for (const key of keys) characters += lengthOfString(key) + 1 + lengthOf(object[key] as Json, lengths);
  return characters;
}

/** As long as it is between its quotes, unless something in it must be escaped. */
function lengthOfString(text: string): number {
  return escaped.test(text) ? JSON.stringify(text).length : text.length + 2;
}

type Texts = Map<object, string | undefined>;

function textOf(value: Json, texts: Texts): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = Array.isArray(value)
    ? `[${(value as readonly Json[]).map((item) => textOf(item, texts)).join(',')}]`
    : textOfObject(value as JsonObject, texts);
  // kept for those alone that are needed again: the others would be held at every level of nesting
  if (texts.has(value)) texts.set(value, text);
  return text;
}

function textOfObject(object: JsonObject, texts: Texts): string {
  const members = Object.keys(object)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${textOf(object[key] as Json, texts)}`);
  return `{${members.join(',')}}`;
}

/**
 * One text per value: keys sorted by code unit, no white space. The work grows with the value and its text, however often a part is shared.
 *
 * @param maxCharacters of the text; default 2^28
 * @throws `base/json-too-large` before any text is made, also for a cycle
 */
export function canonicalJson(value: Json, maxCharacters: number = maxCharactersDefault): string {
  const lengths: TextLengths = { known: new Map(), shared: new Set() };
  const characters = lengthOf(value, lengths);
  if (characters > maxCharacters) {
    throw new CodedError(
      'base/json-too-large',
      `the text of a value has ${characters} characters, expected at most ${maxCharacters}`,
      { fields: { characters, limit: maxCharacters } },
    );
  }
  return textOf(value, new Map([...lengths.shared].map((each) => [each, undefined])));
}

/** Freezes arrays and objects all the way down and returns the same value. Typed arrays cannot be frozen and stay as they are. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value) && !ArrayBuffer.isView(value)) {
    Object.freeze(value);
    for (const key of Object.keys(value)) {
      const item: unknown = Reflect.get(value, key);
      if (typeof item === 'object') deepFreeze(item);
    }
  }
  return value;
}
