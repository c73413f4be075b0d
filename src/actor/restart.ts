/**
 * Restart intensity, exactly as OTP's supervisor counts it (add_restart in supervisor.erl): one list of times per
 * supervisor, whole seconds of a monotonic clock, an inclusive window, and the attempt itself counts.
 */

export interface RestartLimits {
  /** Restarts allowed within the window. Elixir's default, 3. */
  readonly maxRestarts: number;
  /** The window in seconds. Default 5. */
  readonly maxSeconds: number;
}

export const defaultRestartLimits: RestartLimits = { maxRestarts: 3, maxSeconds: 5 };

/** Seconds at which restarts were tried, newest first. */
export type RestartHistory = readonly number[];

/** Adds one attempt. `isAllowed` is false when it is one too many: the supervisor then gives up. */
export function addRestart(
  history: RestartHistory,
  nowSeconds: number,
  limits: RestartLimits,
): { readonly history: RestartHistory; readonly isAllowed: boolean } {
  const kept = [nowSeconds, ...history.filter((seconds) => seconds >= nowSeconds - limits.maxSeconds)];
  return { history: kept, isAllowed: kept.length <= limits.maxRestarts };
}

/** Restarts that are still allowed now. */
export function restartsLeft(history: RestartHistory, nowSeconds: number, limits: RestartLimits): number {
  const spent = history.filter((seconds) => seconds >= nowSeconds - limits.maxSeconds).length;
  return Math.max(0, limits.maxRestarts - spent);
}

export type RestartType = 'permanent' | 'transient' | 'temporary';

/** Whether a child that ended for this reason is started again, by OTP's table. */
export function shouldRestart(type: RestartType, isNormalExit: boolean): boolean {
  if (type === 'permanent') return true;
  return type === 'transient' && !isNormalExit;
}
