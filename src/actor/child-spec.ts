/** What a supervisor is told of a child before there is one. */
import { CodedError } from '../base/index.ts';
import type { Shutdown } from './limits.ts';
import type { RestartLimits, RestartType } from './restart.ts';
import type { AutoShutdown, ChildKey, Strategy } from './supervision-state.ts';
import type { Supervisor } from './supervisor.ts';
import type { ActorRef, Exit, SpawnOptions } from './system.ts';

/** A child that is an actor. */
export interface ActorSpec {
  /** Default actor. */
  readonly type?: 'actor';
  /** Unique within the supervisor. */
  readonly id: string;
  /** The actor's address, unique in the whole system. Default: the id. */
  readonly actor?: string;
  /** Default permanent. */
  readonly restart?: RestartType;
  /** Default 5,000 ms. */
  readonly shutdown?: Shutdown;
  /** Whether its end for good may end its supervisor, as `autoShutdown` there says. Not for permanent ones. Default false. */
  readonly isSignificant?: boolean;
  /** What to spawn, asked anew at every start, so that a restart gets the newest state. */
  readonly spawn: () => Omit<SpawnOptions, 'actor'>;
  /** It runs: for the first time, or again. */
  readonly onStart?: (ref: ActorRef) => void;
  /**
   * It ended, by itself or because its supervisor stopped it on account of a sibling. After `willRestart` true a start or
   * a false follows; false means that this end leads to no start: it rests, is forgotten, or a supervisor gave up. Told
   * when that is decided. Silent about what `remove`, `terminateChild` and `close` were asked to stop.
   */
  readonly onExit?: (exit: Exit, willRestart: boolean) => void;
  /** A start failed. A restart is tried again, unless this removes the child: nothing can be gained by it, as by code that is gone. */
  readonly onStartFail?: (error: unknown) => void;
}

/** A child that is a supervisor. Whenever it is started again, it starts with these children and an empty history. */
export interface SupervisorSpec {
  readonly type: 'supervisor';
  /** Unique within the supervisor above. */
  readonly id: string;
  /** Default permanent. One that gives up ends with reason shutdown: a transient one is not started again. */
  readonly restart?: RestartType;
  /** Default infinity: it needs the time that its children need. Killed, it kills everything below it. */
  readonly shutdown?: Shutdown;
  /** As an actor's. */
  readonly isSignificant?: boolean;
  /** Default one-for-one. */
  readonly strategy?: Strategy;
  /** Default never. */
  readonly autoShutdown?: AutoShutdown;
  /** Default 3 restarts within 5 s. */
  readonly limits?: RestartLimits;
  /** Started in this order before it counts as started itself. Default none. */
  readonly children?: readonly ChildSpec[];
  /** It runs with all its children: for the first time, or again. Every run is a supervisor of its own. */
  readonly onStart?: (supervisor: Supervisor) => void;
}

/** A child of a supervisor: an actor, or a supervisor with children of its own. */
export type ChildSpec = ActorSpec | SupervisorSpec;

/** What of a specification matters to its supervisor's judgement. */
export function keyOf(spec: ChildSpec): ChildKey {
  const { id, type = 'actor', restart = 'permanent', isSignificant = false } = spec;
  return { id, type, restart, isSignificant };
}

/** An actor's address. */
export const addressOf = (spec: ActorSpec): string => spec.actor ?? spec.id;

const strategies: readonly unknown[] = ['one-for-one', 'one-for-all', 'rest-for-one'];
const restartTypes: readonly unknown[] = ['permanent', 'transient', 'temporary'];
const childTypes: readonly unknown[] = ['actor', 'supervisor'];
const shutdowns: readonly unknown[] = ['never', 'any-significant', 'all-significant'];

/** @throws `actor/spec-invalid` */
export function refuse(field: string, value: unknown, expected: string): never {
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  throw new CodedError('actor/spec-invalid', `${field} is ${shown}, but must be ${expected}`, {
    fields: { field, value: shown, expected },
  });
}

function requireOneOf(field: string, value: unknown, allowed: readonly unknown[]): void {
  if (!allowed.includes(value)) refuse(field, value, `one of ${allowed.join(', ')}`);
}

/** @throws `actor/spec-invalid` */
export function checkLimits({ maxRestarts, maxSeconds }: RestartLimits, path: string = 'limits'): void {
  if (!Number.isSafeInteger(maxRestarts) || maxRestarts < 0) {
    refuse(`${path}.maxRestarts`, maxRestarts, 'a whole number of at least 0');
  }
  if (!Number.isSafeInteger(maxSeconds) || maxSeconds < 1) {
    refuse(`${path}.maxSeconds`, maxSeconds, 'a whole number of at least 1');
  }
}

/** @throws `actor/spec-invalid` */
export function checkStrategy(strategy: Strategy = 'one-for-one', path: string = 'strategy'): void {
  requireOneOf(path, strategy, strategies);
}

/** @throws `actor/spec-invalid` */
export function checkAutoShutdown(wanted: AutoShutdown = 'never', path: string = 'autoShutdown'): void {
  requireOneOf(path, wanted, shutdowns);
}

function checkSignificant(spec: ChildSpec, above: AutoShutdown, path: string): void {
  const { isSignificant = false, restart = 'permanent' } = spec;
  if (typeof isSignificant !== 'boolean') refuse(path, isSignificant, 'true or false');
  if (!isSignificant) return;
  if (above === 'never') refuse(path, true, 'false below a supervisor that never ends by itself');
  if (restart === 'permanent') refuse(path, true, 'false for a permanent child: it never ends for good');
}

function checkShutdown(shutdown: Shutdown, path: string): void {
  const isTime = typeof shutdown === 'number' && shutdown >= 0 && shutdown < Infinity;
  if (isTime || shutdown === 'brutal-kill' || shutdown === 'infinity') return;
  refuse(path, shutdown, 'milliseconds of at least 0, brutal-kill or infinity');
}

/**
 * Checks a child, and everything below it.
 * @throws `actor/spec-invalid` naming the field, its value and what it must be
 */
export function checkSpec(spec: ChildSpec, above: AutoShutdown = 'never', path: string = 'child'): void {
  if (typeof spec.id !== 'string' || spec.id === '')
    refuse(`${path}.id`, spec.id, 'a text that is not empty');
  requireOneOf(`${path}.type`, spec.type ?? 'actor', childTypes);
  requireOneOf(`${path}.restart`, spec.restart ?? 'permanent', restartTypes);
  checkShutdown(spec.shutdown ?? 0, `${path}.shutdown`);
  checkSignificant(spec, above, `${path}.isSignificant`);
  if (spec.type !== 'supervisor') {
    if (typeof spec.spawn !== 'function') refuse(`${path}.spawn`, spec.spawn, 'a function');
    return;
  }
  checkStrategy(spec.strategy, `${path}.strategy`);
  checkAutoShutdown(spec.autoShutdown, `${path}.autoShutdown`);
  if (spec.limits) checkLimits(spec.limits, `${path}.limits`);
  checkSpecs(spec.children ?? [], spec.autoShutdown, `${path}.children`);
}

/** @throws `actor/spec-invalid`, also when two have the same id */
export function checkSpecs(
  specs: readonly ChildSpec[],
  above: AutoShutdown = 'never',
  path: string = 'children',
): void {
  const seen = new Set<string>();
  for (const [at, spec] of specs.entries()) {
    checkSpec(spec, above, `${path}[${at}]`);
    if (seen.has(spec.id)) refuse(`${path}[${at}].id`, spec.id, 'unique within the supervisor');
    seen.add(spec.id);
  }
}
