/** What of a run crosses to another realm. Language models, adapters, traces and functions stay where they are. */
import { CodedError, isJson } from '../base/index.ts';
import type { Json, JsonObject } from '../base/index.ts';
import type { SpanContext } from '../telemetry/index.ts';
import { isPlainObject } from './kind.ts';

/** Structured-cloneable and JSON. */
export interface RunWire {
  readonly span: SpanContext;
  readonly path: string;
  readonly depth: number;
  readonly isTraced: boolean;
  readonly values: JsonObject;
  /** Milliseconds left when it was sent; clocks of two realms are never compared. */
  readonly remainingMs?: number;
}

/** @throws `program/run-invalid` naming the member that is wrong */
export function parseRunWire(value: unknown): RunWire {
  const wire = isPlainObject(value) ? value : fail('run', value);
  const { span, path, depth, isTraced, values, remainingMs } = wire;
  const context = parseSpan(span);
  if (typeof path !== 'string') return fail('path', path);
  if (!isCount(depth)) return fail('depth', depth);
  if (typeof isTraced !== 'boolean') return fail('isTraced', isTraced);
  if (!isPlainObject(values) || !isJson(values)) return fail('values', values);
  if (remainingMs !== undefined && !isDuration(remainingMs)) return fail('remainingMs', remainingMs);
  return {
    span: context,
    path,
    depth,
    isTraced,
    values: values as JsonObject,
    ...(remainingMs === undefined ? {} : { remainingMs }),
  };
}

function parseSpan(span: unknown): SpanContext {
  if (!isPlainObject(span) || !isHex(span.traceId, 32) || !isHex(span.spanId, 16)) return fail('span', span);
  return { traceId: span.traceId, spanId: span.spanId };
}

function isHex(value: unknown, length: number): value is string {
  return typeof value === 'string' && value.length === length && /^[0-9a-f]+$/.test(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

function fail(member: string, value: unknown): never {
  const shown: Json = isJson(value) ? value : typeof value;
  throw new CodedError('program/run-invalid', `a run from another realm has a bad ${member}`, {
    fields: { member, value: shown },
  });
}
