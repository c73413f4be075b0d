/** A supervision tree as the element takes it, and as the rows that it draws. */
import type { RestartRecord, Strategy } from '../actor/index.ts';
import type { CrashReason, ModuleStatus } from '../runtime/index.ts';
import type { Budget, ShownDependency, ShownPart } from './supervision-words.ts';

/** The states of a module, in OTP's order of life. */
export type TreeStatus = ModuleStatus;

/** What ended something: with a reason of an exit, or of a restart. */
export interface TreeCrash extends Omit<CrashReason, 'reason'> {
  readonly reason: string;
}

export interface TreeNode {
  /** Unique in the tree. */
  readonly id: string;
  readonly label: string;
  readonly kind: 'supervisor' | 'worker' | 'module' | 'service';
  readonly status: TreeStatus;
  /** One short line: what it is, when its name does not say so. */
  readonly detail?: string;
  /** Of a supervisor: what it does when a child fails. */
  readonly strategy?: Strategy;
  /** Of a supervisor: the restarts that it still allows. It refills with time, so hand in a fresh one while some is spent. */
  readonly budget?: Budget;
  /** Of a supervisor: the restarts that it tried, newest last. */
  readonly history?: readonly RestartRecord[];
  /** Restarts since it was first started. */
  readonly restarts?: number;
  /** Calls that have not ended: those it works on and those that wait. */
  readonly mailbox?: number;
  /** The worker that it runs in. */
  readonly worker?: string;
  /** What ended it last. */
  readonly crash?: TreeCrash;
  readonly dependencies?: readonly ShownDependency[];
  /** Its sub-modules that are actors of their own. */
  readonly parts?: readonly ShownPart[];
  readonly children?: readonly TreeNode[];
}

interface Place {
  readonly id: string;
  /** From 1. */
  readonly level: number;
  /** Among its siblings, from 1. */
  readonly position: number;
  readonly siblings: number;
  /** Undefined when there is nothing below it. */
  readonly isExpanded: boolean | undefined;
  /** The row above it in the tree. */
  readonly parent: string | undefined;
}

/** One line of the tree. */
export type TreeRow = Place &
  (
    | { readonly type: 'node'; readonly node: TreeNode }
    | { readonly type: 'history'; readonly node: TreeNode }
    | { readonly type: 'restart'; readonly record: RestartRecord }
    | { readonly type: 'older'; readonly count: number }
  );

/** Restarts drawn per supervisor; the older ones are counted. A runtime keeps 100. */
export const shownRestarts = 20;

/** All nodes, each before those below it. */
export function allNodes(nodes: readonly TreeNode[]): readonly TreeNode[] {
  return nodes.flatMap((node) => [node, ...allNodes(node.children ?? [])]);
}

/**
 * The rows that are in sight.
 * @param toggled rows that are not as they are at first: histories are folded, all else is open
 */
export function visibleRows(nodes: readonly TreeNode[], toggled: ReadonlySet<string>): readonly TreeRow[] {
  const rowsBelow = (parent: TreeNode | undefined, level: number): readonly TreeRow[] => {
    const children = parent ? (parent.children ?? []) : nodes;
    const hasHistory = (parent?.history?.length ?? 0) > 0;
    const first = hasHistory ? 1 : 0;
    const siblings = children.length + first;
    const place = { level, siblings, parent: parent?.id };
    return [
      ...(parent && hasHistory ? historyRows(parent, { ...place, position: 1 }, toggled) : []),
      ...children.flatMap((node, at): readonly TreeRow[] => {
        const { id } = node;
        const isParent = (node.children?.length ?? 0) + (node.history?.length ?? 0) > 0;
        const isExpanded = isParent ? !toggled.has(id) : undefined;
        const row: TreeRow = { type: 'node', node, id, ...place, position: at + 1 + first, isExpanded };
        return [row, ...(isExpanded ? rowsBelow(node, level + 1) : [])];
      }),
    ];
  };
  return rowsBelow(undefined, 1);
}

function historyRows(
  node: TreeNode,
  place: Pick<Place, 'level' | 'position' | 'siblings' | 'parent'>,
  toggled: ReadonlySet<string>,
): readonly TreeRow[] {
  const id = `${node.id} history`;
  const isExpanded = toggled.has(id);
  const head: TreeRow = { type: 'history', node, id, ...place, isExpanded };
  if (!isExpanded) return [head];
  const records = keyed(node.history ?? []).toReversed();
  const shown = records.slice(0, shownRestarts);
  const older = records.length - shown.length;
  const below = {
    level: place.level + 1,
    siblings: shown.length + (older > 0 ? 1 : 0),
    parent: id,
    isExpanded: undefined,
  };
  return [
    head,
    ...shown.map(({ key, record }, at): TreeRow => ({
      type: 'restart',
      record,
      id: `${id} ${key}`,
      position: at + 1,
      ...below,
    })),
    ...(older > 0
      ? [{ type: 'older', count: older, id: `${id} older`, position: below.siblings, ...below } as const]
      : []),
  ];
}

/** Restarts of one child in one millisecond are told apart by their order. */
function keyed(
  records: readonly RestartRecord[],
): readonly { readonly key: string; readonly record: RestartRecord }[] {
  const seen = new Map<string, number>();
  return records.map((record) => {
    const moment = `${record.atMs} ${record.child}`;
    const times = (seen.get(moment) ?? 0) + 1;
    seen.set(moment, times);
    return { key: `${moment} ${times}`, record };
  });
}
