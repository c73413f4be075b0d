/** What a supervisor knows, what it is told and what it orders: the words of its judgement. */
import type { RestartHistory, RestartLimits, RestartType } from './restart.ts';

/** Which siblings a failure takes with it. */
export type Strategy = 'one-for-one' | 'one-for-all' | 'rest-for-one';

/** Whether a supervisor ends when significant children have ended for good: at the first one, or when none is left. */
export type AutoShutdown = 'never' | 'any-significant' | 'all-significant';

/** What a child is: an actor, or a supervisor with children of its own. */
export type ChildType = 'actor' | 'supervisor';

/**
 * `exited`: it ended and the supervisor has not judged it yet; `restarting`: a restart failed and is tried again at
 * once; `stopped`: its specification is kept without anything that runs.
 */
export type ChildStatus = 'starting' | 'running' | 'exited' | 'restarting' | 'stopping' | 'stopped';

/** What identifies a child to its supervisor. */
export interface ChildKey {
  readonly id: string;
  readonly type: ChildType;
  readonly restart: RestartType;
  /** Whether its end for good may end its supervisor. */
  readonly isSignificant: boolean;
}

/** One child as its supervisor sees it. */
export interface ChildState extends ChildKey {
  readonly status: ChildStatus;
  /** Which start this is; what is told of an earlier one is stale. */
  readonly run: number;
  /** Why its last start failed, while it is `restarting`. Equal for children that failed together. */
  readonly cause?: number;
}

/** Something that takes several steps: stop these in order, then start those in order. */
export interface Job {
  readonly type: 'first-start' | 'restart' | 'add' | 'start' | 'terminate' | 'shutdown';
  readonly toStop: readonly string[];
  readonly toStart: readonly string[];
  /** The child whose stop or start is under way. */
  readonly at?: string;
  /** Who is answered when it is done. */
  readonly request?: number;
  /** Whose start was cut short by it; they are refused when it is done. */
  readonly refused?: readonly number[];
  /** Whether what it stops is forgotten too. */
  readonly isRemoval?: boolean;
}

/** What one asks of a supervisor. */
export type SupervisionRequest =
  | { readonly type: 'child-add'; readonly child: ChildKey; readonly request: number }
  | {
      readonly type: 'child-terminate' | 'child-remove' | 'child-restart' | 'child-delete';
      readonly id: string;
      readonly request: number;
    };

/** One child's end. `normal` and `shutdown` are normal ends; all others are failures. */
export interface ChildExit {
  readonly id: string;
  readonly isNormal: boolean;
}

/** What waits until the supervisor has time for it. */
export type Task =
  | SupervisionRequest
  | {
      readonly type: 'exit-judge';
      readonly exits: readonly (ChildExit & { readonly run: number })[];
    }
  | { readonly type: 'child-retry'; readonly cause: number };

/** `finished`: significant children have ended. */
export type Ending = 'asked' | 'finished' | 'gave-up' | 'start-failed';

export interface SupervisionState {
  readonly strategy: Strategy;
  readonly limits: RestartLimits;
  readonly autoShutdown: AutoShutdown;
  /** Start order. */
  readonly children: readonly ChildState[];
  readonly history: RestartHistory;
  readonly jobs: readonly Job[];
  readonly inbox: readonly Task[];
  readonly nextRun: number;
  /** Why it ends, once it does. */
  readonly ending?: Ending;
  /** The child that it could not start, or that failed once too often. */
  readonly culprit?: string;
  readonly hasEnded: boolean;
}

export type SupervisionEvent =
  | SupervisionRequest
  | { readonly type: 'first-start'; readonly children: readonly ChildKey[]; readonly request: number }
  /** A start that was ordered has succeeded. */
  | { readonly type: 'child-start'; readonly id: string; readonly run: number }
  /** A start that was ordered has failed; starts that one failure took have one cause. */
  | { readonly type: 'child-fail'; readonly id: string; readonly run: number; readonly cause: number }
  /** A stop that was ordered is done. */
  | { readonly type: 'child-stop'; readonly id: string; readonly run: number }
  /** Children that ended by one and the same failure. Judged at the next `inbox-turn`. */
  | { readonly type: 'child-exit'; readonly exits: readonly ChildExit[] }
  | { readonly type: 'child-retry'; readonly cause: number }
  | { readonly type: 'inbox-turn' }
  | { readonly type: 'shutdown-ask' };

/** How a request ended. */
export type Answer =
  | 'done'
  | 'already-started'
  | 'already-present'
  | 'not-found'
  | 'running'
  | 'restarting'
  /** The start that it asked for failed. */
  | 'start-failed'
  /** The start that it asked for was cut short by a stop. */
  | 'cut-short'
  /** The supervisor ends. */
  | 'refused';

export type SupervisionEffect =
  | { readonly type: 'start'; readonly id: string; readonly run: number }
  | { readonly type: 'stop'; readonly id: string; readonly run: number }
  /** The child of this request is one of the children from now on. */
  | { readonly type: 'adopt'; readonly id: string; readonly request: number }
  /** It runs and may be told to the world. */
  | { readonly type: 'announce'; readonly id: string }
  /** Its end was judged, or it was stopped with its siblings. */
  | { readonly type: 'tell-end'; readonly id: string; readonly willRestart: boolean }
  /** A restart of this child was counted. */
  | { readonly type: 'record'; readonly id: string }
  /** Come back with `child-retry` once others had their turn. */
  | { readonly type: 'retry'; readonly cause: number }
  | { readonly type: 'forget'; readonly id: string }
  | { readonly type: 'reply'; readonly request: number; readonly answer: Answer }
  | { readonly type: 'give-up'; readonly id: string }
  /** Nothing runs below it any more. Its own end is a `shutdown`: normal for the supervisor above, whatever came before. */
  | { readonly type: 'end'; readonly ending: Ending; readonly isNormal: boolean };

export type Decision = readonly [SupervisionState, readonly SupervisionEffect[]];

/** A supervisor that has no children yet. */
export function createSupervision(
  strategy: Strategy,
  limits: RestartLimits,
  autoShutdown: AutoShutdown = 'never',
): SupervisionState {
  const rest = { children: [], history: [], jobs: [], inbox: [], nextRun: 1, hasEnded: false };
  return { strategy, limits, autoShutdown, ...rest };
}
