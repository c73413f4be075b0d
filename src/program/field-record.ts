/** Named values that read like an object: what examples and predictions have in common. */
import { CodedError } from '../base/index.ts';
import type { Demo } from './adapter/adapter.ts';
import { giveBrand, hasBrand, isPlainObject } from './kind.ts';
import { programLimits } from './limits.ts';
import { sameValue } from './parameter-value.ts';

/** Values by field name. */
export type Fields = Readonly<Record<string, unknown>>;

const recordBrand: unique symbol = Symbol.for('vivarium.field-record');

/**
 * Fields are own, enumerable, read-only properties, so that spreading, JSON and structured clone give the fields and nothing else.
 * A field with the name of a method is reached by {@link get} only, as in DSPy.
 */
export class FieldRecord<F = Fields> {
  static {
    giveBrand(this.prototype, recordBrand);
  }

  readonly #fields: ReadonlyMap<string, unknown>;

  constructor(fields: F | FieldRecord<F>) {
    if (typeof fields !== 'object' || fields === null) {
      throw new CodedError('program/fields-invalid', `fields are ${typeof fields}, expected values by name`, {
        fields: { expected: 'object' },
      });
    }
    this.#fields = new Map(Object.entries(isFieldRecord(fields) ? fields.fields : fields));
    for (const [name, value] of this.#fields) {
      if (!(name in this)) Object.defineProperty(this, name, { value, enumerable: true });
    }
  }

  /** All fields as they are. */
  get fields(): F {
    return Object.fromEntries(this.#fields) as F;
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  get<Name extends keyof F & string>(name: Name): F[Name];
  get(name: string, otherwise?: unknown): unknown;
  get(name: string, otherwise?: unknown): unknown {
    return this.#fields.has(name) ? this.#fields.get(name) : otherwise;
  }

  /** Plain data: records inside, also in lists and maps, become plain objects too. */
  toObject(): Record<string, unknown> {
    return plainOf(this) as Record<string, unknown>;
  }

  /** Same fields with equal values; an example can equal a prediction. */
  equals(other: FieldRecord<unknown>): boolean {
    return sameValue(this.toObject(), other.toObject());
  }
}

/** A worked example: plain values by name, or an example or prediction. */
export type DemoLike = Demo | FieldRecord<unknown>;

/** True for examples and predictions of this or another copy of the library. */
export function isFieldRecord(value: unknown): value is FieldRecord<Fields> {
  return hasBrand(value, recordBrand);
}

const asMember = { enumerable: true, configurable: true, writable: true } as const;

/** Records become plain objects, at any depth of lists and plain objects up to 64; everything else stays. */
export function plainOf(value: unknown, depth: number = programLimits.valueDepth): unknown {
  if (depth <= 0) return value;
  if (isFieldRecord(value)) return plainOf(value.fields, depth - 1);
  if (Array.isArray(value)) return value.map((item) => plainOf(item, depth - 1));
  if (!isPlainObject(value)) return value;
  const plain: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const item = value[name];
    const held = typeof item === 'object' ? plainOf(item, depth - 1) : item;
    // this name would set the prototype
    if (name === '__proto__') Object.defineProperty(plain, name, { ...asMember, value: held });
    else plain[name] = held;
  }
  return plain;
}
