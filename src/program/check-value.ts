/**
 * Whether a Python value fits an annotation, and what it becomes: the lax rules of pydantic 2. `'5'` and `5.0` are the int
 * 5, `'yes'` is True; an int is no text.
 */
import { representLiteral, typeNameOf } from './print-python-type.ts';
import { representPython } from './python-print.ts';
import { strip } from './python-text.ts';
import { dictValue, floatValue, identityOf, maxIntegerDigits } from './python-value.ts';
import type { DictValue, PythonValue, SequenceValue } from './python-value.ts';
import type {
  PythonDictType,
  PythonLiteral,
  PythonSetType,
  PythonTupleType,
  PythonType,
} from './python-type.ts';

/** How much was changed: 2 nothing, 1 no more than strict rules allow, 0 more. A union takes its member with the most. */
export type Exactness = 0 | 1 | 2;

export type CheckedValue =
  | { readonly isFit: true; readonly value: PythonValue; readonly exactness: Exactness }
  | { readonly isFit: false; readonly problem: string };

/** Never throws. */
export function checkValue(value: PythonValue, type: PythonType): CheckedValue {
  switch (type.kind) {
    case 'any':
      return fit(value, 1);
    case 'custom':
      return fit(value, 2);
    case 'none':
      return value === null ? fit(null, 2) : misfit('None', value);
    case 'scalar':
      return checkScalar(value, type.name);
    case 'literal':
      return checkLiteral(value, type.values);
    case 'enum':
      return checkMember(
        value,
        type.members.map((member) => member.value),
      );
    case 'union':
      return checkUnion(value, type.members);
    case 'list':
      return checkItems(value, type, 'list', () => type.item);
    case 'set':
      return checkSet(value, type);
    case 'tuple':
      return checkTuple(value, type);
    case 'dict':
      return checkDict(value, type);
  }
}

function fit(value: PythonValue, exactness: Exactness): CheckedValue {
  return { isFit: true, value, exactness };
}

function misfit(expected: string, found: PythonValue): CheckedValue {
  const text = representPython(found);
  return {
    isFit: false,
    problem: `expected ${expected}, but found ${text.length > 200 ? `${text.slice(0, 200)}…` : text}`,
  };
}

function checkScalar(value: PythonValue, name: string): CheckedValue {
  if (name === 'int') return checkInteger(value);
  if (name === 'float') return checkFloat(value);
  if (name === 'bool') return checkBoolean(value);
  if (name === 'str') return typeof value === 'string' ? fit(value, 2) : misfit('a str', value);
  if (name === 'bytes') return typeof value === 'string' ? fit(value, 0) : misfit('bytes', value);
  return misfit(`a ${name}, which cannot be read from an answer`, value);
}

const integerText = /^[-+]?\d+(?:_\d+)*(?:\.0+)?$/;
/** Floats from here on are not taken for integers. */
const integerFloatLimit = 2 ** 63;

function checkInteger(value: PythonValue): CheckedValue {
  if (typeof value === 'bigint') return fit(value, 2);
  if (typeof value === 'boolean') return fit(value ? 1n : 0n, 0);
  if (typeof value === 'string') {
    const text = strip(value);
    if (!integerText.test(text) || text.length > maxIntegerDigits) return misfit('an int', value);
    return fit(BigInt(text.replace(/^\+/, '').replace(/\.0+$/, '').replaceAll('_', '')), 0);
  }
  if (value === null || value.kind !== 'float') return misfit('an int', value);
  const isIntegral = Number.isInteger(value.value) && Math.abs(value.value) < integerFloatLimit;
  return isIntegral ? fit(BigInt(value.value), 0) : misfit('an int', value);
}

/** Each character can be read in one way only: two ways would take quadratic time on long digits. */
const floatPattern =
  /^[-+]?(?:(?:\d[\d_]*(?:\.(?:\d[\d_]*)?)?|\.\d[\d_]*)(?:[eE][-+]?\d+)?|inf|infinity|nan)$/i;

function checkFloat(value: PythonValue): CheckedValue {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isFinite(number) ? fit(floatValue(number), 1) : misfit('a float', value);
  }
  if (typeof value === 'boolean') return fit(floatValue(value ? 1 : 0), 0);
  if (typeof value === 'string') return checkFloatText(value);
  return value !== null && value.kind === 'float' ? fit(value, 2) : misfit('a float', value);
}

function checkFloatText(value: string): CheckedValue {
  const text = strip(value).toLowerCase();
  if (!floatPattern.test(text) || /__|_$/.test(text)) return misfit('a float', value);
  const plain = text
    .replaceAll('_', '')
    .replace(/inf(?:inity)?$/, 'Infinity')
    .replace(/nan$/, 'NaN');
  return fit(floatValue(Number(plain)), 0);
}

const trueWords: ReadonlySet<string> = new Set(['1', 'on', 't', 'true', 'y', 'yes']);
const falseWords: ReadonlySet<string> = new Set(['0', 'off', 'f', 'false', 'n', 'no']);

