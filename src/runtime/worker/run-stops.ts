/** What ends the forwards of one module: their caller, their time, or the module's own end. No signal and no timer for each. */
import type { CallContext } from '../../actor/index.ts';
import { CodedError } from '../../base/index.ts';
import { DeadlineQueue, systemClock } from '../../platform/index.ts';
import type { StopSource } from '../../program/index.ts';

interface Open {
  readonly stop: (error: CodedError) => void;
  readonly timeoutMs: number;
}

export class RunStops {
  readonly #open = new Map<number, Open>();
  readonly #deadlines = new DeadlineQueue(systemClock, (id) => this.#timeOut(id));
  #stoppedWith: CodedError | undefined;
  #nextId = 1;

  /** @param timeoutMs the time that is left to the call */
  of(call: CallContext, timeoutMs: number = Infinity): StopSource {
    return (stop) => {
      if (this.#stoppedWith) {
        stop(this.#stoppedWith);
        return () => undefined;
      }
      const id = this.#nextId++;
      const leave = call.onStop(stop);
      this.#open.set(id, { stop, timeoutMs });
      this.#deadlines.add(id, timeoutMs);
      return () => {
        leave();
        this.#open.delete(id);
        this.#deadlines.remove(id);
      };
    };
  }

  /** The module ends: what runs is told, and what comes is told at once. */
  stopAll(error: CodedError): void {
    this.#stoppedWith = error;
    this.#deadlines.close();
    for (const { stop } of this.#open.values()) stop(error);
  }

  #timeOut(id: number): void {
    const open = this.#open.get(id);
    if (!open) return;
    const { stop, timeoutMs } = open;
    const fields = { timeoutMs };
    stop(new CodedError('port/timeout', `no answer within ${timeoutMs} ms`, { fields, isRetryable: true }));
  }
}
