/** What the page and a host say to each other beside the calls of actors. */
import type { ErrorCode } from '../base/index.ts';

/** The page end of a worker's port, for lifecycle messages. */
export const pageAddress = 'page';
/** The host itself, as opposed to an actor in it. */
export const hostAddress = 'host';

export interface SpawnRequest {
  readonly actor: string;
  readonly kind: string;
  readonly args: unknown;
  readonly incarnation: number;
}

export interface StopRequest {
  readonly actor: string;
  /** Dropped at once: its `stop` does not run. */
  readonly isKill?: boolean;
}

export interface HostReady {
  /** A Web Lock that the worker holds for as long as it lives. */
  readonly lock?: string | undefined;
  readonly kinds: readonly string[];
}

export interface ActorExit {
  readonly actor: string;
  readonly reason: 'normal' | 'shutdown' | 'crashed';
  readonly error?: { readonly code: ErrorCode; readonly message: string } | undefined;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Whether a message's body is what a host says first. */
export function isHostReady(body: unknown): body is HostReady {
  if (!isRecord(body)) return false;
  const { lock, kinds } = body;
  const isLock = lock === undefined || typeof lock === 'string';
  return isLock && Array.isArray(kinds) && kinds.every((kind) => typeof kind === 'string');
}

const exitReasons: readonly unknown[] = ['normal', 'shutdown', 'crashed'];

/** Whether a message's body tells of an actor's end. */
export function isActorExit(body: unknown): body is ActorExit {
  if (!isRecord(body) || typeof body['actor'] !== 'string' || !exitReasons.includes(body['reason']))
    return false;
  const error = body['error'];
  if (error === undefined) return true;
  return isRecord(error) && typeof error['code'] === 'string' && typeof error['message'] === 'string';
}
