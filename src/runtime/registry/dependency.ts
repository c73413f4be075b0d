/**
 * What modules owe each other, decided purely: a graph and an event in, the nodes that change and who is to be told out.
 *
 * A module serves when its actor is up and no dependency that it must wait for or fail without is missing. A dependency
 * that does not serve is down to those that depend on it, so a failure travels up the graph as far as somebody degrades.
 */

/** What a module's calls do while a dependency is down: wait within their limit, fail at once, or go on. */
export type WhenDown = 'wait' | 'fail' | 'degrade';

export interface Dependency {
  readonly id: string;
  readonly whenDown: WhenDown;
}

/**
 * How a module stands: `down` (its actor does not run), `failing` and `waiting` (a dependency is down, and calls fail or
 * wait), `degraded` (a dependency is down, and calls go on), `ready`. The strictest declaration decides.
 */
export type Standing = 'down' | 'failing' | 'waiting' | 'degraded' | 'ready';

export interface DependencyNode {
  readonly dependencies: readonly Dependency[];
  /** Its own actor runs. */
  readonly isUp: boolean;
  readonly standing: Standing;
}

export interface DependencyGraph {
  readonly nodes: ReadonlyMap<string, DependencyNode>;
  /** Who names an id as a dependency, whether or not the id has a node. */
  readonly dependents: ReadonlyMap<string, ReadonlySet<string>>;
}

export type DependencyEvent =
  /** Also replaces what a node depends on. */
  | { readonly type: 'module-add'; readonly id: string; readonly dependencies: readonly Dependency[] }
  | { readonly type: 'module-remove'; readonly id: string }
  | { readonly type: 'module-up'; readonly id: string }
  | { readonly type: 'module-down'; readonly id: string };

export type DependencyEffect =
  | { readonly type: 'standing-change'; readonly id: string; readonly standing: Standing }
  /** Told to modules that are up only. */
  | {
      readonly type: 'dependency-down';
      readonly id: string;
      readonly dependency: string;
      readonly whenDown: WhenDown;
    }
  | { readonly type: 'dependency-up'; readonly id: string; readonly dependency: string };

export interface DependencyDecision {
  /** Nodes as they are from now on; undefined for one that is gone. */
  readonly nodes: ReadonlyMap<string, DependencyNode | undefined>;
  /** Dependencies before those that depend on them. */
  readonly effects: readonly DependencyEffect[];
}

type NodeOf = (id: string) => DependencyNode | undefined;

/** Whether those that depend on a node may count on it. */
export function serves(node: DependencyNode | undefined): boolean {
  return node !== undefined && (node.standing === 'ready' || node.standing === 'degraded');
}

/** The dependencies of a node that are down. */
export function downDependencies(
  nodes: DependencyGraph['nodes'],
  { dependencies }: Pick<DependencyNode, 'dependencies'>,
): readonly Dependency[] {
  return dependencies.filter(({ id }) => !serves(nodes.get(id)));
}

function standingOf({ isUp, dependencies }: Omit<DependencyNode, 'standing'>, nodeOf: NodeOf): Standing {
  if (!isUp) return 'down';
  const declared = new Set(
    dependencies.filter(({ id }) => !serves(nodeOf(id))).map(({ whenDown }) => whenDown),
  );
  if (declared.has('fail')) return 'failing';
  if (declared.has('wait')) return 'waiting';
  return declared.has('degrade') ? 'degraded' : 'ready';
}

/** Whoever depends on `id`, directly or not, each after everything of the list that it depends on. `id` itself is first. */
function affectedBy(dependents: DependencyGraph['dependents'], id: string): readonly string[] {
  const finished: string[] = [];
  const seen = new Set([id]);
  const path = [{ id, next: [...(dependents.get(id) ?? [])] }];
  // a chain may be as long as there are modules: no recursion
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const next = top.next.pop();
    if (next === undefined) {
      finished.push(top.id);
      path.pop();
    } else if (!seen.has(next)) {
      seen.add(next);
      path.push({ id: next, next: [...(dependents.get(next) ?? [])] });
    }
  }
  return finished.toReversed();
}

function nodeAfter(event: DependencyEvent, old: DependencyNode | undefined): DependencyNode | undefined {
  switch (event.type) {
    case 'module-add':
      return {
        dependencies: event.dependencies,
        isUp: old?.isUp ?? false,
        standing: old?.standing ?? 'down',
      };
    case 'module-remove':
      return undefined;
    case 'module-up':
    case 'module-down':
      return old && { ...old, isUp: event.type === 'module-up' };
  }
}

function tell(
  id: string,
  node: DependencyNode,
  changed: ReadonlyMap<string, boolean>,
): readonly DependencyEffect[] {
  return node.dependencies.flatMap(({ id: dependency, whenDown }): readonly DependencyEffect[] => {
    const isServing = changed.get(dependency);
    if (isServing === undefined) return [];
    if (isServing) return [{ type: 'dependency-up', id, dependency }];
    return [{ type: 'dependency-down', id, dependency, whenDown }];
  });
}

