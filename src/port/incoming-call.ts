/** A call that came over a port, while it is open. */
import type { CodedError } from '../base/index.ts';
import type { SpanContext } from '../telemetry/index.ts';
import type { Envelope } from './envelope.ts';

/** A call as its callee sees it. */
export interface IncomingCall {
  readonly to: string;
  readonly method: string;
  readonly body: unknown;
  readonly span: SpanContext | undefined;
  /** Aborts when the caller cancels, times out, or the port closes. */
  readonly signal: AbortSignal;
  /** Hears once of what aborts the signal, at once when it was aborted. It costs less than a signal. The returned function ends it. */
  onAbort(listener: (error: CodedError) => void): () => void;
  /** Reports progress to the caller; false once the call is over. */
  delta(body: unknown): boolean;
}

export class Incoming implements IncomingCall {
  readonly to: string;
  readonly method: string;
  readonly body: unknown;
  readonly span: SpanContext | undefined;
  readonly #delta: (body: unknown) => boolean;
  #controller: AbortController | undefined;
  /** Most calls have one listener. */
  #listener: ((error: CodedError) => void) | undefined;
  #others: Set<(error: CodedError) => void> | undefined;
  #abortedWith: CodedError | undefined;

  constructor(frame: Envelope & { type: 'call-start' }, delta: (body: unknown) => boolean) {
    this.to = frame.to;
    this.method = frame.method;
    this.body = frame.body;
    this.span = frame.span;
    this.#delta = delta;
  }

  // created on first use: most calls never look at their signal
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#abortedWith) this.#controller.abort(this.#abortedWith);
    return this.#controller.signal;
  }

  delta(body: unknown): boolean {
    return this.#delta(body);
  }

  onAbort(listener: (error: CodedError) => void): () => void {
    if (this.#abortedWith) listener(this.#abortedWith);
    else if (this.#listener) (this.#others ??= new Set()).add(listener);
    else this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
      else this.#others?.delete(listener);
    };
  }

  abort(error: CodedError): void {
    this.#abortedWith = error;
    this.#controller?.abort(error);
    const listeners = [this.#listener, ...(this.#others ?? [])];
    [this.#listener, this.#others] = [undefined, undefined];
    for (const listener of listeners) listener?.(error);
  }
}
