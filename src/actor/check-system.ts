/** Refuses bounds of an actor system under which nothing could run, or that are no numbers. */
import { refuse } from './child-spec.ts';
import { defaultActorLimits } from './limits.ts';
import type { ActorLimits } from './limits.ts';
import type { SystemOptions } from './system.ts';

/** They may be 0: no time to stop in, no workers of their own. */
const mayBeNone: ReadonlySet<string> = new Set<keyof ActorLimits>(['shutdownMs', 'maxDedicatedWorkers']);

/**
 * @param path the option that they are
 * @throws `actor/spec-invalid` naming the field, its value and what it must be
 */
export function checkActorLimits(limits: ActorLimits, path: string = 'limits'): void {
  for (const name of Object.keys(defaultActorLimits) as (keyof ActorLimits)[]) {
    // whoever writes no types may leave one out
    const value: unknown = limits[name];
    const least = mayBeNone.has(name) ? 0 : 1;
    const isBound = typeof value === 'number' && value >= least;
    if (!isBound) refuse(`${path}.${name}`, value, `a number of at least ${least}`);
  }
}

/** @throws `actor/spec-invalid` */
export function checkSystem({ poolSize = 1, limits = defaultActorLimits, createRealm }: SystemOptions): void {
  if (typeof createRealm !== 'function') refuse('createRealm', createRealm, 'a function that starts a realm');
  if (!Number.isSafeInteger(poolSize) || poolSize < 1)
    refuse('poolSize', poolSize, 'a whole number of at least 1');
  checkActorLimits(limits);
}
