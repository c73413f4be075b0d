/** Reads what an interpreter says about a run. The text comes from a guest: anything unexpected is {@link MalformedValue}. */
import type { GuestError } from '../outcome.ts';
import type { GuestValue } from '../guest-value.ts';
import { costOfJson } from './json-cost.ts';
import { KeysCollide } from './key-watch.ts';
import { MalformedValue, ValueReader } from './value-reader.ts';

/** What can be seen in the text of the code. */
export type CodePermission = 'module' | 'global' | 'tool';

export type RunResult =
  | { readonly type: 'returned'; readonly value: GuestValue; readonly variables: Record<string, GuestValue> }
  | { readonly type: 'submitted'; readonly value: Record<string, GuestValue> }
  | { readonly type: 'threw'; readonly error: GuestError }
  | {
      readonly type: 'syntax-error';
      readonly message: string;
      readonly line: number | null;
      readonly column: number | null;
      readonly file?: string;
    }
  | {
      readonly type: 'denied';
      readonly permission: CodePermission;
      readonly name: string;
      readonly line: number;
      readonly column: number;
      readonly file?: string;
    }
  | { readonly type: 'exceeded'; readonly limit: 'time' | 'memory' | 'output' | 'result' }
  /** Told by the page, which reads them. */
  | { readonly type: 'exceeded'; readonly limit: 'keys' }
  /** A bound that the caller has given the guest itself. */
  | { readonly type: 'exceeded'; readonly limit: 'fuel'; readonly allowed: number };

type Unknown = Readonly<Record<string, unknown>>;

/** What a result may hold. */
export interface ResultBounds {
  readonly resultBytes: number;
  readonly valueDepth: number;
}

const text = (value: unknown): string => {
  if (typeof value !== 'string') throw new MalformedValue('a text is missing');
  return value;
};
const position = (value: unknown): number => {
  if (!Number.isSafeInteger(value)) throw new MalformedValue('a position is missing');
  return value as number;
};
const positionOrNull = (value: unknown): number | null => (value === null ? null : position(value));
const object = (value: unknown): Unknown => {
  if (typeof value !== 'object' || value === null) throw new MalformedValue('an object is missing');
  return value as Unknown;
};

/** Messages and tracebacks are bounded in the harness; this lets them through. */
const slackBytes = 100_000;

/** @param result JSON text; throws {@link MalformedValue} */
export function parseRunResult(
  result: string,
  buffers: readonly ArrayBuffer[],
  bounds: ResultBounds,
): RunResult {
  const sizeBytes = buffers.reduce((sum, buffer) => sum + buffer.byteLength, result.length);
  const maxBytes = bounds.resultBytes + slackBytes;
  // before it is read: afterwards the memory is gone
  if (sizeBytes > maxBytes || costOfJson(result, maxBytes) > maxBytes)
    return { type: 'exceeded', limit: 'result' };
  try {
    return readResult(object(parseJson(result)), new ValueReader(buffers), bounds.valueDepth + 2);
  } catch (error) {
    if (error instanceof KeysCollide) return { type: 'exceeded', limit: 'keys' };
    throw error;
  }
}

function readResult(fields: Unknown, reader: ValueReader, maxDepth: number): RunResult {
  const value = (tree: unknown): GuestValue => reader.read(tree, maxDepth);
  switch (fields['type']) {
    case 'returned':
      return {
        type: 'returned',
        value: value(fields['value']),
        variables: record(fields['variables'], value),
      };
    case 'submitted':
      return { type: 'submitted', value: record(fields['value'], value) };
    case 'threw':
      return { type: 'threw', error: guestError(object(fields['error'])) };
    case 'syntax-error':
      return {
        type: 'syntax-error',
        message: text(fields['message']),
        line: positionOrNull(fields['line']),
        column: positionOrNull(fields['column']),
        ...fileOf(fields['file']),
      };
    case 'denied':
      return {
        type: 'denied',
        permission: permissionName(fields['permission']),
        name: text(fields['name']),
        line: position(fields['line']),
        column: position(fields['column']),
        ...fileOf(fields['file']),
      };
    case 'exceeded':
      return fields['limit'] === 'fuel'
        ? { type: 'exceeded', limit: 'fuel', allowed: amount(fields['allowed']) }
        : { type: 'exceeded', limit: limitName(fields['limit']) };
    default:
      throw new MalformedValue('an unknown result');
  }
}

function amount(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new MalformedValue('an amount that is no whole number');
}

function limitName(limit: unknown): 'time' | 'memory' | 'output' | 'result' {
  if (limit === 'time' || limit === 'memory' || limit === 'output' || limit === 'result') return limit;
  throw new MalformedValue('an unknown limit');
}

function permissionName(permission: unknown): CodePermission {
  if (permission === 'module' || permission === 'global' || permission === 'tool') return permission;
  throw new MalformedValue('an unknown permission');
}

function parseJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    throw new MalformedValue('not JSON');
  }
}

function record(pairs: unknown, value: (tree: unknown) => GuestValue): Record<string, GuestValue> {
  if (!Array.isArray(pairs)) throw new MalformedValue('a list of names is missing');
  const result = Object.create(null) as Record<string, GuestValue>;
  for (const pair of pairs as unknown[]) {
    if (!Array.isArray(pair)) throw new MalformedValue('a broken entry');
    result[text(pair[0])] = value(pair[1]);
  }
  return Object.freeze(result);
}

function guestError(error: Unknown): GuestError {
  return {
    type: text(error['type']),
    message: text(error['message']),
    traceback: text(error['traceback']),
    line: positionOrNull(error['line']),
    ...fileOf(error['file']),
  };
}

/** Longest name of a module, and of a file. */
const longestFile = 1024;

function fileOf(file: unknown): { readonly file?: string } {
  if (file === undefined || file === null) return {};
  if (text(file).length > longestFile) throw new MalformedValue('a name that no file has');
  return { file: text(file) };
}
