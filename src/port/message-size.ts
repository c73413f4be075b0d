/** A bounded estimate of what a structured clone would copy, taken before it is copied. */
import { CodedError } from '../base/index.ts';
import type { PortLimits } from './limits.ts';

type Budget = { bytes: number; readonly limits: PortLimits };

const bytesPerSlot = 8;

function tooLarge(limits: PortLimits): CodedError {
  return new CodedError(
    'port/message-too-large',
    `the message is larger than ${limits.maxMessageBytes} bytes`,
    {
      fields: { allowedBytes: limits.maxMessageBytes },
    },
  );
}

function tooDeep(limits: PortLimits): CodedError {
  return new CodedError(
    'port/message-too-deep',
    `the message is nested deeper than ${limits.maxMessageDepth} levels`,
    {
      fields: { allowedDepth: limits.maxMessageDepth },
    },
  );
}

function take(budget: Budget, bytes: number): void {
  budget.bytes -= bytes;
  if (budget.bytes < 0) throw tooLarge(budget.limits);
}

function walkItems(items: Iterable<unknown>, budget: Budget, depth: number, seen: Set<object>): void {
  for (const item of items) walk(item, budget, depth, seen);
}

function walkObject(value: object, budget: Budget, depth: number, seen: Set<object>): void {
  if (seen.has(value)) return;
  if (depth > budget.limits.maxMessageDepth) throw tooDeep(budget.limits);
  seen.add(value);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return take(budget, value.byteLength);
  if (typeof Blob !== 'undefined' && value instanceof Blob) return;
  if (Array.isArray(value) || value instanceof Set) return walkItems(value, budget, depth + 1, seen);
  if (value instanceof Map) {
    for (const [key, item] of value) walkItems([key, item], budget, depth + 1, seen);
    return;
  }
  for (const key of Object.keys(value)) {
    take(budget, key.length);
    walk((value as Record<string, unknown>)[key], budget, depth + 1, seen);
  }
}

function walk(value: unknown, budget: Budget, depth: number, seen: Set<object>): void {
  take(budget, typeof value === 'string' ? value.length * 2 : bytesPerSlot);
  if (typeof value === 'object' && value !== null) walkObject(value, budget, depth, seen);
}

/** Throws `port/message-too-large` or `port/message-too-deep`; stops walking at the first excess. */
export function checkMessageSize(body: unknown, limits: PortLimits): void {
  if (typeof body !== 'object' && typeof body !== 'string') return;
  walk(body, { bytes: limits.maxMessageBytes, limits }, 0, new Set());
}
