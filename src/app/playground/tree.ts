/** The runtime's inspection as the nodes of a tree. */
import type { TreeNode } from '../../elements/index.ts';
import type { InspectedModule, ModuleHandle, RuntimeSnapshot } from '../../runtime/index.ts';
import type { AskTable } from './ask-table.ts';

function moduleNode({ id, kind, status, restarts, openCalls }: InspectedModule): TreeNode {
  return {
    id: `module ${id}`,
    label: id,
    kind: 'module',
    status,
    restarts,
    mailbox: openCalls,
    ...(kind === id ? {} : { detail: kind }),
  };
}

/** Supervisor, workers and modules; a module without a worker hangs from the supervisor. */
export function toTree(
  snapshot: RuntimeSnapshot,
  handle: ModuleHandle<AskTable> | undefined,
): readonly TreeNode[] {
  const { supervisor, workers, modules } = snapshot;
  const placed = new Set<string>();
  const workerNodes = workers.map((worker): TreeNode => {
    const hosted = modules.filter(
      (module) => worker.actors.includes(module.id) && module.worker === worker.id,
    );
    for (const module of hosted) placed.add(module.id);
    return {
      id: `worker ${worker.id}`,
      label: worker.id,
      kind: 'worker',
      status: 'running',
      detail: worker.isDedicated ? 'for one module' : 'shared',
      children: hosted.map(moduleNode),
    };
  });
  const homeless = modules.filter((module) => !placed.has(module.id)).map(moduleNode);
  const isGone = modules.length === 0 && handle !== undefined;
  return [
    {
      id: `supervisor ${supervisor.id}`,
      label: supervisor.id,
      kind: 'supervisor',
      status: 'running',
      restartsLeft: supervisor.restartsLeft,
      detail: `one for one, at most ${supervisor.maxRestarts} restarts in ${supervisor.maxSeconds} s`,
      children: [
        ...workerNodes,
        ...homeless,
        ...(isGone
          ? [{ id: `module ${handle.id}`, label: handle.id, kind: 'module', status: handle.status } as const]
          : []),
      ],
    },
  ];
}
