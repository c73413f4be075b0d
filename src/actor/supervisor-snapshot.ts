/** A supervision tree as data, for people and tools to look at. */
import type { RestartType } from './restart.ts';
import type { ChildStatus, ChildType, Strategy } from './supervision-state.ts';

/** One restart that was tried. */
export interface RestartRecord {
  readonly child: string;
  /** Why the child had ended, or why its last start failed. */
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** One child, as OTP's `which_children` lists it. */
export interface ChildInfo {
  readonly id: string;
  readonly type: ChildType;
  readonly restart: RestartType;
  readonly status: ChildStatus;
}

/** How many children there are, as OTP's `count_children` counts them. */
export interface ChildCounts {
  /** Children, running or not. */
  readonly specs: number;
  /** Those that run. */
  readonly active: number;
  readonly supervisors: number;
  readonly actors: number;
}

/** One child and, where it is a supervisor that runs, everything below it. */
export interface ChildSnapshot extends ChildInfo {
  readonly supervisor?: SupervisorSnapshot;
}

/** A supervisor and everything below it. */
export interface SupervisorSnapshot {
  readonly id: string;
  readonly strategy: Strategy;
  readonly maxRestarts: number;
  readonly maxSeconds: number;
  /** Restarts that are still allowed now: its budget. */
  readonly restartsLeft: number;
  /** Newest last, at most 100; those of earlier runs of this supervisor too. */
  readonly restarts: readonly RestartRecord[];
  /** Start order. */
  readonly children: readonly ChildSnapshot[];
}
