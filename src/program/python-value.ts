/**
 * Python values as data. They tell `1` from `1.0` and a tuple from a list, which JavaScript does not, and prompts need.
 *
 * From JavaScript: an integral `number` is an `int`, unless the field's type says `float` there; `bigint` is always an
 * `int`; {@link PythonFloat} is always a `float`; null and undefined are `None`; a `Map` is a `dict` that keeps the order
 * of keys that look like numbers; a `Set` is a `set`. To JavaScript, floats become numbers and integers beyond 2^53 bigints.
 */
import { CodedError } from '../base/index.ts';
import type { PythonType } from './python-type.ts';

/**
 * A float in a place whose type does not say so (`Any`, `dict`, an untyped list): `{ $float: '1.0' }` prints as `1.0`
 * where the number 1 prints as `1`. The text is any Python float; plain data, so that it survives JSON and ports.
 */
export interface PythonFloat {
  readonly $float: string;
}

export interface FloatValue {
  readonly kind: 'float';
  readonly value: number;
}

export interface SequenceValue {
  readonly kind: 'list' | 'tuple' | 'set';
  readonly items: readonly PythonValue[];
}

export interface DictValue {
  readonly kind: 'dict';
  readonly entries: readonly (readonly [key: PythonValue, value: PythonValue])[];
}

/** `bigint` is an `int`, text is `str`. */
export type PythonValue = null | boolean | bigint | string | FloatValue | SequenceValue | DictValue;

/** The deepest nesting of a value; deeper is refused, so that hostile data cannot exhaust the stack. */
export const maxValueDepth = 200;

/** The most digits of an integer that is read from text; Python's own limit. */
export const maxIntegerDigits = 4300;

/** Wraps a number so that it prints as a float everywhere. */
export function pythonFloat(value: number): PythonFloat {
  return { $float: Object.is(value, -0) ? '-0.0' : String(value) };
}

export function isPythonFloat(value: unknown): value is PythonFloat {
  if (typeof value !== 'object' || value === null || !('$float' in value)) return false;
  return typeof value.$float === 'string' && Object.keys(value).length === 1;
}

/** The number of a Python float's text, such as `1e-07`, `inf` or `nan`. */
export function parseFloatText(text: string): number {
  const word = text.trim().replace(/^[+-]/, '').toLowerCase();
  const size = word === 'inf' || word === 'infinity' ? Infinity : word === 'nan' ? Number.NaN : Number(word);
  return text.trim().startsWith('-') ? -size : size;
}

export function floatValue(value: number): FloatValue {
  return { kind: 'float', value };
}

/**
 * A JavaScript value as Python's, read by the type of the place it stands in.
 * @throws `program/value-unsupported` for functions, symbols, class instances and what is nested too deep.
 */
export function toPythonValue(value: unknown, type?: PythonType, depth: number = maxValueDepth): PythonValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean' || typeof value === 'string' || typeof value === 'bigint') return value;
  if (typeof value === 'number') return numberValue(value, type);
  if (typeof value !== 'object') throw unsupported(`a ${typeof value}`);
  if (depth <= 0) throw unsupported(`a value nested deeper than ${maxValueDepth}`);
  if (isPythonFloat(value)) return taggedFloat(value);
  return containerValue(value, type, depth - 1);
}

/** A Python value as plain JavaScript: numbers, bigints beyond 2^53, arrays and plain objects. */
export function fromPythonValue(value: PythonValue): unknown {
  if (typeof value === 'bigint') return integerOf(value);
  if (value === null || typeof value !== 'object') return value;
  if (value.kind === 'float') return value.value;
  if (value.kind !== 'dict') return value.items.map(fromPythonValue);
  return Object.fromEntries(value.entries.map(([key, item]) => [keyText(key), fromPythonValue(item)]));
}

/** A dict in which a later key replaces an earlier one in its place, as in Python. */
export function dictValue(entries: Iterable<readonly [PythonValue, PythonValue]>): DictValue {
  const byKey = new Map<string, readonly [PythonValue, PythonValue]>();
  for (const [key, value] of entries) {
    const identity = identityOf(key);
    byKey.set(identity, [byKey.get(identity)?.[0] ?? key, value]);
  }
  return { kind: 'dict', entries: [...byKey.values()] };
}

