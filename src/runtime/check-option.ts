/** Refuses options that are not what they must be, by name, before anything is done with them. */
import { CodedError } from '../base/index.ts';
import type { Json } from '../base/index.ts';
import { defaultRuntimeLimits } from './limits.ts';
import type { RuntimeLimits } from './limits.ts';

const levels: readonly unknown[] = ['memory', 'relaxed', 'strict'];

/** What a refused value looks like in an error: short, and never hostile. */
export function shownValue(value: unknown): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') {
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  }
  if (typeof value === 'string') return value.slice(0, 200);
  return Array.isArray(value) ? `an array of ${value.length}` : `a value of type ${typeof value}`;
}

/** `runtime/option-invalid` for one option. @param expected what it must be, in words that follow "must be" */
export function optionInvalid(field: string, value: unknown, expected: string): CodedError {
  const shown = shownValue(value);
  return new CodedError(
    'runtime/option-invalid',
    `${field} is ${JSON.stringify(shown).slice(0, 60)}, but must be ${expected}`,
    { fields: { field, value: shown, expected } },
  );
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws `runtime/option-invalid` */
export function checkObject(field: string, value: unknown): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value;
  throw optionInvalid(field, value, 'an object');
}

function checkTyped(field: string, value: unknown, type: 'string' | 'boolean' | 'function'): void {
  if (value === undefined || typeof value === type) return;
  throw optionInvalid(
    field,
    value,
    type === 'string' ? 'text' : type === 'boolean' ? 'true or false' : 'a function',
  );
}

/** A signal of another realm is one too. */
const isSignal = (value: unknown): boolean =>
  isObject(value) && typeof value['aborted'] === 'boolean' && typeof value['addEventListener'] === 'function';

/** The bounds of anything that is waited for: `timeoutMs`, without end as Infinity, and `signal`. @throws `runtime/option-invalid` */
export function checkReach(given: unknown): Readonly<Record<string, unknown>> {
  const options = checkObject('options', given);
  const { timeoutMs, signal } = options;
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0))
    throw optionInvalid('timeoutMs', timeoutMs, 'milliseconds of at least 0, or Infinity');
  if (signal !== undefined && !isSignal(signal)) throw optionInvalid('signal', signal, 'an AbortSignal');
  return options;
}

/** What a call of `forward` is given; undefined when it is right. */
export function refusedCall(given: unknown): CodedError | undefined {
  try {
    const { onDelta, isIdempotent, values, span } = checkReach(given);
    checkTyped('onDelta', onDelta, 'function');
    checkTyped('isIdempotent', isIdempotent, 'boolean');
    if (values !== undefined) checkObject('values', values);
    if (span !== undefined) checkObject('span', span);
    return undefined;
  } catch (error) {
    return error as CodedError;
  }
}

/** What an acknowledgement means. @throws `runtime/option-invalid` */
export function checkLevel(level: unknown): void {
  if (level === undefined || levels.includes(level)) return;
  throw optionInvalid('level', level, `one of ${levels.join(', ')}`);
}

/** What a change of parameters is given. @throws `runtime/option-invalid` */
export function checkChange(given: unknown): void {
  const { level, cause } = checkReach(given);
  checkLevel(level);
  checkTyped('cause', cause, 'string');
}

/** What a compilation is asked for, but for its training set. @throws `runtime/option-invalid` */
export function checkCompile(given: unknown): void {
  const { optimizer, metric, options, onProgress } = checkReach(checkObject('request', given));
  if (typeof optimizer !== 'string') throw optionInvalid('optimizer', optimizer, 'the name of an optimizer');
  checkTyped('metric', metric, 'string');
  checkTyped('onProgress', onProgress, 'function');
  if (options !== undefined) checkObject('options', options);
}

/** Without these nothing would ever be done. */
const atLeastOne: ReadonlySet<string> = new Set<keyof RuntimeLimits>([
  'callTimeoutMs',
  'importTimeoutMs',
  'maxAttempts',
  'maxRegisteredModules',
  'compileTimeoutMs',
]);

/** The limits of a runtime, with defaults for those that are not given. @throws `runtime/option-invalid` */
export function toRuntimeLimits(given: unknown): RuntimeLimits {
  const limits = { ...defaultRuntimeLimits, ...(given === undefined ? {} : checkObject('limits', given)) };
  for (const [name, value] of Object.entries<unknown>(limits)) {
    const least = atLeastOne.has(name) ? 1 : 0;
    if (!(typeof value === 'number' && value >= least))
      throw optionInvalid(`limits.${name}`, value, `a number of at least ${least}`);
  }
  return limits;
}
