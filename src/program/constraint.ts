/** What a parameter's value must satisfy, and the violation that keeps a bad value out. */
import { CodedError, messageOf } from '../base/index.ts';
import type { Json, JsonObject } from '../base/index.ts';
import type { ParameterType } from './parameter-value.ts';
import { isTensorValue, previewOf, sameValue, typeMismatch } from './parameter-value.ts';

/** The kind of a scalar, or of every item of a list or map. */
export type ItemType = 'number' | 'integer' | 'finite' | 'string' | 'boolean';

/** On lists and tensors `min`, `max` and `type` hold for every item. */
export interface Constraints<T = unknown> {
  /** Smallest number allowed. */
  readonly min?: number;
  /** Largest number allowed. */
  readonly max?: number;
  readonly type?: ItemType;
  /** The values allowed; lists and maps are compared by content. */
  readonly oneOf?: readonly T[];
  /** The exact shape of a tensor or of nested lists. */
  readonly shape?: readonly number[];
  /** Answers true to accept; false or a reason to refuse. */
  custom?(value: T): boolean | string;
}

export type ConstraintName = keyof Constraints;

export interface Violation {
  readonly constraint: ConstraintName;
  /** What was expected, in words. */
  readonly expected: string;
  readonly cause?: unknown;
}

const itemChecks: Record<ItemType, (item: unknown) => boolean> = {
  number: (item) => typeof item === 'number',
  integer: (item) => Number.isInteger(item),
  finite: (item) => Number.isFinite(item),
  string: (item) => typeof item === 'string',
  boolean: (item) => typeof item === 'boolean',
};

function itemsOf(value: unknown): Iterable<unknown> {
  if (isTensorValue(value)) return value.data;
  if (Array.isArray(value)) return (value as readonly unknown[]).flat(Infinity);
  return typeof value === 'object' && value !== null ? Object.values(value) : [value];
}

function everyItem(value: unknown, accepts: (item: unknown) => boolean): boolean {
  for (const item of itemsOf(value)) if (!accepts(item)) return false;
  return true;
}

/** The shape of nested lists; undefined when they are ragged. */
function shapeOf(value: unknown): readonly number[] | undefined {
  if (isTensorValue(value)) return value.shape;
  if (!Array.isArray(value)) return [];
  const shapes = (value as readonly unknown[]).map(shapeOf);
  const first = shapes[0] ?? [];
  return shapes.every((shape) => sameValue(shape, first)) ? [value.length, ...first] : undefined;
}

type Check = (value: never, constraints: Constraints<never>) => Violation | undefined;

const numeric = (item: unknown): item is number => typeof item === 'number';

const order: readonly Check[] = [
  (value, { type }) =>
    type === undefined || everyItem(value, itemChecks[type])
      ? undefined
      : { constraint: 'type', expected: `${type} (every item of a list or map)` },
  (value, { min }) =>
    min === undefined || everyItem(value, (item) => numeric(item) && item >= min)
      ? undefined
      : { constraint: 'min', expected: `at least ${min}` },
  (value, { max }) =>
    max === undefined || everyItem(value, (item) => numeric(item) && item <= max)
      ? undefined
      : { constraint: 'max', expected: `at most ${max}` },
  (value, { oneOf }) =>
    oneOf === undefined || oneOf.some((allowed) => sameValue(allowed, value))
      ? undefined
      : { constraint: 'oneOf', expected: `one of ${JSON.stringify(oneOf.map(previewOf))}` },
  (value, { shape }) =>
    shape === undefined || sameValue(shapeOf(value), shape)
      ? undefined
      : { constraint: 'shape', expected: `shape [${shape.join(', ')}]` },
  checkCustom,
];

function checkCustom(value: never, constraints: Constraints<never>): Violation | undefined {
  if (constraints.custom === undefined) return undefined;
  try {
    const verdict = constraints.custom(value);
    if (verdict === true) return undefined;
    return {
      constraint: 'custom',
      expected: typeof verdict === 'string' ? verdict : 'a value that the custom check accepts',
    };
  } catch (cause) {
    return {
      constraint: 'custom',
      expected: `a custom check that does not throw (${messageOf(cause)})`,
      cause,
    };
  }
}

