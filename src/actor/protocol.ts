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
