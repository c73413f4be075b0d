/** What the page and a hosted module say to each other. The module's side is `module-actor.ts`. */
import type { ModuleDescription, ModuleState, ParameterState, RunWire } from '../program/index.ts';
import type { LmDescription } from './page-service/lm-proxy.ts';

export interface StartArgs {
  /** What the module is restarted with: parameters, predictors and mode. */
  readonly state?: ModuleState | undefined;
}

/** The page's service that hears of changes made inside the worker. */
export const journalService = 'journal';

export interface ForwardBody {
  readonly input: unknown;
  /** The run that this call belongs to, with the time that is left. */
  readonly run: RunWire;
  /** What the page's model is, when it has one. */
  readonly lm?: LmDescription | undefined;
  readonly hasExecutor: boolean;
  /** Whether the caller wants to hear of stream parts. */
  readonly wantsDeltas: boolean;
}

export interface ParameterSetBody {
  readonly name: string;
  readonly value: unknown;
  readonly cause: string;
}

/** One change, with the whole new state, so that the page can restart the module from it. */
export interface ParameterRecord {
  readonly name: string;
  readonly oldValue: unknown;
  readonly cause: string;
  readonly atMs: number;
  readonly state: ParameterState;
}

export interface ParameterChangeBody extends ParameterRecord {
  readonly module: string;
}

/** What a started module says of itself. */
export interface Described {
  readonly description: ModuleDescription;
  readonly state: ModuleState;
}
