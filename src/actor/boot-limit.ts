/**
 * How long a worker may take to say hello. What ends one before that is told by nothing in a browser: it holds no lock yet, and no event comes.
 * What the last worker of the same code took says when silence means that it is gone.
 */
import type { Clock } from '../platform/index.ts';
import type { ActorLimits } from './limits.ts';

/** A busy machine starts a worker so many times more slowly than one at rest. */
const slownessFactor = 4;

type Limits = Pick<ActorLimits, 'workerBootMs' | 'hangTimeoutMs' | 'pingIntervalMs'>;

/** The wait for one worker. */
export interface BootWatch {
  /** It has said hello. */
  end(): void;
  /** Nobody waits any more. */
  cancel(): void;
}

export class BootLimit {
  readonly #clock: Clock;
  readonly #limits: Limits;
  /** What the last worker took that said hello, or was given. */
  #lastMs: number | undefined;
  /** Workers that start now. */
  #starting = 0;

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /**
   * For a worker that starts now: `workerBootMs` until one has said hello, from then on `hangTimeoutMs` and four times what the last one took, as
   * often as workers start at once, and never more than `workerBootMs`. One that was given up may only have been slow, so that the next is given
   * four times as long.
   */
  get limitMs(): number {
    const { workerBootMs, hangTimeoutMs } = this.#limits;
    if (this.#lastMs === undefined) return workerBootMs;
    const startMs = slownessFactor * this.#lastMs * Math.max(1, this.#starting);
    return Math.min(workerBootMs, hangTimeoutMs + startMs);
  }

  /** A worker starts now. */
  watch(onSilent: (limitMs: number) => void): BootWatch {
    const startedMs = this.#clock.monotonic();
    this.#starting++;
    let isOver = false;
    let cancelTimer = (): void => undefined;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      this.#starting--;
      cancelTimer();
    };
    // a worker's code comes by way of the page, so what the page slept through is no time that the worker had: a step counts as long as it was to be
    const wait = (countedMs: number, limitMs: number): void => {
      const stepMs = Math.min(this.#limits.pingIntervalMs, limitMs - countedMs);
      cancelTimer = this.#clock.after(stepMs, () => {
        // others may have begun to start since
        const grownMs = Math.max(limitMs, this.limitMs);
        if (countedMs + stepMs < grownMs) return wait(countedMs + stepMs, grownMs);
        end();
        if (this.#lastMs !== undefined) this.#lastMs = grownMs;
        onSilent(grownMs);
      });
    };
    wait(0, this.limitMs);
    return {
      end: () => {
        if (!isOver) this.#lastMs = this.#clock.monotonic() - startedMs;
        end();
      },
      cancel: end,
    };
  }
}