/** One text per value under Python's `==`: `1`, `1.0` and `True` share theirs. */
export function identityOf(value: PythonValue): string {
  if (typeof value === 'boolean') return value ? 'number 1' : 'number 0';
  if (typeof value === 'bigint') return `number ${value}`;
  if (value === null) return 'None';
  if (typeof value === 'string') return `text ${value}`;
  if (value.kind === 'float')
    return Number.isInteger(value.value) ? `number ${BigInt(value.value)}` : `number ${value.value}`;
  if (value.kind === 'dict')
    return `dict ${JSON.stringify(value.entries.map(([key, item]) => `${identityOf(key)}: ${identityOf(item)}`).toSorted())}`;
  const items = value.items.map(identityOf);
  return `${value.kind} ${JSON.stringify(value.kind === 'set' ? items.toSorted() : items)}`;
}

/** A key of a dict as JSON writes it. */
export function keyText(key: PythonValue): string {
  if (key === null) return 'None';
  if (typeof key === 'object') return key.kind === 'float' ? floatText(key.value) : itemTexts(key);
  return String(key);
}

/** `repr` of a float: the shortest text that reads back, `1e-07` and `1e+16` with two digits, always a point or an exponent. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const [mantissa = '0', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 16) {
    const digits = String(Math.abs(exponent)).padStart(2, '0');
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`;
  }
  const signed = Object.is(value, -0) ? '-0' : String(value);
  return signed.includes('.') ? signed : `${signed}.0`;
}

function itemTexts(key: SequenceValue | DictValue): string {
  return key.kind === 'dict' ? '' : key.items.map(keyText).join(',');
}

function taggedFloat(tagged: PythonFloat): FloatValue {
  const value = parseFloatText(tagged.$float);
  if (Number.isNaN(value) && !/^\s*[+-]?nan\s*$/i.test(tagged.$float))
    throw unsupported('a $float that is no number');
  return floatValue(value);
}

function integerOf(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function numberValue(value: number, type: PythonType | undefined): PythonValue {
  const isInteger = Number.isSafeInteger(value) && !Object.is(value, -0);
  return isInteger && !wantsFloat(type) ? BigInt(value) : floatValue(value);
}

/** A union that also admits `int` leaves an integral number an int. */
function wantsFloat(type: PythonType | undefined): boolean {
  if (type?.kind === 'union') {
    const isNumber = (name: string): boolean =>
      type.members.some((member) => member.kind === 'scalar' && member.name === name);
    return isNumber('float') && !isNumber('int');
  }
  return type?.kind === 'scalar' && type.name === 'float';
}

function containerValue(value: object, type: PythonType | undefined, depth: number): PythonValue {
  if (Array.isArray(value) || value instanceof Set) {
    const items = [...value].map((item, index) => toPythonValue(item, itemType(type, index), depth));
    return { kind: Array.isArray(value) ? 'list' : 'set', items };
  }
  if (value instanceof Map) {
    return dictValue(
      [...value].map(([key, item]) => [
        toPythonValue(key, keyType(type), depth),
        toPythonValue(item, valueType(type), depth),
      ]),
    );
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw unsupported('a class instance');
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return {
    kind: 'dict',
    entries: entries.map(([key, item]) => [key, toPythonValue(item, valueType(type), depth)]),
  };
}

/** The member of a union that a container would be read as; the first one that fits. */
function memberOf<Kind extends PythonType['kind']>(
  type: PythonType | undefined,
  kinds: readonly Kind[],
): Extract<PythonType, { kind: Kind }> | undefined {
  const members = type?.kind === 'union' ? type.members : type === undefined ? [] : [type];
  const isWanted = (member: PythonType): member is Extract<PythonType, { kind: Kind }> =>
    (kinds as readonly string[]).includes(member.kind);
  return members.find(isWanted);
}

function itemType(type: PythonType | undefined, index: number): PythonType | undefined {
  const sequence = memberOf(type, ['list', 'set', 'tuple']);
  if (sequence?.kind !== 'tuple') return sequence?.item;
  return sequence.items?.[sequence.isVariadic ? 0 : index];
}

function keyType(type: PythonType | undefined): PythonType | undefined {
  return memberOf(type, ['dict'])?.entry?.key;
}

function valueType(type: PythonType | undefined): PythonType | undefined {
  return memberOf(type, ['dict'])?.entry?.value;
}

function unsupported(what: string): CodedError {
  return new CodedError('program/value-unsupported', `Cannot write ${what} into a prompt.`, {
    fields: { value: what, expected: 'text, numbers, booleans, null, arrays, plain objects, maps and sets' },
  });
}
