/** Which siblings a failure takes with it, in which order they stop and start. */
import type { ChildState, Strategy } from './supervision-state.ts';

export interface Plan {
  /** Last started first. Those that do not run are passed over. */
  readonly toStop: readonly string[];
  /** In start order, finished transient ones too. Temporary ones are forgotten by the time that it comes to them. */
  readonly toStart: readonly string[];
}

/** @param failed ids of the children that failed together */
export function planRestart(
  strategy: Strategy,
  children: readonly ChildState[],
  failed: readonly string[],
): Plan {
  if (strategy === 'one-for-one') return { toStop: [], toStart: failed };
  const first = children.findIndex((child) => failed.includes(child.id));
  const taken = strategy === 'one-for-all' ? children : children.slice(first);
  return {
    toStop: taken.map((child) => child.id).toReversed(),
    toStart: taken.map((child) => child.id),
  };
}
