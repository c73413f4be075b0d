/** What stops a call before its time, and who is told of it. */
import type { CodedError } from '../base/index.ts';

/**
 * One for each call. Whoever waits is told by a listener; an abort signal is made for those who ask for it, since making and
 * watching one costs more than the rest of an empty call.
 */
export class Stopper {
  readonly #listeners = new Set<(error: CodedError) => void>();
  #controller: AbortController | undefined;
  #why: (() => CodedError) | undefined;
  #error: CodedError | undefined;

  /** Aborts with the reason; aborted already when the call was stopped before somebody asked. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#why) this.#controller.abort(this.#reason());
    return this.#controller.signal;
  }

  /** The first reason stays. It is made when somebody wants to know it. */
  stop(why: () => CodedError): void {
    if (this.#why) return;
    this.#why = why;
    this.#controller?.abort(this.#reason());
    for (const listener of this.#listeners) listener(this.#reason());
    this.#listeners.clear();
  }

  /** Told once, at once when the call was stopped already. The returned function ends the subscription. */
  onStop(listener: (error: CodedError) => void): () => void {
    if (this.#why) listener(this.#reason());
    else this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Settles with `work`, or with the reason as soon as the call is stopped. When it was stopped already, `work` never runs.
   * @param onLeave gets work that goes on when the call is stopped, before anybody hears of the end; nobody else waits for it
   */
  race<T>(work: () => Promise<T>, onLeave?: (work: Promise<unknown>) => void): Promise<T> {
    if (this.#why) return Promise.reject(this.#reason());
    return new Promise<T>((resolve, reject) => {
      const forget = this.onStop((error) => {
        onLeave?.(running);
        reject(error);
      });
      const running = Promise.resolve().then(work).finally(forget);
      running.then(resolve, reject);
    });
  }

  #reason(): CodedError {
    return (this.#error ??= (this.#why as () => CodedError)());
  }
}
