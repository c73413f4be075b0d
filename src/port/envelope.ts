/** The wire: every message between two realms, in one union that both sides import. See docs/protocol.md. */
import type { SpanContext } from '../telemetry/index.ts';
import { isWireError } from './wire-error.ts';
import type { WireError } from './wire-error.ts';

/** Marks a message as ours; anything without it on a shared endpoint is left alone. */
export const protocolVersion = 1 as const;

/** Frames in one message at most: enough to make a message cheap, few enough that the other realm begins while this one goes on. */
export const maxBatchFrames = 32 as const;

interface Framed {
  readonly vivarium: typeof protocolVersion;
}

export type Envelope = Framed &
  (
    | {
        readonly type: 'call-start';
        readonly id: number;
        readonly to: string;
        readonly method: string;
        readonly body: unknown;
        readonly span?: SpanContext;
      }
    | { readonly type: 'call-delta'; readonly id: number; readonly body: unknown }
    | { readonly type: 'call-end'; readonly id: number; readonly body: unknown }
    | { readonly type: 'call-fail'; readonly id: number; readonly error: WireError }
    | { readonly type: 'call-cancel'; readonly id: number }
    | { readonly type: 'message-send'; readonly to: string; readonly method: string; readonly body: unknown }
    | { readonly type: 'ping-start'; readonly id: number }
    | { readonly type: 'ping-end'; readonly id: number }
  );

export type Parsed =
  | { readonly kind: 'envelope'; readonly envelope: Envelope }
  /** Frames that were sent together. Each is still to be parsed. */
  | { readonly kind: 'batch'; readonly frames: readonly unknown[] }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'malformed'; readonly reason: string };

const foreign: Parsed = { kind: 'foreign' };
const malformed = (reason: string): Parsed => ({ kind: 'malformed', reason });

function isAddressed(frame: Record<string, unknown>): boolean {
  return typeof frame['to'] === 'string' && typeof frame['method'] === 'string';
}

function isWellFormed(frame: Record<string, unknown>): boolean {
  switch (frame['type']) {
    case 'call-start':
      return Number.isSafeInteger(frame['id']) && isAddressed(frame);
    case 'message-send':
      return isAddressed(frame);
    case 'call-fail':
      return Number.isSafeInteger(frame['id']) && isWireError(frame['error']);
    case 'call-delta':
    case 'call-end':
    case 'call-cancel':
    case 'ping-start':
    case 'ping-end':
      return Number.isSafeInteger(frame['id']);
    default:
      return false;
  }
}

function isBatch(frames: unknown): frames is readonly unknown[] {
  return Array.isArray(frames) && frames.length > 0 && frames.length <= maxBatchFrames;
}

/** Tells our frames from foreign messages, and well-formed frames from garbage. Never throws. */
export function parseEnvelope(message: unknown): Parsed {
  if (typeof message !== 'object' || message === null || !('vivarium' in message)) return foreign;
  const frame = message as Record<string, unknown>;
  if (frame['vivarium'] !== protocolVersion)
    return malformed(`protocol version ${String(frame['vivarium'])}`);
  if (frame['type'] === 'batch-send') {
    const { frames } = frame;
    return isBatch(frames) ? { kind: 'batch', frames } : malformed('a batch that is none, or too long');
  }
  if (!isWellFormed(frame)) return malformed(`frame of type ${String(frame['type'])}`);
  return { kind: 'envelope', envelope: frame as unknown as Envelope };
}
