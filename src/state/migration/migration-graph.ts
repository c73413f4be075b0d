/** The steps of a set of migrations as a graph: whether they make sense, and the shortest way between two versions. */
import { CodedError } from '../../base/index.ts';
import { compareSchemaVersions, isSchemaVersion, keyOfVersion } from './schema-version.ts';
import type { SchemaVersion } from './schema-version.ts';

/** What a step is told besides the state. */
export interface MigrationContext {
  /** Aborts when the step is late, or when nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/** Makes a state of one version from one of another, a frozen copy: pure, and the same each time. */
export type Migrate = (state: never, context: MigrationContext) => unknown;

/** One way from a version to a later one, and maybe back. */
export interface MigrationStep {
  readonly from: SchemaVersion;
  /** Later than `from`. */
  readonly to: SchemaVersion;
  readonly up: Migrate;
  /** The way back, which may drop what the earlier version has no place for. */
  readonly down?: Migrate;
}

/** A step in one direction. */
export interface Hop {
  readonly from: SchemaVersion;
  readonly to: SchemaVersion;
  readonly direction: 'up' | 'down';
  readonly migrate: Migrate;
}

/** Steps of one set: the search looks at each once, and nobody writes more by hand. */
const maxSteps = 10_000;
/** Versions that an error names. */
const maxNamed = 20;

function invalid(
  name: string,
  expected: string,
  fields: Record<string, string | number | string[]>,
): CodedError {
  return new CodedError('state/migrations-invalid', `migrations "${name}": expected ${expected}`, {
    fields: { name, expected, ...fields },
  });
}

function checkStep(name: string, step: MigrationStep, index: number): void {
  const { from, to, up, down } = step;
  const at = { step: index };
  if (!isSchemaVersion(from) || !isSchemaVersion(to)) {
    throw invalid(name, `whole numbers or semantic versions in step ${index}`, at);
  }
  const hop = `${from} → ${to}`;
  if (typeof from !== typeof to) throw invalid(name, `one kind of version in step ${hop}`, at);
  if (compareSchemaVersions(from, to) >= 0) throw invalid(name, `step ${hop} to lead to a later version`, at);
  if (typeof up !== 'function') throw invalid(name, `step ${hop} to have a function up`, at);
  if (down !== undefined && typeof down !== 'function') {
    throw invalid(name, `down of step ${hop} to be a function`, at);
  }
}

/** With steps that lead to later versions alone there are no circles; a version from which none leads on is a gap. */
export class MigrationGraph {
  readonly name: string;
  /** In order. */
  readonly versions: readonly SchemaVersion[];
  readonly #up = new Map<string, Hop[]>();
  readonly #down = new Map<string, Hop[]>();

  /** @throws `state/migrations-invalid` */
  constructor(name: string, steps: readonly MigrationStep[]) {
    this.name = name;
    if (steps.length === 0 || steps.length > maxSteps) {
      throw invalid(name, `1 to ${maxSteps} steps`, { steps: steps.length });
    }
    for (const [index, step] of steps.entries()) this.#add(step, index);
    const all = new Map(
      steps.flatMap(({ from, to }) => [from, to]).map((each) => [keyOfVersion(each), each]),
    );
    const kinds = new Set(Array.from(all.values(), (version) => typeof version));
    if (kinds.size > 1) throw invalid(name, 'numbers as versions or semantic versions, not both', {});
    this.versions = Object.freeze([...all.values()].toSorted(compareSchemaVersions));
    this.#checkGaps();
  }

  get newest(): SchemaVersion {
    return this.versions.at(-1) as SchemaVersion;
  }

  /**
   * The shortest way, first defined first. A way never turns round: what a step down drops, no step up brings back.
   * @throws `state/migration-path-not-found` (fields name, from, to, known)
   */
  path(from: SchemaVersion, to: SchemaVersion): readonly Hop[] {
    const isKnown = (version: unknown): boolean =>
      isSchemaVersion(version) && this.versions.some((each) => keyOfVersion(each) === keyOfVersion(version));
    if (!isKnown(from) || !isKnown(to)) throw this.#notFound(from, to);
    const order = compareSchemaVersions(from, to);
    if (order === 0) return [];
    const path = search(order < 0 ? this.#up : this.#down, keyOfVersion(from), keyOfVersion(to));
    if (!path) throw this.#notFound(from, to);
    return path;
  }

  #add(step: MigrationStep, index: number): void {
    checkStep(this.name, step, index);
    const { from, to, up, down } = step;
    const [start, end] = [keyOfVersion(from), keyOfVersion(to)];
    const hops = this.#up.get(start) ?? [];
    if (hops.some((hop) => keyOfVersion(hop.to) === end)) {
      throw invalid(this.name, `one step ${from} → ${to}`, { step: index });
    }
    this.#up.set(start, [...hops, { from, to, direction: 'up', migrate: up }]);
    if (!down) return;
    const back: Hop = { from: to, to: from, direction: 'down', migrate: down };
    this.#down.set(end, [...(this.#down.get(end) ?? []), back]);
  }

  #checkGaps(): void {
    const ends = this.versions.filter((version) => !this.#up.has(keyOfVersion(version)));
    const gaps = ends.slice(0, -1).map(String);
    if (gaps.length === 0) return;
    const named = gaps.slice(0, maxNamed);
    throw invalid(this.name, `a step that leads on from ${named.join(', ')} towards ${this.newest}`, {
      gaps: named,
    });
  }

  #notFound(from: unknown, to: unknown): CodedError {
    const known = this.versions.slice(-maxNamed);
    const [start, end] = [shown(from), shown(to)];
    return new CodedError(
      'state/migration-path-not-found',
      `migrations "${this.name}": nothing leads from ${start} to ${end}; known: ${known.join(', ')}`,
      { fields: { name: this.name, from: start, to: end, known } },
    );
  }
}

function shown(version: unknown): string | number | null {
  if (typeof version === 'number') return Number.isFinite(version) ? version : String(version);
  return typeof version === 'string' ? version.slice(0, 100) : null;
}

/** Breadth first. */
function search(
  hops: ReadonlyMap<string, readonly Hop[]>,
  from: string,
  to: string,
): readonly Hop[] | undefined {
  const cameBy = new Map<string, Hop | undefined>([[from, undefined]]);
  // a Map goes on with what is added while it is walked
  for (const version of cameBy.keys()) {
    if (version === to) break;
    for (const hop of hops.get(version) ?? []) {
      const next = keyOfVersion(hop.to);
      if (!cameBy.has(next)) cameBy.set(next, hop);
    }
  }
  if (!cameBy.has(to)) return undefined;
  const path: Hop[] = [];
  for (let hop = cameBy.get(to); hop; hop = cameBy.get(keyOfVersion(hop.from))) path.push(hop);
  return path.toReversed();
}
