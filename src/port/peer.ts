/** Calls in both directions over one port. Every call ends: value, error, timeout, cancelled, or peer died. */
import { CodedError, toCodedError } from '../base/index.ts';
import { cancellation, DeadlineQueue, systemClock } from '../platform/index.ts';
import type { Clock, DeadlineOptions } from '../platform/index.ts';
import type { SpanContext } from '../telemetry/index.ts';
import { parseEnvelope, protocolVersion } from './envelope.ts';
import type { Envelope } from './envelope.ts';
import { Incoming } from './incoming-call.ts';
import type { IncomingCall } from './incoming-call.ts';
import { defaultPortLimits } from './limits.ts';
import type { PortLimits } from './limits.ts';
import { checkMessageSize } from './message-size.ts';
import { Outbox } from './outbox.ts';
import type { Port } from './port.ts';
import { copySmall } from './small-copy.ts';
import type { SmallCopy } from './small-copy.ts';
import { fromWireError, toWireError } from './wire-error.ts';

export interface CallOptions extends DeadlineOptions {
  readonly span?: SpanContext | undefined;
  /** Receives what the callee reports before it ends. */
  readonly onDelta?: ((body: unknown) => void) | undefined;
  readonly transfer?: readonly Transferable[] | undefined;
}

export interface IncomingMessage {
  readonly to: string;
  readonly method: string;
  readonly body: unknown;
}

export interface PeerOptions {
  /** Answers calls. What it returns is the value; what it throws is the error. */
  readonly onCall?: (call: IncomingCall) => unknown;
  readonly onMessage?: (message: IncomingMessage) => void;
  /** A malformed frame arrived; after `maxViolations` the peer closes itself with `port/protocol-violation`. */
  readonly onViolation?: (reason: string) => void;
  readonly clock?: Clock;
  readonly limits?: PortLimits;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: CodedError) => void;
  readonly timeoutMs: number;
  readonly onDelta: ((body: unknown) => void) | undefined;
  readonly end: (() => void) | undefined;
}

export class Peer {
  readonly #port: Port;
  readonly #options: PeerOptions;
  readonly #limits: PortLimits;
  readonly #outbox: Outbox;
  readonly #deadlines: DeadlineQueue;
  readonly #pending = new Map<number, Pending>();
  readonly #incoming = new Map<number, Incoming>();
  readonly #pings = new Map<number, () => void>();
  #isInBatch = false;
  #nextId = 1;
  #violations = 0;
  #closedWith: CodedError | undefined;

  constructor(port: Port, options: PeerOptions = {}) {
    this.#port = port;
    this.#options = options;
    this.#limits = options.limits ?? defaultPortLimits;
    this.#deadlines = new DeadlineQueue(options.clock ?? systemClock, (id) => this.#timeOut(id));
    this.#outbox = new Outbox(port, (frame, error) => this.#onRefused(frame, error));
    port.listen((message) => this.#receive(message));
  }

  get pendingCalls(): number {
    return this.#pending.size;
  }

  get isClosed(): boolean {
    return this.#closedWith !== undefined;
  }

  /**
   * Calls `method` of `to` in the other realm.
   * Rejects with the callee's error, `port/timeout`, `port/cancelled`, `port/too-many-calls`, `port/not-cloneable`,
   * `port/message-too-large`, or the error that the peer was closed with.
   */
  call(to: string, method: string, body: unknown, options: CallOptions = {}): Promise<unknown> {
    const refused = this.#refusal(options.signal);
    if (refused) return Promise.reject(refused);
    const { transfer } = options;
    let small: SmallCopy | undefined;
    try {
      small = this.#take(body, transfer);
    } catch (error) {
      return Promise.reject(toCodedError(error, 'port/not-cloneable'));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      // whoever waits for nothing else is served at once
      const isFirst = this.#pending.size === 0;
      const follow = (): void => void this.#pending.set(id, this.#track(id, options, { resolve, reject }));
      const span = options.span ? { span: options.span } : {};
      const sent = small ? small.value : body;
      const frame = {
        vivarium: protocolVersion,
        type: 'call-start',
        id,
        to,
        method,
        body: sent,
        ...span,
      } as const;
      if (small && !isFirst) {
        follow();
        return this.#outbox.add(frame, small.sizeBytes);
      }
      try {
        this.#post(frame, transfer);
      } catch (error) {
        return reject(error as CodedError);
      }
      // the other realm works already
      follow();
    });
  }

