/** Errors as they cross a port: data only, revived as coded errors on the other side. */
import { CodedError, isCodedError, isJson, messageOf } from '../base/index.ts';
import type { ErrorCode, Json } from '../base/index.ts';

export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fields: Readonly<Record<string, Json>>;
  readonly isRetryable: boolean;
  readonly cause?: { readonly name: string; readonly message: string; readonly stack?: string };
}

const maxTextLength = 16_384;
const clip = (text: string): string =>
  text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text;

function causeToWire(cause: unknown): Pick<WireError, 'cause'> {
  if (cause === undefined) return {};
  const name = cause instanceof Error ? cause.name : typeof cause;
  const stack = cause instanceof Error && cause.stack ? { stack: clip(cause.stack) } : {};
  return { cause: { name, message: clip(messageOf(cause)), ...stack } };
}

/** Anything thrown, as data. What is not a coded error gets `code` and travels as the cause. */
export function toWireError(thrown: unknown, code: ErrorCode): WireError {
  if (!isCodedError(thrown)) {
    return { code, message: clip(messageOf(thrown)), fields: {}, isRetryable: false, ...causeToWire(thrown) };
  }
  return {
    code: thrown.code,
    message: clip(thrown.message),
    fields: isJson(thrown.fields) ? thrown.fields : {},
    isRetryable: thrown.isRetryable,
    ...causeToWire(thrown.cause),
  };
}

export function fromWireError(wire: WireError): CodedError {
  const cause = wire.cause
    ? Object.assign(new Error(wire.cause.message), { name: wire.cause.name })
    : undefined;
  if (cause && wire.cause?.stack) cause.stack = wire.cause.stack;
  return new CodedError(wire.code, wire.message, {
    fields: wire.fields,
    isRetryable: wire.isRetryable,
    ...(cause ? { cause } : {}),
  });
}

export function isWireError(value: unknown): value is WireError {
  if (typeof value !== 'object' || value === null) return false;
  const error = value as Partial<WireError>;
  return (
    typeof error.code === 'string' &&
    typeof error.message === 'string' &&
    typeof error.isRetryable === 'boolean' &&
    isJson(error.fields)
  );
}