/** The first thing that is wrong with `value`, its type included; undefined when it may be stored. */
export function findViolation<T>(
  type: ParameterType,
  constraints: Constraints<T>,
  value: unknown,
): Violation | undefined {
  const expected = typeMismatch(type, value);
  if (expected !== undefined) return { constraint: 'type', expected };
  for (const check of order) {
    const violation = check(value as never, constraints as Constraints<never>);
    if (violation) return violation;
  }
  return undefined;
}

/** `program/constraint-violated` with the parameter, the constraint, the value and what was expected. */
export function violationError(parameter: string, violation: Violation, value: unknown): CodedError {
  const { constraint, expected, cause } = violation;
  const preview = previewOf(value);
  return new CodedError(
    'program/constraint-violated',
    `parameter ${parameter}: ${JSON.stringify(preview)} violates ${constraint}, expected ${expected}`,
    { fields: { parameter, constraint, value: preview, expected }, cause },
  );
}

const applicable: Record<ParameterType, readonly ConstraintName[]> = {
  number: ['min', 'max', 'type', 'oneOf', 'custom'],
  string: ['type', 'oneOf', 'custom'],
  boolean: ['type', 'oneOf', 'custom'],
  list: ['min', 'max', 'type', 'oneOf', 'shape', 'custom'],
  map: ['type', 'oneOf', 'custom'],
  tensor: ['min', 'max', 'type', 'shape', 'custom'],
  'predictor-state': ['custom'],
};

const isSize = (size: unknown): boolean => Number.isSafeInteger(size) && (size as number) >= 0;

/** What each constraint itself must be. */
const forms: Record<ConstraintName, { readonly expected: string; accepts(given: unknown): boolean }> = {
  min: { expected: 'a number', accepts: (given) => numeric(given) && !Number.isNaN(given) },
  max: { expected: 'a number', accepts: (given) => numeric(given) && !Number.isNaN(given) },
  type: {
    expected: Object.keys(itemChecks).join(', '),
    accepts: (given) => typeof given === 'string' && Object.hasOwn(itemChecks, given),
  },
  oneOf: {
    expected: 'a list of at least one value',
    accepts: (given) => Array.isArray(given) && given.length > 0,
  },
  shape: {
    expected: 'a list of sizes, integers of at least 0',
    accepts: (given) => Array.isArray(given) && given.every(isSize),
  },
  custom: { expected: 'a function', accepts: (given) => typeof given === 'function' },
};

/** @throws `program/constraint-invalid` for a constraint that makes no sense for the type. */
export function assertConstraints<T>(type: ParameterType, constraints: Constraints<T>): void {
  const allowed = applicable[type];
  for (const [name, given] of Object.entries(constraints) as [ConstraintName, unknown][]) {
    if (!allowed.includes(name)) {
      throw senseless(type, name, `a ${type} parameter takes no constraint '${name}'`);
    }
    if (given === undefined || forms[name].accepts(given)) continue;
    throw senseless(
      type,
      name,
      `${name} is ${JSON.stringify(previewOf(given))}, expected ${forms[name].expected}`,
    );
  }
  const { min = -Infinity, max = Infinity } = constraints;
  if (min > max) throw senseless(type, 'min', `min ${min} is above max ${max}`);
}

function senseless(type: ParameterType, constraint: string, problem: string): CodedError {
  const expected = [...applicable[type]];
  return new CodedError(
    'program/constraint-invalid',
    `${problem}; a ${type} parameter takes ${expected.join(', ')}`,
    { fields: { type, constraint, expected } },
  );
}

/** Constraints as data, for introspection; a custom check shows as `true`. */
export function describeConstraints<T>(constraints: Constraints<T>): JsonObject {
  const entries = Object.entries(constraints as Record<string, unknown>).filter(
    ([, value]) => value !== undefined,
  );
  return Object.fromEntries(
    entries.map(([name, value]): [string, Json] => {
      if (name === 'custom') return [name, true];
      if (Array.isArray(value)) return [name, (value as readonly unknown[]).map(previewOf)];
      return [name, previewOf(value)];
    }),
  );
}
