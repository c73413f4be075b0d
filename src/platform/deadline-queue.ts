/** Many deadlines, one timer: a call that is answered in time never touches a timer of its own. */
import type { Clock } from './clock.ts';

/** @template Id what has a deadline, each at most once */
export class DeadlineQueue<Id = number> {
  readonly #clock: Clock;
  readonly #onDue: (id: Id) => void;
  readonly #dueMs = new Map<Id, number>();
  #firesAtMs = Infinity;
  #cancelTimer = (): void => undefined;

  /** @param onDue runs once for each id whose time is over */
  constructor(clock: Clock, onDue: (id: Id) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Only Infinity means without end: what is no time at all, such as NaN, is due at once. */
  add(id: Id, timeoutMs: number): void {
    if (timeoutMs === Infinity) return;
    const dueMs = this.#clock.monotonic() + (timeoutMs > 0 ? timeoutMs : 0);
    this.#dueMs.set(id, dueMs);
    if (dueMs < this.#firesAtMs) this.#schedule(dueMs);
  }

  /** The timer stays: rescheduling at every answer would cost what this queue saves. */
  remove(id: Id): void {
    this.#dueMs.delete(id);
  }

  close(): void {
    this.#dueMs.clear();
    this.#cancelTimer();
    this.#firesAtMs = Infinity;
  }

  #schedule(atMs: number): void {
    this.#cancelTimer();
    this.#firesAtMs = atMs;
    this.#cancelTimer = this.#clock.after(Math.max(0, atMs - this.#clock.monotonic()), () => this.#fire());
  }

  #fire(): void {
    const nowMs = this.#clock.monotonic();
    this.#firesAtMs = Infinity;
    let nextMs = Infinity;
    for (const [id, dueMs] of this.#dueMs) {
      if (dueMs > nowMs) {
        nextMs = Math.min(nextMs, dueMs);
        continue;
      }
      this.#dueMs.delete(id);
      this.#onDue(id);
    }
    if (nextMs < Infinity) this.#schedule(nextMs);
  }
}
