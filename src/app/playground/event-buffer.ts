/** Events for the page: bounded, and handed on in batches, so that a burst is drawn once. */
import type { Clock } from '../../platform/index.ts';
import type { StampedEvent } from '../../telemetry/index.ts';

/** Events kept; the oldest go first. */
const maxEvents = 1_000;
const batchMs = 100;

/** Collects events and tells its listener at most ten times a second. */
export class EventBuffer {
  readonly #clock: Clock;
  readonly #onBatch: (events: readonly StampedEvent[]) => void;
  #events: readonly StampedEvent[] = [];
  #fresh: StampedEvent[] = [];
  #isDue = false;

  constructor(clock: Clock, onBatch: (events: readonly StampedEvent[]) => void) {
    this.#clock = clock;
    this.#onBatch = onBatch;
  }

  add(event: StampedEvent): void {
    this.#fresh.push(event);
    if (this.#fresh.length > maxEvents) this.#fresh.shift();
    if (this.#isDue) return;
    this.#isDue = true;
    this.#clock.after(batchMs, () => this.#flush());
  }

  #flush(): void {
    this.#isDue = false;
    this.#events = [...this.#events, ...this.#fresh].slice(-maxEvents);
    this.#fresh = [];
    this.#onBatch(this.#events);
  }
}
