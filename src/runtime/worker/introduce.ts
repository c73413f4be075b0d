/** What a module that has started, or taken over, says of itself, without what actors inside it own. */
import type { ModuleState, ParameterDescription } from '../../program/index.ts';
import type { Described } from '../module-protocol.ts';

export interface OwnPart {
  readonly state: ModuleState;
  readonly descriptions: readonly ParameterDescription[];
}

/** Parameters of parts are their own actors' to tell of. */
export function ownPartOf({ description, state, parts }: Described): OwnPart {
  const inside = new Set(Object.values(parts).flatMap(({ parameters }) => Object.values(parameters)));
  if (inside.size === 0) return { state, descriptions: description.parameters };
  const parameters = Object.entries(state.parameters).filter(([name]) => !inside.has(name));
  const descriptions = description.parameters.filter(({ name }) => !inside.has(name));
  return { state: { ...state, parameters: Object.fromEntries(parameters) }, descriptions };
}
