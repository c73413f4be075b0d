/**
 * Restart intensity, exactly as OTP's supervisor counts it (add_restart in supervisor.erl): one list of times per
 * supervisor, whole seconds of a monotonic clock, an inclusive window, and the attempt itself counts.
 */

/** How many restarts a supervisor bears, and within which time. */
export interface RestartLimits {
  /** Restarts allowed within the window; a whole number ≥ 0. Elixir's default, 3. */
  readonly maxRestarts: number;
  /** The window in whole seconds, ≥ 1. Default 5. */
  readonly maxSeconds: number;
}

/** Elixir's defaults: 3 restarts within 5 seconds. */
export const defaultRestartLimits: RestartLimits = { maxRestarts: 3, maxSeconds: 5 };

/** Seconds at which restarts were tried, newest first. */
export type RestartHistory = readonly number[];

/** A clock that went back would keep entries for ever: what lies in the future counts as of now. */
function within(history: RestartHistory, nowSeconds: number, limits: RestartLimits): number[] {
  const since = nowSeconds - limits.maxSeconds;
  return history.map((seconds) => Math.min(seconds, nowSeconds)).filter((seconds) => seconds >= since);
}

/** Adds one attempt. `isAllowed` is false when it is one too many: the supervisor then gives up. */
export function addRestart(
  history: RestartHistory,
  nowSeconds: number,
  limits: RestartLimits,
): { readonly history: RestartHistory; readonly isAllowed: boolean } {
  const kept = [nowSeconds, ...within(history, nowSeconds, limits)];
  return { history: kept, isAllowed: kept.length <= limits.maxRestarts };
}

/** Restarts that are still allowed now. */
export function restartsLeft(history: RestartHistory, nowSeconds: number, limits: RestartLimits): number {
  return Math.max(0, limits.maxRestarts - within(history, nowSeconds, limits).length);
}

/**
 * When a child that ended by itself is started again: `permanent` always, `transient` only after a failure, `temporary`
 * never.
 */
export type RestartType = 'permanent' | 'transient' | 'temporary';

/** Whether a child that ended for this reason is started again, by OTP's table. */
export function shouldRestart(type: RestartType, isNormalExit: boolean): boolean {
  if (type === 'permanent') return true;
  return type === 'transient' && !isNormalExit;
}
