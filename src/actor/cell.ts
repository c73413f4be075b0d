/** One actor in its worker: a bounded mailbox in front of a behaviour. */
import { CodedError, toCodedError } from '../base/index.ts';
import type { IncomingCall, IncomingMessage } from '../port/index.ts';
import type { SpanContext } from '../telemetry/index.ts';
import type { Behaviour, CallContext } from './behaviour.ts';
import type { ActorLimits } from './limits.ts';

export type ExitReason = 'normal' | 'shutdown' | 'crashed';

type Reject = (error: CodedError) => void;

/** What one call takes of the mailbox, until nothing of it runs any more. */
interface Place {
  /** What of it has not settled. */
  works: number;
  reject: Reject | undefined;
}

/** What a behaviour gets of one call. A class, since most turns look at nothing of it. */
class Turn implements CallContext {
  readonly #cell: Cell;
  readonly #call: IncomingCall;
  readonly #place: Place;

  constructor(cell: Cell, call: IncomingCall, place: Place) {
    this.#cell = cell;
    this.#call = call;
    this.#place = place;
  }

  // it costs an AbortController
  get signal(): AbortSignal {
    return AbortSignal.any([this.#call.signal, this.#cell.gone]);
  }

  get span(): SpanContext | undefined {
    return this.#call.span;
  }

  onStop(listener: Reject): () => void {
    return this.#cell.onStop(this.#call, listener);
  }

  keepPlace(work: Promise<unknown>): void {
    this.#cell.keep(this.#place, work);
  }

  delta(body: unknown): void {
    this.#call.delta(body);
  }
}

export class Cell {
  readonly id: string;
  readonly #limits: ActorLimits;
  readonly #onExit: (reason: ExitReason, error?: CodedError) => void;
  readonly #open = new Set<Place>();
  readonly #gone = new AbortController();
  readonly #leaving = new Set<Reject>();
  #behaviour: Behaviour | undefined;
  #stopping: Promise<void> | undefined;
  #isOver = false;

  constructor(id: string, limits: ActorLimits, onExit: (reason: ExitReason, error?: CodedError) => void) {
    this.id = id;
    this.#limits = limits;
    this.#onExit = onExit;
  }

  /** Calls of which something still runs. */
  get mailboxLength(): number {
    return this.#open.size;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether it took calls at some time. What ends before has failed to start, and its spawn says so. */
  get hasBegun(): boolean {
    return this.#behaviour !== undefined;
  }

  begin(behaviour: Behaviour): void {
    this.#behaviour = behaviour;
  }

  /** One turn. Synchronous replies stay synchronous, so that a read costs no microtask. */
  call(call: IncomingCall): unknown {
    const behaviour = this.#behaviour;
    if (!behaviour || this.#isOver) throw this.died();
    const isFull = this.#open.size >= this.#limits.maxMailbox;
    if (isFull && !behaviour.isReserved?.(call.method)) throw this.#full();
    const place: Place = { works: 0, reject: undefined };
    const value = behaviour.call(call.method, call.body, new Turn(this, call, place));
    return value instanceof Promise ? this.#defer(value, place) : value;
  }

  receive(message: IncomingMessage): void {
    try {
      this.#behaviour?.receive?.(message.method, message.body);
    } catch (error) {
      this.exit('crashed', toCodedError(error, 'actor/crashed'));
    }
  }

  /** Lets the behaviour finish, then ends what is still open with `actor/peer-died`. A kill meanwhile ends the wait. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    if (this.#isOver) return;
    const { signal } = this.#gone;
    const gone = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    try {
      await Promise.race([this.#behaviour?.stop?.(), gone]);
      this.exit('shutdown');
    } catch (error) {
      this.exit('crashed', toCodedError(error, 'actor/crashed'));
    }
  }

  exit(reason: ExitReason, error?: CodedError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const died = this.died(error);
    for (const { reject } of this.#open) reject?.(died);
    this.#open.clear();
    this.#gone.abort(died);
    for (const listener of this.#leaving) listener(died);
    this.#leaving.clear();
    this.#release();
    this.#onExit(reason, error);
  }

  #release(): void {
    try {
      this.#behaviour?.release?.();
    } catch {
      // it is over: nobody could answer for it
    }
  }

  /** Aborts when the actor is over. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Hears of what ends a call. */
  onStop(call: IncomingCall, listener: Reject): () => void {
    const leave = call.onAbort(listener);
    this.#leaving.add(listener);
    return () => {
      leave();
      this.#leaving.delete(listener);
    };
  }

  #defer(value: Promise<unknown>, place: Place): Promise<unknown> {
    return new Promise((resolve, reject) => {
      place.reject = reject;
      const end = this.#hold(place);
      value.then(
        (settled) => {
          resolve(settled);
          end();
        },
        (error: unknown) => {
          reject(error as Error);
          end();
        },
      );
    });
  }

  // a cancelled call keeps its place until its work really ends: it still costs what the bound guards
  keep(place: Place, work: Promise<unknown>): void {
    const end = this.#hold(place);
    work.then(end, end);
  }

  #hold(place: Place): () => void {
    if (this.#isOver) return () => undefined;
    place.works++;
    this.#open.add(place);
    return () => {
      if (--place.works === 0) this.#open.delete(place);
    };
  }

  /** What is said of it, and to it, when it is over. */
  died(cause?: CodedError): CodedError {
    return new CodedError('actor/peer-died', `actor "${this.id}" is gone`, {
      fields: { actor: this.id },
      isRetryable: true,
      ...(cause ? { cause } : {}),
    });
  }

  #full(): CodedError {
    const allowed = this.#limits.maxMailbox;
    return new CodedError('actor/mailbox-full', `actor "${this.id}" already has ${allowed} open calls`, {
      fields: { actor: this.id, allowed },
      isRetryable: true,
    });
  }
}
