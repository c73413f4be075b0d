/** Changes of a program beside its parameters: predictors, and sub-modules that are frozen. */
import type { ModuleChanges, ModuleState } from '../../program/index.ts';

export type ProgramChanges = Pick<ModuleChanges, 'predictors' | 'compiled'>;

export function changesProgram({ predictors, compiled }: ProgramChanges): boolean {
  return compiled !== undefined || Object.keys(predictors ?? {}).length > 0;
}

/** The state with the changes in it. */
export function withProgram(state: ModuleState, { predictors, compiled }: ProgramChanges): ModuleState {
  return {
    ...state,
    predictors: { ...state.predictors, ...predictors },
    ...(compiled ? { compiled } : {}),
  };
}

/** A changed program is being committed and not yet taken over: nothing of before may be written behind it. */
export class ProgramHold {
  #held: Promise<void> | undefined;

  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  /** Resolves when nothing is held. */
  async settled(): Promise<void> {
    while (this.#held) await this.#held;
  }

  /** Holds until the returned function is called. */
  hold(): () => void {
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    this.#held = held;
    return () => {
      if (this.#held === held) this.#held = undefined;
      letGo();
    };
  }
}
