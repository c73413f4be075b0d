/** Changes of a program beside its parameters: predictors, and sub-modules that are frozen. */
import type { Mode, ModuleChanges, ModuleState } from '../../program/index.ts';
import type { CheckedState } from '../module-protocol.ts';

/** A change of everything beside the parameters at once. */
export type WholeProgram = { readonly whole: CheckedState } | { readonly mode: Mode };

export type ProgramChanges = Pick<ModuleChanges, 'predictors' | 'compiled'> & {
  readonly program?: WholeProgram | undefined;
};

export function changesProgram({ predictors, compiled, program }: ProgramChanges): boolean {
  return program !== undefined || compiled !== undefined || Object.keys(predictors ?? {}).length > 0;
}

/** The state with the changes in it. */
export function withProgram(
  state: ModuleState,
  { predictors, compiled, program }: ProgramChanges,
): ModuleState {
  if (program && 'whole' in program)
    return { ...program.whole.state, ...program.whole.changed, parameters: {} };
  return {
    ...state,
    ...program,
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
