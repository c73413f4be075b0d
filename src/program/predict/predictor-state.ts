/** What a predictor has learned, as data. */
import { CodedError, isJson } from '../../base/index.ts';
import type { JsonObject } from '../../base/index.ts';
import type { LmConfig } from '../../lm/index.ts';
import type { Demo } from '../adapter/adapter.ts';
import { isPlainObject } from '../kind.ts';
import type { Signature, SignatureState } from '../signature.ts';

export interface PredictorState {
  readonly traces: readonly unknown[];
  readonly train: readonly unknown[];
  readonly demos: readonly Demo[];
  readonly signature: SignatureState;
  /** How a saved program described its language model; kept so that it is written again, never used to make one. */
  readonly lm: JsonObject | null;
  /** Absent in DSPy's files. */
  readonly config?: LmConfig;
}

/** @throws `program/state-invalid` naming the key and what was expected */
export function parsePredictorState(value: unknown, signature: Signature): PredictorState {
  const state = isPlainObject(value) ? value : fail('state', 'a plain object');
  if ('extended_signature' in state) return fail('extended_signature', 'a file of DSPy 2.5 or later');
  const { traces, train, demos, signature: texts, lm = null, config } = state;
  if (!Array.isArray(traces)) return fail('traces', 'a list');
  if (!Array.isArray(train)) return fail('train', 'a list');
  if (!isDemos(demos)) return fail('demos', 'a list of plain objects');
  if (!isSignatureState(texts))
    return fail('signature', 'instructions and fields with prefix and description');
  if (texts.fields.length !== signature.fields.length) {
    return fail('signature.fields', `${signature.fields.length} fields, as the program has`);
  }
  if (!isLmState(lm)) return fail('lm', 'null or a plain object');
  const rest = config === undefined ? {} : { config: parseConfig(config) };
  return { traces, train, demos, signature: texts, lm, ...rest };
}

function parseConfig(config: unknown): LmConfig {
  return isPlainObject(config) ? config : fail('config', 'a plain object');
}

function isLmState(value: unknown): value is JsonObject | null {
  return value === null || (isPlainObject(value) && isJson(value));
}

function isDemos(value: unknown): value is readonly Demo[] {
  return Array.isArray(value) && value.every(isPlainObject);
}

function isSignatureState(value: unknown): value is SignatureState {
  if (!isPlainObject(value) || typeof value.instructions !== 'string' || !Array.isArray(value.fields))
    return false;
  const fields: readonly unknown[] = value.fields;
  return fields.every(
    (field) =>
      isPlainObject(field) && typeof field.prefix === 'string' && typeof field.description === 'string',
  );
}

function fail(key: string, expected: string): never {
  throw new CodedError('program/state-invalid', `${key}: expected ${expected}`, {
    fields: { key, expected },
  });
}
