/**
 * How an actor is stopped: asked, and given so many milliseconds before it is killed; killed at once; or asked and
 * waited for without end.
 */
export type Shutdown = number | 'brutal-kill' | 'infinity';

/** Every bound of the actor kernel, with its reason. */
export interface ActorLimits {
  /** Messages that may wait while an actor starts or while its calls are open; more get `actor/mailbox-full`. */
  readonly maxMailbox: number;
  /**
   * A worker that has not said hello by then has failed to start. Once one has, its code is known, and another of it is given
   * `hangTimeoutMs` and four times what the last one took, as often as workers start at once, if that is less.
   */
  readonly workerBootMs: number;
  /** An actor whose start takes longer has failed to start. */
  readonly actorStartMs: number;
  /** How long a stopping actor may take before it is dropped. OTP's default for workers. */
  readonly shutdownMs: number;
  /** How often the watchdog asks a worker for a sign of life. */
  readonly pingIntervalMs: number;
  /** A worker silent for longer is hung and is killed. */
  readonly hangTimeoutMs: number;
  /** Actors in one worker; a full pool refuses to start more. */
  readonly maxActorsPerWorker: number;
  /** Workers of their own; more get `actor/pool-full`: each is a thread with a heap. */
  readonly maxDedicatedWorkers: number;
}

export const defaultActorLimits: ActorLimits = {
  maxMailbox: 1_000,
  workerBootMs: 20_000,
  actorStartMs: 10_000,
  shutdownMs: 5_000,
  pingIntervalMs: 1_000,
  hangTimeoutMs: 5_000,
  maxActorsPerWorker: 5_000,
  maxDedicatedWorkers: 32,
};
