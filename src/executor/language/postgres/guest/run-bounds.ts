/** What a run may still do. */
import { systemClock } from '../../../../platform/index.ts';
import { isInterrupted } from '../../../guest/interrupt-flag.ts';

/** Why a run was stopped from inside. */
export type Over = 'time' | 'output' | 'result' | 'stopped';

export interface Bounds {
  readonly endMs: number;
  readonly outputBytes: number;
  readonly resultBytes: number;
}

const none: Bounds = { endMs: Infinity, outputBytes: 0, resultBytes: 0 };

export class RunBounds {
  readonly #interrupt: SharedArrayBuffer | undefined;
  #endMs = Infinity;
  outputLeft = 0;
  resultLeft = 0;
  over: Over | undefined;

  constructor(interrupt: SharedArrayBuffer | undefined) {
    this.#interrupt = interrupt;
  }

  begin({ endMs, outputBytes, resultBytes }: Bounds = none): void {
    this.#endMs = endMs;
    this.outputLeft = outputBytes;
    this.resultLeft = resultBytes;
    this.over = undefined;
  }

  /** Whether the run is over, whatever its statement says. */
  look(): boolean {
    if (this.#interrupt && isInterrupted(this.#interrupt)) this.over ??= 'stopped';
    if (systemClock.monotonic() >= this.#endMs) this.over ??= 'time';
    return this.over !== undefined;
  }
}
