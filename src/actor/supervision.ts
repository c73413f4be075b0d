/** What a one-for-one supervisor decides: state and event in, state and effects out. It performs nothing. */
import { addRestart, shouldRestart } from './restart.ts';
import type { RestartHistory, RestartLimits, RestartType } from './restart.ts';

export interface ChildState {
  readonly id: string;
  readonly restart: RestartType;
  readonly status: 'starting' | 'running' | 'restarting' | 'stopped';
}

export interface SupervisionState {
  readonly limits: RestartLimits;
  /** Start order. */
  readonly children: readonly ChildState[];
  readonly history: RestartHistory;
  readonly hasGivenUp: boolean;
}

export type SupervisionEvent =
  | { readonly type: 'child-add'; readonly id: string; readonly restart: RestartType }
  | { readonly type: 'child-start'; readonly id: string }
  /** Children that ended by one and the same failure. */
  | {
      readonly type: 'child-exit';
      readonly ids: readonly string[];
      readonly isNormal: boolean;
      readonly atSeconds: number;
    }
  /** Restarts were tried and failed together, by one and the same failure. */
  | { readonly type: 'child-fail'; readonly ids: readonly string[]; readonly atSeconds: number }
  | { readonly type: 'child-stop'; readonly id: string };

export type SupervisionEffect =
  | { readonly type: 'start'; readonly id: string }
  | { readonly type: 'drop'; readonly id: string }
  /** Stop these, in this order, and end with reason shutdown. */
  | { readonly type: 'give-up'; readonly failed: string; readonly stop: readonly string[] };

type Decision = readonly [SupervisionState, readonly SupervisionEffect[]];

const withChild = (state: SupervisionState, id: string, status: ChildState['status']): SupervisionState => ({
  ...state,
  children: state.children.map((child) => (child.id === id ? { ...child, status } : child)),
});

const without = (state: SupervisionState, id: string): SupervisionState => ({
  ...state,
  children: state.children.filter((child) => child.id !== id),
});

function giveUp(state: SupervisionState, failed: string): Decision {
  const stop = state.children
    .filter((child) => child.status === 'running')
    .map((child) => child.id)
    .toReversed();
  const children = state.children.map((child) => ({ ...child, status: 'stopped' as const }));
  return [{ ...state, children, hasGivenUp: true }, [{ type: 'give-up', failed, stop }]];
}

/** One failure adds one entry, however many children it took. */
function restart(state: SupervisionState, ids: readonly string[], atSeconds: number): Decision {
  const { history, isAllowed } = addRestart(state.history, atSeconds, state.limits);
  const marked = ids.reduce((next, id) => withChild(next, id, 'restarting'), { ...state, history });
  if (!isAllowed) return giveUp(marked, ids[0] as string);
  return [marked, ids.map((id) => ({ type: 'start' as const, id }))];
}

function onExit(state: SupervisionState, event: SupervisionEvent & { type: 'child-exit' }): Decision {
  const gone = state.children.filter((child) => event.ids.includes(child.id) && child.status !== 'stopped');
  const again = gone.filter((child) => shouldRestart(child.restart, event.isNormal)).map((child) => child.id);
  const dropped = gone.filter((child) => child.restart === 'temporary').map((child) => child.id);
  const rested = gone.filter((child) => !again.includes(child.id) && !dropped.includes(child.id));
  let next = dropped.reduce(without, state);
  next = rested.reduce((so, child) => withChild(so, child.id, 'stopped'), next);
  const drops = dropped.map((id) => ({ type: 'drop' as const, id }));
  if (again.length === 0) return [next, drops];
  const [decided, effects] = restart(next, again, event.atSeconds);
  return [decided, [...drops, ...effects]];
}

/** The whole of a supervisor's judgement. After giving up every event is ignored. */
export function decide(state: SupervisionState, event: SupervisionEvent): Decision {
  if (state.hasGivenUp) return [state, []];
  switch (event.type) {
    case 'child-add': {
      const child: ChildState = { id: event.id, restart: event.restart, status: 'starting' };
      return [{ ...state, children: [...state.children, child] }, []];
    }
    case 'child-start':
      return [withChild(state, event.id, 'running'), []];
    case 'child-exit':
      return onExit(state, event);
    case 'child-fail': {
      const ids = event.ids.filter((id) => state.children.some((child) => child.id === id));
      return ids.length > 0 ? restart(state, ids, event.atSeconds) : [state, []];
    }
    case 'child-stop':
      return [without(state, event.id), []];
  }
}
