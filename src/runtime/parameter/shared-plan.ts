/** What a change of modules means to the shared parameters that they are bound to: a bound parameter has the shared value, or none has it. */
import { CodedError } from '../../base/index.ts';
import type { Write } from '../../state/index.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import type { ChangePart } from './change-together.ts';
import type { AcknowledgementLevel } from './parameter-handle.ts';
import { sameData } from './same-data.ts';
import type { HostedSharedParameter } from './shared-parameter.ts';

export interface SharedBindings {
  /** What a module's parameter is bound to. */
  sharedOf(module: HostedModuleRecord, name: string): HostedSharedParameter | undefined;
}

/** What else is to be done when modules change. */
export interface SharedPlan {
  /** The other bound parameters. */
  readonly parts: readonly ChangePart[];
  /** The shared values themselves. */
  readonly writes: readonly Write[];
  /** Everything is committed as asked; at the level `memory` the page alone holds it. */
  readonly onCommit: (level: AcknowledgementLevel) => void;
  /** The store may hold the writes though the commit has failed: what is true goes over them. */
  readonly onUnknown: () => void;
}

/** A module's parameter, by its name there. */
export interface BoundParameter {
  readonly module: HostedModuleRecord;
  readonly name: string;
}

/** One parameter that is set, and what it is bound to. */
interface Bound extends BoundParameter {
  readonly value: unknown;
  readonly cause: string;
  readonly shared: HostedSharedParameter;
}

/** By what was declared: one that is being started again does not have the shared value yet. */
function boundIn(bindings: SharedBindings, parts: readonly ChangePart[]): readonly Bound[] {
  return parts.flatMap(({ module, changes, cause }) => {
    const states = Object.entries(changes.parameters ?? {}).map(
      ([name, { value }]) => [name, value] as const,
    );
    return [...Object.entries(changes.values ?? {}), ...states].flatMap(([name, value]) => {
      const shared = bindings.sharedOf(module, name);
      return shared ? [{ module, name, value, cause, shared }] : [];
    });
  });
}

/** Shared parameters that a change of these modules sets too. */
export function sharedIn(
  bindings: SharedBindings,
  parts: readonly ChangePart[],
): ReadonlySet<HostedSharedParameter> {
  return new Set(boundIn(bindings, parts).map(({ shared }) => shared));
}

/** Shared parameters that any of these modules is bound to. */
export function sharedOfAll(
  bindings: SharedBindings,
  modules: readonly HostedModuleRecord[],
): ReadonlySet<HostedSharedParameter> {
  const all = modules.flatMap((module) =>
    [...module.journal.parameters.keys()].flatMap((name) => bindings.sharedOf(module, name) ?? []),
  );
  return new Set(all);
}

/**
 * Decided in the turn of every shared parameter that is concerned.
 * @throws `runtime/shared-conflict` for two values of one shared parameter, `program/constraint-violated`
 */
export function planShared(bindings: SharedBindings, parts: readonly ChangePart[]): SharedPlan {
  const first = new Map<HostedSharedParameter, Bound>();
  const given = boundIn(bindings, parts).filter(({ module }) => !module.isGone);
  for (const bound of given) {
    const known = first.get(bound.shared);
    if (known && !sameData(known.value, bound.value)) throw conflict(known, bound);
    first.set(bound.shared, known ?? bound);
  }
  const isGiven = (module: HostedModuleRecord, name: string): boolean =>
    given.some((bound) => bound.module === module && bound.name === name);
  const changes = [...first].map(([shared, { value, cause }]) =>
    // what the page alone holds so far is stored with it
    sameData(value, shared.value) ? shared.confirm() : shared.plan(value, cause, isGiven),
  );
  return {
    parts: changes.flatMap((change) => change.parts),
    writes: changes.flatMap((change) => change.writes),
    onCommit: (level) => changes.forEach((change) => change.onCommit(level)),
    onUnknown: () => changes.forEach((change) => change.onUnknown()),
  };
}

function conflict(one: Bound, other: Bound): CodedError {
  const { name: shared } = one.shared;
  const [first, second] = [one, other].map(({ module, name }) => `"${name}" of module "${module.id}"`);
  return new CodedError(
    'runtime/shared-conflict',
    `${String(first)} and ${String(second)} are both bound to the shared parameter "${shared}" and would get different values; give both one value, or start one without the binding`,
    {
      fields: {
        shared,
        module: one.module.id,
        parameter: one.name,
        otherModule: other.module.id,
        otherParameter: other.name,
      },
    },
  );
}
