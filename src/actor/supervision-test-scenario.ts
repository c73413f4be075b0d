/** Random supervision trees and what happens to them, as plain data that every implementation can act out. */
import type { RestartType } from './restart.ts';
import type { AutoShutdown, Strategy } from './supervision-state.ts';

export interface ScenarioActor {
  readonly type: 'actor';
  readonly id: string;
  readonly restart: RestartType;
  readonly isSignificant: boolean;
}

export interface ScenarioSupervisor {
  readonly type: 'supervisor';
  readonly id: string;
  readonly restart: RestartType;
  readonly isSignificant: boolean;
  readonly autoShutdown: AutoShutdown;
  readonly strategy: Strategy;
  readonly maxRestarts: number;
  readonly maxSeconds: number;
  readonly children: readonly ScenarioChild[];
}

export type ScenarioChild = ScenarioActor | ScenarioSupervisor;

/** Paths are those of the tree, `top/s/a`. What does not exist when a command comes is passed over. */
export type Command =
  | { readonly type: 'start' }
  | { readonly type: 'crash'; readonly path: string; readonly reason: 'normal' | 'shutdown' | 'crashed' }
  /** These actors were in one worker, and it is gone. */
  | { readonly type: 'lose'; readonly paths: readonly string[] }
  /** The next starts of this actor fail. */
  | { readonly type: 'fail-next'; readonly path: string; readonly count: number }
  | { readonly type: 'advance'; readonly seconds: number }
  | { readonly type: 'add'; readonly path: string; readonly child: ScenarioChild }
  | {
      readonly type: 'remove' | 'terminate' | 'restart' | 'delete';
      readonly path: string;
      readonly id: string;
    };

/** What can be seen after a command. */
export interface Step {
  readonly reply: string;
  /** `start PATH`, `fail PATH`, `stop PATH` and `gave-up PATH`, in order. */
  readonly log: readonly string[];
  /** Whether the top runs. */
  readonly isRunning: boolean;
  /** Every child in order of start, top first; empty unless the top runs. */
  readonly tree: readonly (readonly [path: string, status: string])[];
}

export interface Scenario {
  readonly tree: ScenarioSupervisor;
  readonly commands: readonly Command[];
}

/** One way to act out a scenario. */
export interface World {
  perform(command: Command): Step | Promise<Step>;
  close?(): void;
}
