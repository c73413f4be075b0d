/** A bounded number of places, and a bounded queue for them. */
import { CodedError } from '../../base/index.ts';

/** Gives the place back; calling it twice is harmless. */
export type LeavePlace = () => void;

type Waiter = (leave: LeavePlace | undefined) => void;

export class Slots {
  readonly #places: number;
  readonly #queue: Waiter[] = [];
  readonly #maxQueued: number;
  #taken = 0;
  #isClosed = false;

  constructor(places: number, maxQueued: number) {
    this.#places = places;
    this.#maxQueued = maxQueued;
  }

  /**
   * Resolves with `undefined` when `signal` aborts or the slots close first. Rejects with `executor/queue-full`.
   * @param maxQueued for who has waited elsewhere already; default that of the slots
   */
  enter(signal?: AbortSignal, maxQueued: number = this.#maxQueued): Promise<LeavePlace | undefined> {
    if (this.#isClosed || signal?.aborted) return Promise.resolve(undefined);
    if (this.#taken < this.#places) return Promise.resolve(this.#take());
    if (this.#queue.length >= maxQueued) return Promise.reject(full(maxQueued));
    return new Promise((resolve) => {
      const onAbort = (): void => {
        this.#queue.splice(this.#queue.indexOf(waiter), 1);
        waiter(undefined);
      };
      const waiter: Waiter = (leave) => {
        signal?.removeEventListener('abort', onAbort);
        resolve(leave);
      };
      this.#queue.push(waiter);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Everyone who waits is told that there will be no place. */
  close(): void {
    this.#isClosed = true;
    for (const waiter of this.#queue.splice(0)) waiter(undefined);
  }

  #take(): LeavePlace {
    this.#taken += 1;
    let isLeft = false;
    return () => {
      if (isLeft) return;
      isLeft = true;
      this.#taken -= 1;
      this.#queue.shift()?.(this.#take());
    };
  }
}

function full(maxQueued: number): CodedError {
  return new CodedError(
    'executor/queue-full',
    `${maxQueued} runs are waiting already, no more are accepted`,
    {
      fields: { allowed: maxQueued },
      isRetryable: true,
    },
  );
}
