/**
 * Python's flag for KeyboardInterrupt where no memory is shared and so nobody can raise it: it looks at the clock itself. Not every platform ends a
 * worker that never leaves its WebAssembly, so a run that ends by itself is worth more there than one that is ended.
 */
import type { Clock } from '../../../../platform/index.ts';
import type { PythonSignal } from '../../../guest/interrupt-flag.ts';

const interruptSignal = 2;

export class TimeSignal implements PythonSignal {
  readonly #clock: Clock;
  #deadlineMs = Infinity;
  #signal = 0;
  #wasRaised = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A run begins that may take so long. */
  begin(timeoutMs: number): void {
    this.#deadlineMs = this.#clock.monotonic() + timeoutMs;
    this.#signal = 0;
    this.#wasRaised = false;
  }

  /** The run has ended. True when its time was up. */
  end(): boolean {
    this.#deadlineMs = Infinity;
    this.#signal = 0;
    return this.#wasRaised;
  }

  /** The run that goes on is asked to stop. */
  raise(): void {
    this.#signal = interruptSignal;
    this.#wasRaised = true;
  }

  /** Raised once when the time is up: what a guest swallows is not said again. */
  get 0(): number {
    if (this.#clock.monotonic() >= this.#deadlineMs) {
      this.#deadlineMs = Infinity;
      this.raise();
    }
    return this.#signal;
  }

  set 0(value: number) {
    this.#signal = value;
  }
}
