/** What the files of fixtures/dspy hold, and how their cases are read: for the conformance tests and the bench. */
import type { FieldKind, FieldSpec } from './field.ts';
import { parseSignature } from './parse-signature.ts';
import type { Signature, SignatureState } from './signature.ts';

type Step =
  | { do: 'update'; name: string; changes: { desc?: string; prefix?: string; constraints?: string } }
  | {
      do: 'insert';
      position: number;
      name: string;
      kind: FieldKind;
      type?: string;
      desc?: string;
      prefix?: string;
    }
  | { do: 'delete'; name: string }
  | { do: 'append_instructions' | 'with_instructions'; text: string }
  | { do: 'load_state'; state: SignatureState }
  | { do: 'chain_of_thought' };

export interface SignatureSpec {
  signature: string;
  instructions?: string;
  steps?: Step[];
}
export interface Failure {
  type: string;
  message: string;
}
export interface SignatureCase extends SignatureSpec {
  error?: Failure;
  text: string;
  instructions_result: string;
  fields: unknown[];
  state: SignatureState;
}
export interface FormatCase extends SignatureSpec {
  name: string;
  demos: Record<string, unknown>[];
  inputs: Record<string, unknown>;
  messages?: { role: string; content: string }[];
  error?: Failure;
}
export interface ParseCase extends SignatureSpec {
  completion: string;
  values?: Record<string, unknown>;
  error?: Failure;
}

/** The signature that a case speaks of. */
export function buildSignature(spec: SignatureSpec): Signature {
  return (spec.steps ?? []).reduce(apply, parseSignature(spec.signature, spec.instructions) as Signature);
}

function apply(signature: Signature, step: Step): Signature {
  switch (step.do) {
    case 'update': {
      const { desc, ...rest } = step.changes;
      return signature.withUpdatedFields(step.name, {
        ...rest,
        ...(desc === undefined ? {} : { description: desc }),
      });
    }
    case 'insert': {
      const spec: FieldSpec = {
        kind: step.kind,
        ...(step.type === undefined ? {} : { type: step.type }),
        ...(step.desc === undefined ? {} : { description: step.desc }),
        ...(step.prefix === undefined ? {} : { prefix: step.prefix }),
      };
      return signature.insert(step.position, step.name, spec) as Signature;
    }
    case 'delete':
      return signature.delete(step.name);
    case 'append_instructions':
      return signature.appendInstructions(step.text);
    case 'with_instructions':
      return signature.withInstructions(step.text);
    case 'load_state':
      return signature.loadState(step.state);
    case 'chain_of_thought':
      return signature.prepend('reasoning', { kind: 'output', description: '${reasoning}' });
  }
}

/** Tagged values as a caller of ours would give them. */
function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== 'object' || value === null) return value;
  if ('$int' in value) return BigInt(value.$int as string);
  if ('$float' in value) return value;
  if ('$set' in value) return new Set((value.$set as unknown[]).map(decode));
  if ('$tuple' in value) return (value.$tuple as unknown[]).map(decode);
  if ('$dict' in value)
    return new Map((value.$dict as [unknown, unknown][]).map(([key, item]) => [decode(key), decode(item)]));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
}

/** The fields of a demo or of the inputs, decoded. */
export function toRecord(fields: unknown): Record<string, unknown> {
  return decode(fields) as Record<string, unknown>;
}

/** Tagged values as `parse` gives them back: arrays for sets and tuples, numbers for floats. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  if ('$int' in value) {
    const whole = BigInt(value.$int as string);
    return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole;
  }
  if ('$float' in value)
    return Number((value.$float as string).replace('inf', 'Infinity').replace('nan', 'NaN'));
  if ('$set' in value) return plain(value.$set);
  if ('$tuple' in value) return plain(value.$tuple);
  if ('$dict' in value)
    return Object.fromEntries(
      (value.$dict as [unknown, unknown][]).map(([key, item]) => [String(plain(key)), plain(item)]),
    );
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
