/** What an actor does. The kernel knows nothing else about it. */
import type { CodedError } from '../base/index.ts';
import type { SpanContext } from '../telemetry/index.ts';

export interface CallContext {
  /** Aborts when the caller cancels or times out, or the actor stops. */
  readonly signal: AbortSignal;
  /** Hears once of what aborts the signal. It costs less than a signal. The returned function ends it. */
  onStop(listener: (error: CodedError) => void): () => void;
  /** Keeps the place of the call in the mailbox until `work` has settled too, also when the call was answered before. */
  keepPlace(work: Promise<unknown>): void;
  readonly span: SpanContext | undefined;
  /** Reports progress to the caller. */
  delta(body: unknown): void;
}

/**
 * What an actor may do to the world it lives in. Once the actor is over, however it ended, code that it left behind is not heard:
 * its calls get `actor/peer-died`, and what it sends is dropped. The id may have another actor then.
 */
export interface ActorContext {
  readonly actor: string;
  /** Which start of its id it is, as whoever started it counts. */
  readonly incarnation: number;
  /** Calls a service on the page. */
  callPage(service: string, method: string, body: unknown, options?: PageCallOptions): Promise<unknown>;
  /** Tells a service on the page, without an answer. */
  sendPage(service: string, method: string, body: unknown): void;
  /** As `sendPage`, but of the worker as a whole: it goes also when this actor is over. */
  sendPageForWorker(service: string, method: string, body: unknown): void;
  /** Ends this actor: with an error it has crashed, without one it is done. */
  exit(error?: CodedError): void;
}

export interface PageCallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly span?: SpanContext | undefined;
  readonly onDelta?: ((body: unknown) => void) | undefined;
}

/**
 * One running actor. `call` and `receive` are mailbox turns: the synchronous part of one runs before the next begins.
 * A promise that `call` returns is a deferred reply, and the mailbox goes on meanwhile. What `call` throws fails that
 * call only; what `receive` throws crashes the actor.
 */
export interface Behaviour {
  call(method: string, body: unknown, context: CallContext): unknown;
  /** Whether calls of a method go past the bound of the mailbox. Only for turns that answer at once, and so never fill it. */
  isReserved?(method: string): boolean;
  receive?(method: string, body: unknown): void;
  /** Runs before the actor is dropped, within the shutdown time. */
  stop?(): void | Promise<void>;
  /** Runs once when the actor is over, however it ended, for what must be let go of at once. What it throws is lost. */
  release?(): void;
}

/** Starts an actor; what it throws is `actor/start-failed` for whoever spawned it. */
export type StartBehaviour = (args: unknown, context: ActorContext) => Behaviour | Promise<Behaviour>;
