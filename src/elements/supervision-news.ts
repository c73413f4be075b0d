/** What a listener is told when a supervision tree changes: states and restarts that are new, and no more of them than one can listen to. */
import type { RestartRecord } from '../actor/index.ts';
import { allNodes } from './supervision-node.ts';
import type { TreeNode } from './supervision-node.ts';
import { reasonWords, restartsLeftWords } from './supervision-words.ts';

/** Changes that are said one by one; the rest are counted. */
const saidChanges = 5;

/** Empty when nothing happened that is worth a word. A tree that was empty before has no news: all of it is new. */
export function supervisionNews(before: readonly TreeNode[], after: readonly TreeNode[]): string {
  if (before.length === 0) return '';
  const known = new Map(allNodes(before).map((node) => [node.id, node]));
  const nodes = allNodes(after);
  const restarts = nodes.flatMap((node) => restartNews(known.get(node.id), node));
  const states = nodes
    .filter(({ id, status }) => known.get(id)?.status !== status)
    .map(({ label, status }) => `${label}: ${status}`);
  const changes = [...restarts, ...states];
  const left = changes.length - saidChanges;
  return [...changes.slice(0, saidChanges), ...(left > 0 ? [`${left} more`] : [])].join(', ');
}

function restartNews(before: TreeNode | undefined, node: TreeNode): string[] {
  const { label, history = [], budget, status } = node;
  // one that is over when it is first seen has its history from another life
  if (!before && status === 'crashed') return [];
  const fresh = newRecords(before?.history ?? [], history);
  return fresh.map(({ child, reason }, at) => {
    const isLast = at === fresh.length - 1;
    const left = budget && isLast ? ` (${restartsLeftWords(budget)})` : '';
    return `${label} restarts ${child}: ${reasonWords(reason)}${left}`;
  });
}

const isSame = (one: RestartRecord, other: RestartRecord | undefined): boolean =>
  one.atMs === other?.atMs && one.child === other.child && one.reason === other.reason;

/** Those at the end of `after` that `before` does not end with: the list is bounded, so the oldest may have gone. */
function newRecords(
  before: readonly RestartRecord[],
  after: readonly RestartRecord[],
): readonly RestartRecord[] {
  for (let gone = 0; gone < before.length; gone++) {
    const kept = before.slice(gone);
    if (kept.every((record, at) => isSame(record, after[at]))) return after.slice(kept.length);
  }
  return after;
}