function checkBoolean(value: PythonValue): CheckedValue {
  if (typeof value === 'boolean') return fit(value, 2);
  if (typeof value === 'string') {
    const word = value.toLowerCase();
    if (trueWords.has(word)) return fit(true, 0);
    return falseWords.has(word) ? fit(false, 0) : misfit('a bool', value);
  }
  const identity = identityOf(value);
  if (identity === 'number 1') return fit(true, 0);
  return identity === 'number 0' ? fit(false, 0) : misfit('a bool', value);
}

function checkLiteral(value: PythonValue, allowed: readonly PythonLiteral[]): CheckedValue {
  const identity = identityOf(value);
  const exact = allowed.find((item) => literalValue(item) === value);
  const found = exact ?? allowed.find((item) => identityOf(literalValue(item)) === identity);
  if (found === undefined) return misfit(allowed.map(representLiteral).join(' or '), value);
  return fit(literalValue(found), 2);
}

function checkMember(value: PythonValue, allowed: readonly (string | number)[]): CheckedValue {
  const identity = identityOf(value);
  const isInteger = allowed.every((item) => typeof item === 'number');
  const number = isInteger && typeof value === 'string' ? checkInteger(value) : undefined;
  const wanted = number?.isFit === true ? identityOf(number.value) : identity;
  const found = allowed.find((item) => identityOf(literalValue(item)) === wanted);
  if (found === undefined) return misfit(allowed.map(representLiteral).join(' or '), value);
  return fit(literalValue(found), 0);
}

/** A literal as a value: whole numbers are ints. */
export function literalValue(literal: PythonLiteral): PythonValue {
  if (typeof literal !== 'number') return literal;
  return Number.isInteger(literal) ? BigInt(literal) : floatValue(literal);
}

function checkUnion(value: PythonValue, members: readonly PythonType[]): CheckedValue {
  let best: CheckedValue | undefined;
  for (const member of members) {
    const checked = checkValue(value, member);
    if (!checked.isFit) continue;
    if (checked.exactness === 2) return checked;
    if (best?.isFit !== true || checked.exactness > best.exactness) best = checked;
  }
  return best ?? misfit(members.map(typeNameOf).join(' or '), value);
}

type SequenceType = Extract<PythonType, { kind: 'list' | 'set' | 'tuple' }>;

function checkItems(
  value: PythonValue,
  type: SequenceType,
  kind: SequenceValue['kind'],
  itemType: (index: number) => PythonType | undefined,
): CheckedValue {
  if (typeof value !== 'object' || value === null || value.kind === 'float' || value.kind === 'dict')
    return misfit(`a ${typeNameOf(type)}`, value);
  let exactness: Exactness = value.kind === kind ? 2 : 0;
  const items: PythonValue[] = [];
  for (const [index, item] of value.items.entries()) {
    const checked = checkValue(item, itemType(index) ?? { kind: 'any' });
    if (!checked.isFit) return { isFit: false, problem: `at item ${index}: ${checked.problem}` };
    items.push(checked.value);
    if (checked.exactness < exactness) exactness = checked.exactness;
  }
  return fit({ kind, items }, exactness);
}

function checkSet(value: PythonValue, type: PythonSetType): CheckedValue {
  const checked = checkItems(value, type, 'set', () => type.item);
  if (!checked.isFit || typeof checked.value !== 'object' || checked.value === null) return checked;
  if (checked.value.kind !== 'set') return checked;
  const items = new Map<string, PythonValue>();
  for (const item of checked.value.items) {
    const identity = identityOf(item);
    if (!items.has(identity)) items.set(identity, item);
  }
  return fit({ kind: 'set', items: [...items.values()] }, checked.exactness);
}

function checkTuple(value: PythonValue, type: PythonTupleType): CheckedValue {
  const { items, isVariadic } = type;
  const checked = checkItems(value, type, 'tuple', (index) => items?.[isVariadic ? 0 : index]);
  if (!checked.isFit || items === undefined || isVariadic) return checked;
  const length = lengthOf(checked.value);
  return length === items.length ? checked : misfit(`a ${typeNameOf(type)} of ${items.length} items`, value);
}

function lengthOf(value: PythonValue): number {
  return typeof value === 'object' && value !== null && 'items' in value ? value.items.length : 0;
}

function checkDict(value: PythonValue, type: PythonDictType): CheckedValue {
  if (typeof value !== 'object' || value === null || value.kind !== 'dict')
    return misfit(`a ${typeNameOf(type)}`, value);
  return type.entry === undefined ? fit(value, 2) : checkEntries(value, type.entry.key, type.entry.value);
}

function checkEntries(dict: DictValue, keyType: PythonType, valueType: PythonType): CheckedValue {
  const entries: (readonly [PythonValue, PythonValue])[] = [];
  let exactness: Exactness = 2;
  for (const [key, item] of dict.entries) {
    const checkedKey = checkValue(key, keyType);
    if (!checkedKey.isFit) return { isFit: false, problem: `at a key: ${checkedKey.problem}` };
    const checked = checkValue(item, valueType);
    if (!checked.isFit) return { isFit: false, problem: `at ${representPython(key)}: ${checked.problem}` };
    entries.push([checkedKey.value, checked.value]);
    exactness = Math.min(exactness, checkedKey.exactness, checked.exactness) as Exactness;
  }
  return fit(dictValue(entries), exactness);
}
