/** Which predictor was asked what, and answered what, in the order of the answers. One for each top-level call. */
import type { Fields } from './field-record.ts';
import { programLimits } from './limits.ts';
import type { Predictor } from './predict/predictor.ts';
import type { Prediction } from './prediction.ts';

export interface TraceEntry {
  /** Where the predictor is in the program, such as `hops[0].predict`. */
  readonly path: string;
  readonly predictor: Predictor;
  /** As they were given, ignored fields included. */
  readonly inputs: Fields;
  readonly prediction: Prediction;
}

export class Trace implements Iterable<TraceEntry> {
  readonly #capacity: number;
  #entries: TraceEntry[] = [];
  #dropped = 0;

  /** @param capacity entries kept, oldest dropped first; default 10,000 */
  constructor(capacity: number = programLimits.traceEntries) {
    this.#capacity = capacity;
  }

  get entries(): readonly TraceEntry[] {
    return this.#entries;
  }

  /** Entries that were dropped because the trace was full. */
  get dropped(): number {
    return this.#dropped;
  }

  add(entry: TraceEntry): void {
    if (this.#capacity <= 0) return;
    this.#entries.push(entry);
    if (this.#entries.length <= this.#capacity) return;
    this.#entries.shift();
    this.#dropped += 1;
  }

  [Symbol.iterator](): Iterator<TraceEntry> {
    return this.#entries[Symbol.iterator]();
  }
}
