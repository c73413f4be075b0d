/** Work on the page's thread, in pieces. How much there is, packages and indexes say. */
import { cancellation, runInNextTask } from '../../../../platform/index.ts';

/** A step is a comparison or a few characters, some microseconds at most: a piece is a few milliseconds. */
const pieceSteps = 2000;

export class Pace {
  readonly #signal: AbortSignal | undefined;
  #steps = 0;

  /** @param signal ends the work between two pieces */
  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** After a piece the page has its turn, and so have timers. Rejects with `port/cancelled`, or as the signal says. */
  async spend(steps: number): Promise<void> {
    this.#steps += steps;
    if (this.#steps < pieceSteps) return;
    this.#steps = 0;
    await new Promise<void>(runInNextTask);
    if (this.#signal?.aborted) throw cancellation(this.#signal);
  }
}