  /** Sends without an answer. Throws what `call` would reject with. */
  send(to: string, method: string, body: unknown, transfer?: readonly Transferable[]): void {
    if (this.#closedWith) return;
    checkMessageSize(body, this.#limits);
    this.#post({ vivarium: protocolVersion, type: 'message-send', to, method, body }, transfer);
  }

  /** `onAnswer` runs when the other realm's event loop has turned. The returned function forgets the ping. */
  ping(onAnswer: () => void): () => void {
    if (this.#closedWith) return () => undefined;
    const id = this.#nextId++;
    this.#pings.set(id, onAnswer);
    this.#post({ vivarium: protocolVersion, type: 'ping-start', id });
    return () => this.#pings.delete(id);
  }

  /** Ends every open call with `error`, in both directions. */
  close(error: CodedError): void {
    if (this.#closedWith) return;
    this.#outbox.flush();
    this.#closedWith = error;
    for (const id of this.#pending.keys()) this.#settle(id)?.reject(error);
    for (const call of this.#incoming.values()) call.abort(error);
    this.#incoming.clear();
    this.#pings.clear();
    this.#deadlines.close();
    this.#port.close();
  }

  #refusal(signal: AbortSignal | undefined): CodedError | undefined {
    if (this.#closedWith) return this.#closedWith;
    if (signal?.aborted) return cancellation(signal);
    return this.#pending.size >= this.#limits.maxPendingCalls ? this.#tooManyCalls() : undefined;
  }

  /** A copy of what may wait for company. Undefined for what goes at once, as it is. @throws what is wrong with its size */
  #take(body: unknown, transfer?: readonly Transferable[]): SmallCopy | undefined {
    // what is transferred must not be copied
    const small = transfer && transfer.length > 0 ? undefined : copySmall(body, this.#limits);
    if (!small) checkMessageSize(body, this.#limits);
    return small;
  }

  /** What waited and was not taken fails its call. */
  #onRefused(frame: Envelope, error: unknown): void {
    if (frame.type === 'call-start')
      this.#settle(frame.id)?.reject(toCodedError(error, 'port/not-cloneable'));
    else if (frame.type === 'call-end') this.#postFailure(frame.id, error);
  }

  #tooManyCalls(): CodedError {
    const allowed = this.#limits.maxPendingCalls;
    return new CodedError('port/too-many-calls', `${allowed} calls already wait for an answer on this port`, {
      fields: { allowed },
      isRetryable: true,
    });
  }

  #track(id: number, options: CallOptions, settle: Pick<Pending, 'resolve' | 'reject'>): Pending {
    const { signal, onDelta, timeoutMs = this.#limits.callTimeoutMs } = options;
    this.#deadlines.add(id, timeoutMs);
    if (!signal) return { ...settle, timeoutMs, onDelta, end: undefined };
    const onAbort = (): void => this.#giveUp(id, cancellation(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    return { ...settle, timeoutMs, onDelta, end: () => signal.removeEventListener('abort', onAbort) };
  }

  #giveUp(id: number, error: CodedError): void {
    this.#settle(id)?.reject(error);
    this.#post({ vivarium: protocolVersion, type: 'call-cancel', id });
  }

  #timeOut(id: number): void {
    const timeoutMs = this.#pending.get(id)?.timeoutMs ?? 0;
    const fields = { timeoutMs };
    this.#giveUp(
      id,
      new CodedError('port/timeout', `no answer within ${timeoutMs} ms`, { fields, isRetryable: true }),
    );
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (!pending) return undefined;
    this.#pending.delete(id);
    this.#deadlines.remove(id);
    pending.end?.();
    return pending;
  }

  #post(envelope: Envelope, transfer?: readonly Transferable[]): void {
    if (!this.#closedWith) this.#outbox.post(envelope, transfer);
  }

  #receive(message: unknown): void {
    if (message === undefined) return this.violate('a message that could not be read');
    const parsed = parseEnvelope(message);
    if (parsed.kind === 'envelope') this.#dispatch(parsed.envelope);
    else if (parsed.kind === 'batch') this.#receiveAll(parsed.frames);
    else if (parsed.kind === 'malformed') this.violate(parsed.reason);
  }

  /** As if each frame had come alone: what one of them breaks is not the others' business. */
  #receiveAll(frames: readonly unknown[]): void {
    this.#isInBatch = true;
    for (const frame of frames) {
      try {
        this.#receiveOne(frame);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    this.#isInBatch = false;
  }

  #receiveOne(frame: unknown): void {
    if (this.#closedWith) return;
    const parsed = parseEnvelope(frame);
    if (parsed.kind === 'envelope') this.#dispatch(parsed.envelope);
    else this.violate(parsed.kind === 'malformed' ? parsed.reason : `a ${parsed.kind} message in a batch`);
  }

  /** Counts something malformed that only a reader of bodies could see. Too many close the peer. */
  violate(reason: string): void {
    if (this.#closedWith) return;
    this.#violations++;
    this.#options.onViolation?.(reason);
    if (this.#violations < this.#limits.maxViolations) return;
    this.close(
      new CodedError('port/protocol-violation', `closed after ${this.#violations} malformed frames`, {
        fields: { reason },
      }),
    );
  }

  /** An answer to what was never asked; one that comes late is none. */
  #isOutOfOrder({ type, ...frame }: Envelope): boolean {
    const answers =
      type === 'call-delta' || type === 'call-end' || type === 'call-fail' || type === 'ping-end';
    return answers && 'id' in frame && (frame.id >= this.#nextId || frame.id < 1);
  }

  #dispatch(envelope: Envelope): void {
    if (this.#isOutOfOrder(envelope)) return this.violate(`${envelope.type} for what was never asked`);
    switch (envelope.type) {
      case 'call-start':
        return this.#answer(envelope);
      case 'call-delta':
        return this.#onDelta(envelope);
      case 'call-end':
        return this.#settle(envelope.id)?.resolve(envelope.body);
      case 'call-fail':
        return this.#settle(envelope.id)?.reject(fromWireError(envelope.error));
      case 'call-cancel':
        return this.#incoming
          .get(envelope.id)
          ?.abort(new CodedError('port/cancelled', 'the caller no longer waits'));
      case 'message-send':
        return this.#options.onMessage?.(envelope);
      case 'ping-start':
        return this.#post({ vivarium: protocolVersion, type: 'ping-end', id: envelope.id });
      case 'ping-end': {
        const onAnswer = this.#pings.get(envelope.id);
        this.#pings.delete(envelope.id);
        return onAnswer?.();
      }
    }
  }

  /** A caller whose own listener throws gets that error as the end of its call. */
  #onDelta({ id, body }: Envelope & { type: 'call-delta' }): void {
    try {
      this.#pending.get(id)?.onDelta?.(body);
    } catch (error) {
      this.#giveUp(id, toCodedError(error, 'port/listener-threw'));
    }
  }

  #answer(frame: Envelope & { type: 'call-start' }): void {
    const { id } = frame;
    if (this.#incoming.has(id)) return this.violate(`call id ${id} used twice`);
    if (this.#incoming.size >= this.#limits.maxPendingCalls) {
      const error = toWireError(this.#tooManyCalls(), 'port/too-many-calls');
      return this.#post({ vivarium: protocolVersion, type: 'call-fail', id, error });
    }
    const call = new Incoming(frame, (body) => this.#delta(id, body));
    this.#incoming.set(id, call);
    let value: unknown;
    try {
      value = this.#options.onCall
        ? this.#options.onCall(call)
        : Promise.reject(
            new CodedError('port/nobody-serves', `this realm answers no calls`, { fields: { to: frame.to } }),
          );
    } catch (error) {
      return this.#fail(id, error);
    }
    if (!(value instanceof Promise)) return this.#end(id, value, !this.#isInBatch);
    value.then(
      (settled: unknown) => this.#end(id, settled),
      (error: unknown) => this.#fail(id, error),
    );
  }

  #delta(id: number, body: unknown): boolean {
    if (!this.#incoming.has(id)) return false;
    this.#post({ vivarium: protocolVersion, type: 'call-delta', id, body });
    return true;
  }

  /** @param isAlone nothing else can be answered in this turn before it ends */
  #end(id: number, body: unknown, isAlone: boolean = false): void {
    if (!this.#incoming.has(id)) return;
    try {
      const small = this.#take(body);
      const frame = {
        vivarium: protocolVersion,
        type: 'call-end',
        id,
        body: small ? small.value : body,
      } as const;
      if (small && !isAlone) this.#outbox.add(frame, small.sizeBytes);
      else this.#post(frame);
      this.#incoming.delete(id);
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #fail(id: number, error: unknown): void {
    if (this.#incoming.delete(id)) this.#postFailure(id, error);
  }

  #postFailure(id: number, error: unknown): void {
    const wireError = toWireError(error, 'port/callee-threw');
    this.#post({ vivarium: protocolVersion, type: 'call-fail', id, error: wireError });
  }
}
