/** Calls that wait until their module serves: for a restart, or for what it depends on. */
import { CodedError } from '../../base/index.ts';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: CodedError) => void;
}

export class WaitingCalls {
  readonly #module: string;
  readonly #maxCalls: number;
  readonly #waiters = new Set<Waiter>();
  readonly #watchers = new Set<() => void>();

  /** @param maxCalls that may wait at one time */
  constructor(module: string, maxCalls: number) {
    this.#module = module;
    this.#maxCalls = maxCalls;
  }

  /** Resolves when something has changed. @throws `runtime/module-restarting` when too many wait, or what ended the module */
  change(signal: AbortSignal): Promise<void> {
    if (this.#waiters.size >= this.#maxCalls) return Promise.reject(this.#tooMany());
    return new Promise((resolve, reject) => {
      // whoever gave up must not take the place of one that still waits
      const giveUp = (): void => void this.#waiters.delete(waiter);
      const settled = (): void => signal.removeEventListener('abort', giveUp);
      const waiter: Waiter = {
        resolve: () => (settled(), resolve()),
        reject: (error) => (settled(), reject(error)),
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** As {@link change}, for what is no call: it takes no place, and hears of the end as of any change. */
  wakened(): Promise<void> {
    return new Promise((resolve) => this.#watchers.add(resolve));
  }

  /** Something has changed: each looks anew whether it may pass. */
  wake(): void {
    for (const waiter of this.#takeAll()) waiter.resolve();
  }

  /** None of them will pass. */
  fail(error: CodedError): void {
    for (const waiter of this.#takeAll()) waiter.reject(error);
  }

  #takeAll(): readonly Waiter[] {
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    return waiters;
  }

  #tooMany(): CodedError {
    const allowed = this.#maxCalls;
    return new CodedError(
      'runtime/module-restarting',
      `${allowed} calls already wait for module "${this.#module}" to serve again`,
      { fields: { module: this.#module, allowed }, isRetryable: true },
    );
  }
}
