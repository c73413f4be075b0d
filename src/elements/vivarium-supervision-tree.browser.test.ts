import { afterEach, beforeAll, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { defineElements } from './define.ts';
import type { TreeNode, TreeStatus, VivariumSupervisionTree } from './vivarium-supervision-tree.ts';

beforeAll(() => defineElements());
afterEach(() => document.body.replaceChildren());

const tree = (status: TreeStatus, restarts: number): readonly TreeNode[] => [
  {
    id: 's',
    label: 'root',
    kind: 'supervisor',
    status: 'running',
    restartsLeft: 3 - restarts,
    children: [
      {
        id: 'w',
        label: 'worker-1',
        kind: 'worker',
        status: 'running',
        children: [{ id: 'm', label: 'qa', kind: 'module', status, restarts, mailbox: 2 }],
      },
    ],
  },
];

async function open(): Promise<VivariumSupervisionTree> {
  const element = document.createElement('vivarium-supervision-tree') as VivariumSupervisionTree;
  element.nodes = tree('running', 0);
  document.body.append(element);
  await element.updateComplete;
  return element;
}

const items = (element: VivariumSupervisionTree): HTMLElement[] => [
  ...element.renderRoot.querySelectorAll<HTMLElement>('[role=treeitem]'),
];

test('nodes are a tree with levels, and one of them takes the focus', async () => {
  const element = await open();
  expect(items(element).map((item) => item.getAttribute('aria-level'))).toEqual(['1', '2', '3']);
  expect(items(element).map((item) => item.tabIndex)).toEqual([0, -1, -1]);
  expect(items(element)[2]?.textContent).toMatch(/qa.*module.*running.*0 restarts · mailbox 2/su);
});

test('arrows walk, and the focus stays with its node when the tree changes', async () => {
  const element = await open();
  items(element)[0]?.focus();
  await userEvent.keyboard('{ArrowDown}{ArrowDown}{ArrowDown}');
  element.nodes = tree('restarting', 1);
  await element.updateComplete;
  expect((element.renderRoot as ShadowRoot).activeElement?.getAttribute('data-id')).toBe('m');
  await userEvent.keyboard('{Home}');
  expect((element.renderRoot as ShadowRoot).activeElement?.getAttribute('data-id')).toBe('s');
});

test('changes of status are announced, and only those', async () => {
  const element = await open();
  const news = (): string | null | undefined =>
    element.renderRoot.querySelector('[role=status]')?.textContent;
  expect(news()).toBe('');
  element.nodes = tree('running', 1);
  await element.updateComplete;
  expect(news()).toBe('');
  element.nodes = tree('crashed', 1);
  await element.updateComplete;
  expect(news()).toBe('qa: crashed');
});
