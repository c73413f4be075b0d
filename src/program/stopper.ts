/** What stops a call before its time, and who is told of it. */
import type { CodedError } from '../base/index.ts';

/** At once, so that what comes after a call in the same turn finds it begun. */
function begin<T>(work: () => Promise<T>): Promise<T> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return Promise.reject(error as Error);
  }
}

/**
 * One for each call. Whoever waits is told by a listener; an abort signal is made for those who ask for it, since making and
 * watching one costs more than the rest of an empty call.
 */
export class Stopper {
  /** Most calls have one listener. */
  #listener: ((error: CodedError) => void) | undefined;
  #others: Set<(error: CodedError) => void> | undefined;
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
    const listeners = [this.#listener, ...(this.#others ?? [])];
    [this.#listener, this.#others] = [undefined, undefined];
    for (const listener of listeners) listener?.(this.#reason());
  }

  /** Told once, at once when the call was stopped already. The returned function ends the subscription. */
  onStop(listener: (error: CodedError) => void): () => void {
    if (this.#why) listener(this.#reason());
    else if (this.#listener) (this.#others ??= new Set()).add(listener);
    else this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
      else this.#others?.delete(listener);
    };
  }

  /**
   * Settles with `work`, or with the reason as soon as the call is stopped. When it was stopped already, `work` never runs.
   * @param onLeave gets work that goes on when the call is stopped, before anybody hears of the end; nobody else waits for it
   */
  race<T>(work: () => Promise<T>, onLeave?: (work: Promise<unknown>) => void): Promise<T> {
    if (this.#why) return Promise.reject(this.#reason());
    return new Promise<T>((resolve, reject) => {
      const begun: { work?: Promise<T> } = {};
      let isLeft = false;
      const forget = this.onStop((error) => {
        isLeft = true;
        if (begun.work) onLeave?.(begun.work);
        reject(error);
      });
      const running = begin(work);
      begun.work = running;
      // it has stopped its own call
      if (isLeft) onLeave?.(running);
      running.then(
        (value) => {
          forget();
          resolve(value);
        },
        (error: unknown) => {
          forget();
          reject(error as Error);
        },
      );
    });
  }

  #reason(): CodedError {
    return (this.#error ??= (this.#why as () => CodedError)());
  }
}
