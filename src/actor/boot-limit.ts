/**
 * How long a worker may take to say hello. What ends one before that is told by nothing in a browser: it holds no lock yet, and no event comes.
 * What the last worker of the same code took says when silence means that it is gone.
 */
import type { Clock } from '../platform/index.ts';
import type { ActorLimits } from './limits.ts';

/** A busy machine starts a worker so many times more slowly than one at rest. */
const slownessFactor = 4;
/** A timer this much later than asked for means that the page itself was asleep. */
const lateFactor = 1.5;

/** The wait for one worker. */
export interface BootWatch {
  /** It has said hello. */
  end(): void;
  /** Nobody waits any more. */
  cancel(): void;
}

export class BootLimit {
  readonly #clock: Clock;
  readonly #limits: Pick<ActorLimits, 'workerBootMs' | 'hangTimeoutMs'>;
  /** What the last worker took that said hello, or waited for. */
  #lastMs: number | undefined;

  constructor(clock: Clock, limits: Pick<ActorLimits, 'workerBootMs' | 'hangTimeoutMs'>) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /**
   * For a worker that starts now: `workerBootMs` until one has said hello, from then on `hangTimeoutMs` and four times what the last one took,
   * and never more than `workerBootMs`. One that was given up may only have been slow, so that the next is given four times as long.
   */
  get limitMs(): number {
    const { workerBootMs, hangTimeoutMs } = this.#limits;
    if (this.#lastMs === undefined) return workerBootMs;
    return Math.min(workerBootMs, slownessFactor * this.#lastMs + hangTimeoutMs);
  }

  /** A worker starts now. */
  watch(onSilent: (limitMs: number) => void): BootWatch {
    const clock = this.#clock;
    const startedMs = clock.monotonic();
    let cancel = (): void => undefined;
    const wait = (limitMs: number): void => {
      const fromMs = clock.monotonic();
      cancel = clock.after(limitMs, () => {
        const waitedMs = clock.monotonic() - fromMs;
        // its hello may stand behind this timer
        if (waitedMs > limitMs * lateFactor) return wait(limitMs);
        if (this.#lastMs !== undefined) this.#lastMs = waitedMs;
        onSilent(limitMs);
      });
    };
    wait(this.limitMs);
    return {
      end: () => {
        cancel();
        this.#lastMs = clock.monotonic() - startedMs;
      },
      cancel: () => cancel(),
    };
  }
}