/** What one event does to the nodes, one after the other. */
class Consequences {
  readonly nodes = new Map<string, DependencyNode | undefined>();
  readonly effects: DependencyEffect[] = [];
  readonly #graph: DependencyGraph;
  /** Modules that have begun or ceased to serve. */
  readonly #changed = new Map<string, boolean>();

  constructor(graph: DependencyGraph) {
    this.#graph = graph;
  }

  /** The node that the event is about. */
  begin(event: DependencyEvent): void {
    this.#set(event.id, nodeAfter(event, this.#graph.nodes.get(event.id)));
  }

  /** A node above it, after all that lie between. */
  follow(id: string): void {
    const node = this.#graph.nodes.get(id);
    if (!node?.dependencies.some((dependency) => this.#changed.has(dependency.id))) return;
    if (node.isUp) this.effects.push(...tell(id, node, this.#changed));
    this.#set(id, node);
  }

  #set(id: string, node: DependencyNode | undefined): void {
    const old = this.#graph.nodes.get(id);
    const nodeOf: NodeOf = (other) =>
      this.nodes.has(other) ? this.nodes.get(other) : this.#graph.nodes.get(other);
    const next = node && { ...node, standing: standingOf(node, nodeOf) };
    if (next || old) this.nodes.set(id, next);
    const standing = next?.standing ?? 'down';
    if (standing !== (old?.standing ?? 'down')) this.effects.push({ type: 'standing-change', id, standing });
    if (serves(next) !== serves(old)) this.#changed.set(id, serves(next));
  }
}

/** Costs what the event changes, not the size of the graph. The graph has no cycle (`findCycle`). */
export function decideDependencies(graph: DependencyGraph, event: DependencyEvent): DependencyDecision {
  const consequences = new Consequences(graph);
  const [, ...above] = affectedBy(graph.dependents, event.id);
  consequences.begin(event);
  for (const id of above) consequences.follow(id);
  return consequences;
}

/** The cycle that `id` would close with these dependencies, from `id` to `id`; undefined when there is none. */
export function findCycle(
  nodes: DependencyGraph['nodes'],
  id: string,
  dependencies: readonly Dependency[],
): readonly string[] | undefined {
  const seen = new Set<string>();
  const path = [{ id, next: dependencies.map((dependency) => dependency.id) }];
  for (let top = path.at(-1); top; top = path.at(-1)) {
    const next = top.next.shift();
    if (next === id) return [...path.map((step) => step.id), id];
    if (next === undefined) path.pop();
    else if (!seen.has(next)) {
      seen.add(next);
      path.push({ id: next, next: (nodes.get(next)?.dependencies ?? []).map((dependency) => dependency.id) });
    }
  }
  return undefined;
}

/** The graph with the events that it has taken. */
export class DependencyTable implements DependencyGraph {
  readonly #nodes = new Map<string, DependencyNode>();
  readonly #dependents = new Map<string, Set<string>>();

  get nodes(): ReadonlyMap<string, DependencyNode> {
    return this.#nodes;
  }

  get dependents(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#dependents;
  }

  /** Takes an event and answers who is to be told of what. */
  take(event: DependencyEvent): readonly DependencyEffect[] {
    const before = this.#nodes.get(event.id)?.dependencies ?? [];
    const { nodes, effects } = decideDependencies(this, event);
    for (const [id, node] of nodes) {
      if (node) this.#nodes.set(id, node);
      else this.#nodes.delete(id);
    }
    const after = this.#nodes.get(event.id)?.dependencies ?? [];
    if (before !== after) this.#link(event.id, before, after);
    return effects;
  }

  #link(id: string, before: readonly Dependency[], after: readonly Dependency[]): void {
    for (const dependency of before) {
      const dependents = this.#dependents.get(dependency.id);
      dependents?.delete(id);
      if (dependents?.size === 0) this.#dependents.delete(dependency.id);
    }
    for (const dependency of after) {
      const dependents = this.#dependents.get(dependency.id) ?? new Set();
      this.#dependents.set(dependency.id, dependents.add(id));
    }
  }
}

/** The ids in the order to stop them: as given, but each after everything that depends on it. */
export function stopOrder(
  dependents: DependencyGraph['dependents'],
  ids: readonly string[],
): readonly string[] {
  const wanted = new Set(ids);
  const seen = new Set<string>();
  const order: string[] = [];
  for (const first of ids) {
    if (seen.has(first)) continue;
    seen.add(first);
    const path = [{ id: first, next: [...(dependents.get(first) ?? [])] }];
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const next = top.next.shift();
      if (next === undefined) {
        if (wanted.has(top.id)) order.push(top.id);
        path.pop();
      } else if (!seen.has(next)) {
        seen.add(next);
        path.push({ id: next, next: [...(dependents.get(next) ?? [])] });
      }
    }
  }
  return order;
}
