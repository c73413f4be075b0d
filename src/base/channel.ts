/** A bounded queue between one producer and one consumer, read with `for await`. */
import { CodedError } from './error.ts';

/** `push` answers false when the channel is full or closed: nothing is dropped silently. */
export class Channel<T> implements AsyncIterable<T> {
  readonly capacity: number;
  #items: T[] = [];
  readonly #waiting: {
    readonly resolve: (result: IteratorResult<T>) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  #end: { error?: unknown } | undefined;

  /** @param capacity items kept while nobody reads; at least 1 */
  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new CodedError(
        'base/channel-capacity',
        `capacity is ${capacity}, expected an integer of at least 1`,
        {
          fields: { capacity },
        },
      );
    }
    this.capacity = capacity;
  }

  get size(): number {
    return this.#items.length;
  }

  push(item: T): boolean {
    if (this.#end) return false;
    const reader = this.#waiting.shift();
    if (reader) {
      reader.resolve({ done: false, value: item });
      return true;
    }
    if (this.#items.length >= this.capacity) return false;
    this.#items.push(item);
    return true;
  }

  /** What was pushed before is still read; then iteration ends, or throws `error` if one is given. */
  close(error?: unknown): void {
    if (this.#end) return;
    this.#end = error === undefined ? {} : { error };
    for (const reader of this.#waiting.splice(0)) {
      if (error === undefined) reader.resolve({ done: true, value: undefined });
      else reader.reject(error);
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return { next: () => this.#next(), return: () => this.#return() };
  }

  #next(): Promise<IteratorResult<T>> {
    if (this.#items.length > 0) return Promise.resolve({ done: false, value: this.#items.shift() as T });
    if (this.#end) {
      return 'error' in this.#end
        ? Promise.reject(this.#end.error as Error)
        : Promise.resolve({ done: true, value: undefined });
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #return(): Promise<IteratorResult<T>> {
    this.close();
    this.#items = [];
    return Promise.resolve({ done: true, value: undefined });
  }
}
