/** Migrations: numbered, pure steps that make the state of one version from that of another. They write nothing by themselves. */
import { CodedError, deepFreeze, isCodedError, messageOf } from '../../base/index.ts';
import type { JsonObject } from '../../base/index.ts';
import { cancellation, systemClock, withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import { defaultStoreLimits } from '../limits.ts';
import { takeSnapshot } from '../value.ts';
import { MigrationGraph } from './migration-graph.ts';
import type { Hop, MigrationContext, MigrationStep } from './migration-graph.ts';
import type { SchemaVersion } from './schema-version.ts';

/** One step of a way, as it was gone. */
export interface MigrationHop {
  readonly from: SchemaVersion;
  readonly to: SchemaVersion;
  readonly direction: 'up' | 'down';
}

export interface MigrationsSpec {
  /** Of what the states are; it stands in errors and in the metadata of records. */
  readonly name: string;
  readonly steps: readonly MigrationStep[];
}

export interface MigrationRun {
  /** The version that the state has. */
  readonly from: SchemaVersion;
  /** The version that it is to have. Default the newest. */
  readonly to?: SchemaVersion;
  /** Milliseconds that one step may take. Default 30,000. A step that never gives back control cannot be ended. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

export interface MigrationResult<T> {
  /** The reader's own. */
  readonly state: T;
  /** Empty when the state had the version already. */
  readonly path: readonly MigrationHop[];
}

export interface Migrations {
  readonly name: string;
  /** All versions that a step leads from or to, in order. */
  readonly versions: readonly SchemaVersion[];
  readonly newest: SchemaVersion;

  /**
   * The shortest way, up or down; empty from a version to itself.
   * @throws `state/migration-path-not-found` (fields name, from, to, known)
   */
  path(from: SchemaVersion, to: SchemaVersion): readonly MigrationHop[];

  /**
   * Goes the way with a copy of `state`, each step with a frozen copy of what the one before made. It changes and writes nothing.
   * @throws `state/migration-path-not-found`; `state/migration-failed` (fields name, from, to, direction, why) when a step throws, is
   *   late, or makes what cannot be stored; `state/not-cloneable`, `state/value-too-large` for such a state; `port/cancelled`
   */
  run<T>(state: T, options: MigrationRun): Promise<MigrationResult<T>>;

  /** Metadata of a record whose state has this version, by which `migrateRecord` knows it. Default the newest. */
  stamp(version?: SchemaVersion): JsonObject;
}

const stepTimeoutMs = 30_000;

interface StepLimits {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

class DefinedMigrations implements Migrations {
  readonly #graph: MigrationGraph;

  constructor({ name, steps }: MigrationsSpec) {
    this.#graph = new MigrationGraph(name, steps);
  }

  get name(): string {
    return this.#graph.name;
  }

  get versions(): readonly SchemaVersion[] {
    return this.#graph.versions;
  }

  get newest(): SchemaVersion {
    return this.#graph.newest;
  }

  path(from: SchemaVersion, to: SchemaVersion): readonly MigrationHop[] {
    return this.#graph.path(from, to).map(toMigrationHop);
  }

  async run<T>(state: T, options: MigrationRun): Promise<MigrationResult<T>> {
    const { from, to = this.newest, timeoutMs = stepTimeoutMs, clock = systemClock, signal } = options;
    const hops = this.#graph.path(from, to);
    let current: unknown = takeSnapshot(state, defaultStoreLimits).value;
    for (const hop of hops) current = await this.#go(hop, current, { clock, timeoutMs, signal });
    return { state: current as T, path: hops.map(toMigrationHop) };
  }

  stamp(version: SchemaVersion = this.newest): JsonObject {
    return { schema: { name: this.name, version } };
  }

  async #go(hop: Hop, state: unknown, { clock, ...limits }: StepLimits): Promise<unknown> {
    const migrate = hop.migrate as (state: unknown, context: MigrationContext) => unknown;
    const frozen = deepFreeze(state);
    let made: unknown;
    try {
      made = await withDeadline(clock, limits, async (signal) => migrate(frozen, { signal }));
    } catch (cause) {
      if (limits.signal?.aborted) throw cancellation(limits.signal);
      const isLate = isCodedError(cause, 'port/timeout');
      throw this.#failed(hop, isLate ? `was not done within ${limits.timeoutMs} ms` : 'threw', cause);
    }
    if (made === undefined) throw this.#failed(hop, 'returned nothing', undefined);
    try {
      // a copy again: what a step keeps must not change what comes after it
      return takeSnapshot(made, defaultStoreLimits).value;
    } catch (cause) {
      throw this.#failed(hop, 'returned what cannot be stored', cause);
    }
  }

  #failed({ from, to, direction }: Hop, why: string, cause: unknown): CodedError {
    const because = cause === undefined ? '' : `: ${messageOf(cause)}`;
    return new CodedError(
      'state/migration-failed',
      `migrations "${this.name}": the step ${direction} ${from} → ${to} ${why}${because}`,
      { fields: { name: this.name, from, to, direction, why }, cause },
    );
  }
}

function toMigrationHop({ from, to, direction }: Hop): MigrationHop {
  return { from, to, direction };
}

/**
 * Checks a set of steps and makes migrations of them.
 * @throws `state/migrations-invalid` for no versions, steps that do not lead to a later version, a step that is there twice, numbers
 *   mixed with semantic versions, and gaps: versions before the newest from which no step leads on, named in the field `gaps`
 */
export function defineMigrations(spec: MigrationsSpec): Migrations {
  return new DefinedMigrations(spec);
}
