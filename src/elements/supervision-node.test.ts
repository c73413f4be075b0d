import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RestartRecord } from '../actor/index.ts';
import { shownRestarts, visibleRows } from './supervision-node.ts';
import type { TreeNode, TreeRow } from './supervision-node.ts';

const history = (count: number, atMs?: number): readonly RestartRecord[] =>
  Array.from({ length: count }, (_, at) => ({ child: 'qa', reason: 'crashed', atMs: atMs ?? at }));

const node = (id: string, more: Partial<TreeNode> = {}): TreeNode => ({
  id,
  label: id,
  kind: 'supervisor',
  status: 'running',
  ...more,
});

const tree = [
  node('s', {
    history: history(2),
    children: [node('m'), node('b', { history: history(1), children: [node('c')] }), node('e')],
  }),
  node('w'),
];

/** Each row as `level position/siblings id`, with what folds it. */
const lines = (rows: readonly TreeRow[]): string[] =>
  rows.map(({ id, level, position, siblings, isExpanded }) => {
    const fold = { true: '- ', false: '+ ', undefined: '' }[String(isExpanded)] ?? '';
    return `${fold}${level} ${position}/${siblings} ${id}`;
  });

test('at first all is open but the histories', () => {
  expect(lines(visibleRows(tree, new Set()))).toEqual([
    '- 1 1/2 s',
    '+ 2 1/4 s history',
    '2 2/4 m',
    '- 2 3/4 b',
    '+ 3 1/2 b history',
    '3 2/2 c',
    '2 4/4 e',
    '1 2/2 w',
  ]);
});

test('an open history has the newest first; what is folded hides what is below', () => {
  expect(lines(visibleRows(tree, new Set(['s history', 'b'])))).toEqual([
    '- 1 1/2 s',
    '- 2 1/4 s history',
    '3 1/2 s history 1 qa 1',
    '3 2/2 s history 0 qa 1',
    '2 2/4 m',
    '+ 2 3/4 b',
    '2 4/4 e',
    '1 2/2 w',
  ]);
});

test('a long history is cut, and says how much it leaves out', () => {
  const rows = visibleRows([node('s', { history: history(100) })], new Set(['s history']));
  expect(rows).toHaveLength(2 + shownRestarts + 1);
  expect(rows[2]).toMatchObject({ type: 'restart', record: { atMs: 99 }, siblings: shownRestarts + 1 });
  expect(rows.at(-1)).toMatchObject({
    type: 'older',
    count: 100 - shownRestarts,
    position: shownRestarts + 1,
  });
});

test('a restart keeps its id when another comes, even in the same millisecond', () => {
  const ids = (count: number): readonly string[] =>
    visibleRows([node('s', { history: history(count, 7) })], new Set(['s history'])).map(({ id }) => id);
  expect(ids(3)).toEqual(['s', 's history', 's history 7 qa 3', ...ids(2).slice(2)]);
});

const arbitraryTree = (depth: number): fc.Arbitrary<TreeNode[]> => {
  const children = depth === 0 ? fc.constant<TreeNode[]>([]) : arbitraryTree(depth - 1);
  const one = fc
    .tuple(fc.nat(30), children)
    .map(([count, below]) => node('', { history: history(count), children: below }));
  return fc.array(one, { maxLength: 3 });
};

const named = (nodes: readonly TreeNode[], path: string): TreeNode[] =>
  nodes.map((one, at) => {
    const id = `${path}.${at}`;
    return { ...one, id, children: named(one.children ?? [], id) };
  });

/** What a reader of the rows would find wrong with them. */
function faultsOf(rows: readonly TreeRow[]): string[] {
  const before = new Map<string, TreeRow>();
  const positions = new Map<string | undefined, number>();
  const faults: string[] = [];
  for (const row of rows) {
    const above = row.parent === undefined ? undefined : before.get(row.parent);
    const position = (positions.get(row.parent) ?? 0) + 1;
    if (before.has(row.id)) faults.push(`${row.id} twice`);
    if (row.parent !== undefined && !above?.isExpanded) faults.push(`${row.id} without what it is below`);
    if (row.level !== (above?.level ?? 0) + 1) faults.push(`${row.id} at level ${row.level}`);
    if (row.position !== position) faults.push(`${row.id} at ${row.position}`);
    before.set(row.id, row);
    positions.set(row.parent, position);
  }
  const short = rows.filter(({ parent, siblings }) => positions.get(parent) !== siblings);
  return [...faults, ...short.map(({ id, siblings }) => `${id} of ${siblings}`)];
}

test('whatever is folded, ids are unique, parents are open and come first, and places are counted right', () => {
  const coins = fc.infiniteStream(fc.boolean());
  fc.assert(
    fc.property(arbitraryTree(3), coins, (drawn, coin) => {
      const nodes = named(drawn, 'n');
      const ids = visibleRows(nodes, new Set()).map(({ id }) => id);
      const toggled = new Set(ids.filter(() => coin.next().value));
      expect(faultsOf(visibleRows(nodes, toggled))).toEqual([]);
    }),
    { numRuns: 200 },
  );
});
