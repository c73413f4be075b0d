/** The runtime's inspection as the nodes of a tree. */
import type { ChildSnapshot, SupervisorSnapshot } from '../../actor/index.ts';
import type { TreeNode, TreeStatus } from '../../elements/index.ts';
import type { InspectedModule, RegisteredModule, RuntimeSnapshot } from '../../runtime/index.ts';

/** How a child stands that the runtime itself says nothing of. */
const childStatus: Readonly<Record<ChildSnapshot['status'], TreeStatus>> = {
  starting: 'starting',
  running: 'running',
  exited: 'restarting',
  restarting: 'restarting',
  stopping: 'stopped',
  stopped: 'stopped',
};

type Facts = Partial<TreeNode> & Pick<TreeNode, 'status'>;

/** The kind, where the id does not say it. */
const kindOf = ({ id, kind }: { readonly id: string; readonly kind: string }): { detail?: string } =>
  kind === id ? {} : { detail: kind };

function registeredFacts(module: RegisteredModule): Facts {
  const { status, restarts, crash, downDependencies, dependencies } = module;
  const down = new Set(downDependencies);
  const shown = dependencies.map((one) => ({ ...one, isDown: down.has(one.id) }));
  return { ...kindOf(module), status, restarts, ...(crash ? { crash } : {}), dependencies: shown };
}

function hostedFacts(module: InspectedModule): Facts {
  const { status, restarts, openCalls, worker } = module;
  return {
    ...kindOf(module),
    status,
    restarts,
    mailbox: openCalls,
    ...(worker === undefined ? {} : { worker }),
  };
}

/** What is known of modules, by id, and which of them have their place in the tree. */
class Modules {
  readonly #inspected: ReadonlyMap<string, InspectedModule>;
  readonly #registered: ReadonlyMap<string, RegisteredModule>;
  /** Where sub-modules are, by their id. */
  readonly #places: ReadonlyMap<string, { readonly path: string; readonly around: string }>;
  readonly #placed = new Set<string>();

  constructor({ modules, registered }: RuntimeSnapshot) {
    this.#inspected = new Map(modules.map((module) => [module.id, module]));
    this.#registered = new Map(registered.map((module) => [module.id, module]));
    this.#places = new Map(
      modules.flatMap(({ id: around, parts = [] }) => parts.map(({ id, path }) => [id, { path, around }])),
    );
  }

  /** @param otherwise its status where nothing else says one */
  place(id: string, otherwise: TreeStatus): TreeNode {
    this.#placed.add(id);
    const [known, hosted] = [this.#registered.get(id), this.#inspected.get(id)];
    return {
      id: `module ${id}`,
      label: id,
      kind: 'module',
      status: otherwise,
      ...(known ? registeredFacts(known) : {}),
      ...(hosted ? hostedFacts(hosted) : {}),
      ...this.#partFacts(id),
    };
  }

  /** What it is a part of, and its own parts. A part that is gone for good is known to the module around it only. */
  #partFacts(id: string): Partial<TreeNode> {
    const place = this.#places.get(id);
    const parts = this.#inspected.get(id)?.parts?.map((part) => {
      const status = this.#inspected.get(part.id)?.status;
      return { ...part, isDown: status !== 'running' && status !== 'degraded' };
    });
    return {
      ...(place ? { detail: `sub-module ${place.path} of ${place.around}` } : {}),
      ...(parts ? { parts } : {}),
    };
  }

  /** Those that no supervisor has: they start, wait, have crashed or were stopped. */
  placeRest(): readonly TreeNode[] {
    const ids = new Set([...this.#inspected.keys(), ...this.#registered.keys()]);
    return [...ids].filter((id) => !this.#placed.has(id)).map((id) => this.place(id, 'stopped'));
  }
}

function childNode(child: ChildSnapshot, above: SupervisorSnapshot, modules: Modules): TreeNode {
  const status = childStatus[child.status];
  // its place says the rest of its path
  const named = { label: child.id, status };
  if (child.supervisor) return { ...supervisorNode(child.supervisor, modules), ...named };
  if (child.type === 'actor') return modules.place(child.id, status);
  return { id: `supervisor ${above.id}/${child.id}`, kind: 'supervisor', ...named };
}

function supervisorNode(supervisor: SupervisorSnapshot, modules: Modules): TreeNode {
  const { id, strategy, restartsLeft, maxRestarts, maxSeconds, restarts, children } = supervisor;
  return {
    id: `supervisor ${id}`,
    label: id,
    kind: 'supervisor',
    status: 'running',
    strategy,
    budget: { restartsLeft, maxRestarts, maxSeconds },
    history: restarts,
    children: children.map((child) => childNode(child, supervisor, modules)),
  };
}

function workerNode({ id, isDedicated, actors }: RuntimeSnapshot['workers'][number]): TreeNode {
  const shared = `shared by ${actors.length} ${actors.length === 1 ? 'module' : 'modules'}`;
  const detail = isDedicated ? `for ${actors.join(', ') || 'one module'} alone` : shared;
  return { id: `worker ${id}`, label: id, kind: 'worker', status: 'running', detail };
}

/** What it watched is gone or elsewhere; what it had restarted is told nowhere else. */
function gaveUpNode({ supervisor, message, atMs }: RuntimeSnapshot['gaveUp'][number]): TreeNode {
  const { id, strategy, restarts } = supervisor;
  return {
    id: `gave up ${id} ${atMs}`,
    label: id,
    kind: 'supervisor',
    status: 'crashed',
    strategy,
    crash: { code: 'actor/supervisor-gave-up', reason: 'shutdown: gave up', message, atMs },
    history: restarts,
  };
}

/**
 * Supervisors with what they watch, those that gave up, and the workers: a worker may hold modules of several
 * supervisors. What no supervisor has hangs from the top.
 */
export function toTree(snapshot: RuntimeSnapshot): readonly TreeNode[] {
  const modules = new Modules(snapshot);
  const top = supervisorNode(snapshot.supervisor, modules);
  const children = [...(top.children ?? []), ...modules.placeRest()];
  const gaveUp = snapshot.gaveUp.toReversed().map(gaveUpNode);
  return [{ ...top, children }, ...gaveUp, ...snapshot.workers.map(workerNode)];
}
