/** Takes up a run that began in another realm: same trace, the time that is left, its values; the rest is handed in here. */
import type { LeaveListener, Run, RunRequest, StopSource } from './run.ts';
import { withRun } from './run.ts';
import { parseRunWire } from './run-wire.ts';
import type { CallSettings } from './settings.ts';

/** What the realm adds in which a run goes on. */
export interface ContinueSettings extends CallSettings {
  /** Ends the run in the place of a signal and of a timer, at a fraction of the cost: whoever gives it keeps the time that is left. */
  readonly onStop?: StopSource | undefined;
  /**
   * Gets what goes on after the end of the run: work of the call and of calls inside it that did not heed the signal, before whoever
   * waits for the call hears of its end.
   */
  readonly onLeave?: LeaveListener | undefined;
}

/** The request of a run that goes on here. @throws `program/run-invalid` */
export function requestOfWire(wire: unknown, { onStop, onLeave, ...settings }: ContinueSettings): RunRequest {
  const { span, depth, isTraced, values, path, remainingMs } = parseRunWire(wire);
  const timeoutMs = Math.min(remainingMs ?? Infinity, settings.timeoutMs ?? Infinity);
  return {
    settings: {
      ...settings,
      values: { ...values, ...settings.values },
      ...(timeoutMs === Infinity ? {} : { timeoutMs }),
    },
    path,
    ...(onStop ? { onStop } : {}),
    ...(onLeave ? { onLeave } : {}),
    origin: { span, depth, isTraced },
  };
}

/**
 * @param wire what `run.toWire()` gave in the other realm
 * @param settings what this realm adds: language models, adapters, an earlier limit
 * @throws `program/run-invalid`, and what {@link withRun} throws
 */
export async function continueRun<T>(
  wire: unknown,
  settings: CallSettings,
  work: (run: Run) => Promise<T>,
): Promise<T> {
  return withRun(requestOfWire(wire, settings), work);
}
