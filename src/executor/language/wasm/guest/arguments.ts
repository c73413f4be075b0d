/** Values as a module's functions take and give them. */
import type { ReadValue, WrittenValue } from '../../../guest/guest-values.ts';
import type { Signature } from './module-shape.ts';

/** The call cannot be made as it was asked for. */
export class CallFault extends Error {
  /** As the class of an exception is called. */
  readonly type: 'TypeError' | 'ReferenceError';

  constructor(type: 'TypeError' | 'ReferenceError', message: string) {
    super(message);
    this.type = type;
  }
}

const integerBits: Readonly<Record<string, bigint>> = { i32: 32n, i64: 64n };

function describe(value: ReadValue | undefined): string {
  const isShown = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
  return isShown ? String(value) : value === null ? 'null' : typeof value;
}

/** Signed or unsigned, as bits. */
function toInteger(type: string, value: ReadValue | undefined): bigint | undefined {
  const bits = integerBits[type] as bigint;
  const isWhole = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
  if (!isWhole) return undefined;
  const whole = BigInt(value as number | bigint);
  return whole >= -(1n << (bits - 1n)) && whole < 1n << bits ? whole : undefined;
}

function toArgument(name: string, type: string, value: ReadValue | undefined): unknown {
  if (type === 'f32' || type === 'f64') {
    if (typeof value === 'number' || typeof value === 'bigint') return Number(value);
  } else if (type === 'i32' || type === 'i64') {
    const whole = toInteger(type, value);
    if (whole !== undefined) return type === 'i64' ? BigInt.asIntN(64, whole) : Number(whole);
  } else if (type === 'ref' && value === null) return null;
  throw new CallFault('TypeError', `${name} expects ${type}, found ${describe(value)}`);
}

/** Throws {@link CallFault} when they are too many, too few, or of other types. */
export function toArguments(
  name: string,
  signature: Signature,
  given: readonly ReadValue[],
): readonly unknown[] {
  const { parameters } = signature;
  if (parameters.length !== given.length) {
    const types = parameters.join(', ');
    throw new CallFault(
      'TypeError',
      `${name} expects ${parameters.length} arguments (${types}), found ${given.length}`,
    );
  }
  return parameters.map((type, index) => toArgument(`argument ${index} of ${name}`, type, given[index]));
}

/** What can leave: numbers, and references to nothing. */
export function fromResult(name: string, result: unknown): WrittenValue {
  if (Array.isArray(result)) return result.map((item) => fromResult(name, item));
  if (result === undefined || result === null) return null;
  if (typeof result === 'number') return result;
  if (typeof result === 'bigint') return fromLong(result);
  throw new CallFault('TypeError', `${name}: a reference cannot leave the sandbox`);
}

/** As integers come back from every language: a number where it is safe. */
function fromLong(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
