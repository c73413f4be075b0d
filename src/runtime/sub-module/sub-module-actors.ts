/** Which sub-modules of a program are actors of their own, as it is declared where the program is started. */
import type { RestartType } from '../../actor/index.ts';
import { CodedError } from '../../base/index.ts';
import type { Module } from '../../program/index.ts';
import type { SubModulePath } from '../handle/handle-types.ts';
import type { RuntimeLimits } from '../limits.ts';
import type { SubModuleWhenDown } from '../module-protocol.ts';

/** One sub-module that is hosted as an actor of its own, supervised beside the others of its program. */
export interface SubModuleActor<Kind extends string = string> {
  /** What the worker entry serves its class as. It must have the parameters and predictors of the sub-module in the program. */
  readonly kind: Kind;
  /** Default permanent. */
  readonly restart?: RestartType;
  /** `dedicated` gives it a worker of its own, so that only its own end ends it. Default shared. */
  readonly isolation?: 'shared' | 'dedicated';
  readonly shutdownMs?: number;
  /**
   * What happens to calls of the sub-module while its actor is down. `fail`: they fail with `runtime/sub-module-down`. `local`: they run
   * in the worker of the program around it, with the newest parameters; also the call under which it ended, which may
   * therefore have run in part before. `restart`: they wait while it restarts, and when it has ended for good the program around it is
   * restarted, and it with it.
   */
  readonly whenDown: SubModuleWhenDown;
}

/** By the sub-module's place in the program, such as `critic`, `critic.judge` or `hops[0]`. */
export type SubModuleActors<M = Module, Kind extends string = string> = Module extends M
  ? Readonly<Record<string, SubModuleActor<Kind>>>
  : { readonly [P in SubModulePath<M>]?: SubModuleActor<Kind> };

/** An actor to start for a module. */
export interface PartPlan {
  readonly path: string;
  /** `<id of the module around it>/<path>` */
  readonly id: string;
  readonly actor: SubModuleActor;
  /** What is declared inside it, by paths that begin there. */
  readonly actors: SubModuleActors;
}

const allowed: Readonly<Record<string, readonly string[]>> = {
  whenDown: ['fail', 'local', 'restart'],
  restart: ['permanent', 'transient', 'temporary'],
  isolation: ['shared', 'dedicated'],
};

function invalid(field: string, value: unknown, expected: string): CodedError {
  const shown = typeof value === 'string' ? value.slice(0, 200) : String(value);
  return new CodedError('runtime/sub-module-invalid', `${field} is ${shown}, but must be ${expected}`, {
    fields: { field, value: shown, expected },
  });
}

function checkActor(path: string, actor: SubModuleActor | undefined): SubModuleActor {
  const field = `actors['${path}']`;
  if (typeof actor !== 'object' || actor === null) throw invalid(field, actor, 'an object');
  if (typeof actor.kind !== 'string' || actor.kind === '')
    throw invalid(`${field}.kind`, actor.kind, 'a kind that the worker entry serves');
  for (const [name, values] of Object.entries(allowed)) {
    const value: unknown = Reflect.get(actor, name);
    const isDefault = value === undefined && name !== 'whenDown';
    if (isDefault || (values as readonly unknown[]).includes(value)) continue;
    throw invalid(`${field}.${name}`, value, `one of ${values.join(', ')}`);
  }
  const { shutdownMs = 0 } = actor;
  if (!(shutdownMs >= 0)) throw invalid(`${field}.shutdownMs`, shutdownMs, '0 or more');
  return actor;
}

/** What of `path` is below `around`; undefined when it is not. */
function below(path: string, around: string): string | undefined {
  if (!path.startsWith(around) || path === around) return undefined;
  const rest = path.slice(around.length);
  // an item of a list is not inside the list's first item, nor `critics` inside `critic`
  return rest.startsWith('.') ? rest.slice(1) : undefined;
}

/**
 * The actors to start for a module, in the order of their declaration; those inside another belong to that other's actor.
 * @throws `runtime/sub-module-invalid` naming field, value and what it must be
 */
export function toPartPlans(id: string, actors: SubModuleActors, limits: RuntimeLimits): readonly PartPlan[] {
  const declared = Object.entries(actors).map(([given, actor]) => {
    const path = given.startsWith('self.') ? given.slice('self.'.length) : given;
    return [path, checkActor(path, actor)] as const;
  });
  if (declared.length > limits.maxSubModuleActors)
    throw invalid('actors', `${declared.length} actors`, `at most ${limits.maxSubModuleActors}`);
  const outermost = declared.filter(
    ([path]) => !declared.some(([other]) => below(path, other) !== undefined),
  );
  return outermost.map(([path, actor]) => ({
    path,
    id: `${id}/${path}`,
    actor,
    actors: Object.fromEntries(
      declared.flatMap(([other, inner]) => {
        const rest = below(other, path);
        return rest === undefined ? [] : [[rest, inner] as const];
      }),
    ),
  }));
}
