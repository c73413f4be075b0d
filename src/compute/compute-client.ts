/**
 * The only place that speaks comlink. Comlink's own calls hang when the worker is gone; here each one ends: with its
 * answer, its typed error, `port/timeout`, `port/cancelled`, `compute/worker-died` or `compute/closed`.
 * The worker does one call at a time, so a call that must stop stops by ending the worker; the next starts another.
 */
import { proxy, transfer, wrap } from 'comlink';
import { CodedError } from '../base/index.ts';
import {
  cancellation,
  lockFreed,
  randomHex,
  spawnWorker,
  systemRandom,
  withDeadline,
} from '../platform/index.ts';
import type { Clock, CreateWorker } from '../platform/index.ts';
import { fromWireError } from '../port/index.ts';
import type { Hub } from '../telemetry/index.ts';
import { CallQueue } from './call-queue.ts';
import type { QueueLimits } from './call-queue.ts';
import type { ComputeService, Reply } from './compute-service.ts';
import { callTimeoutMs, startTimeoutMs } from './limits.ts';
import type { AnalysisProgress } from './linalg/matrix-analysis.ts';
import type { Answers, RequestOf, RequestType, WorkerSettings } from './request.ts';

export interface CallOptions {
  /** Waiting included; default 60 s. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: AnalysisProgress) => void) | undefined;
}

export interface ComputeClientOptions {
  readonly createWorker: CreateWorker;
  readonly settings: WorkerSettings;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly limits?: QueueLimits | undefined;
}

interface Input {
  /** Bytes the request holds, for the bound on all of them. */
  readonly bytes: number;
  /** Buffers of ours that may move to the worker. */
  readonly transferables?: readonly Transferable[];
}

/** One worker's life. `ended` rejects once, with why. */
interface Session {
  readonly service: ReturnType<typeof wrap<ComputeService>>;
  readonly ended: Promise<never>;
  end(reason: CodedError): void;
}

const workerDied = (cause: string): CodedError =>
  new CodedError('compute/worker-died', `the compute worker died: ${cause}`, {
    fields: { cause },
    isRetryable: true,
  });

export class ComputeClient {
  readonly #options: ComputeClientOptions;
  readonly #queue: CallQueue;
  #session: Promise<Session> | undefined;
  #endSession: ((reason: CodedError) => void) | undefined;
  #closed: CodedError | undefined;

  constructor(options: ComputeClientOptions) {
    this.#options = options;
    this.#queue = new CallQueue(options.limits);
  }

  /** Errors: those of the request, and the ends named above; `compute/queue-full` when too much waits. */
  call<T extends RequestType>(
    request: RequestOf<T>,
    input: Input,
    options: CallOptions = {},
  ): Promise<Answers[T]> {
    if (this.#closed) return Promise.reject(this.#closed);
    const { timeoutMs = callTimeoutMs, signal } = options;
    return withDeadline(this.#options.clock, { timeoutMs, signal }, (limit) =>
      this.#queue.enter(input.bytes, limit, () => this.#send(request, input, options.onProgress, limit)),
    );
  }

  /** Ends the worker; calls under way and later ones fail with `compute/closed`. */
  close(): void {
    this.#closed ??= new CodedError('compute/closed', 'the compute service was closed');
    this.#endSession?.(this.#closed);
  }

  async #send<T extends RequestType>(
    request: RequestOf<T>,
    input: Input,
    onProgress: CallOptions['onProgress'],
    signal: AbortSignal,
  ): Promise<Answers[T]> {
    if (this.#closed) throw this.#closed;
    const stop = (): void => this.#endSession?.(cancellation(signal));
    signal.addEventListener('abort', stop, { once: true });
    try {
      const session = await this.#open();
      const sent = transfer(request, [...(input.transferables ?? [])]);
      const answer = onProgress ? session.service.run(sent, proxy(onProgress)) : session.service.run(sent);
      const reply = (await Promise.race([answer, session.ended])) as Reply;
      if (!reply.ok) throw fromWireError(reply.error);
      return reply.value as Answers[T];
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  #open(): Promise<Session> {
    if (this.#session) return this.#session;
    const session = this.#start();
    this.#session = session;
    // the next call may find a worker that starts
    session.catch(() => {
      if (this.#session === session) this.#session = undefined;
    });
    return session;
  }

  async #start(): Promise<Session> {
    try {
      const worker = spawnWorker(this.#options.createWorker);
      const session = this.#watch(worker);
      const lockName = `vivarium-compute-${randomHex(systemRandom, 8)}`;
      const forward = proxy((event: Parameters<Hub['forward']>[0]) => this.#options.hub.forward(event));
      const started = session.service.start(lockName, this.#options.settings, forward);
      const limit = { timeoutMs: startTimeoutMs };
      await withDeadline(this.#options.clock, limit, () => Promise.race([started, session.ended]));
      this.#awaitDeath(lockName, session);
      return session;
    } catch (error) {
      this.#endSession?.(workerDied('it did not start'));
      throw error;
    }
  }

  #watch(worker: Worker): Session {
    let reject: (reason: CodedError) => void = () => undefined;
    const ended = new Promise<never>((_, rejectEnded) => (reject = rejectEnded));
    // whoever waits sees it; when nobody does, it is no error
    ended.catch(() => undefined);
    const end = (reason: CodedError): void => {
      if (this.#endSession === end) {
        this.#endSession = undefined;
        this.#session = undefined;
      }
      worker.terminate();
      reject(reason);
    };
    this.#endSession = end;
    worker.addEventListener('error', (event) => end(workerDied(event.message || 'its script failed')));
    worker.addEventListener('messageerror', () => end(workerDied('a message could not be read')));
    return { service: wrap<ComputeService>(worker), ended, end };
  }

  /** The browser frees the lock when the worker is gone, whatever ended it. */
  #awaitDeath(lockName: string, session: Session): void {
    const watching = new AbortController();
    session.ended.catch(() => watching.abort());
    lockFreed(lockName, watching.signal).then(
      () => session.end(workerDied('its realm is gone')),
      () => undefined,
    );
  }
}
