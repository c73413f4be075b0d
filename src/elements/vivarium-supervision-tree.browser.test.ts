import { afterEach, beforeAll, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import type { RestartRecord } from '../actor/index.ts';
import { defineElements } from './define.ts';
import type { TreeNode, TreeStatus } from './supervision-node.ts';
import type { VivariumSupervisionTree } from './vivarium-supervision-tree.ts';

beforeAll(() => defineElements());
afterEach(() => document.body.replaceChildren());

const record = (atMs: number, child = 'qa'): RestartRecord => ({ child, reason: 'worker-lost: ended', atMs });

const module = (id: string, more: Partial<TreeNode> = {}): TreeNode => ({
  id,
  label: id,
  kind: 'module',
  status: 'running',
  restarts: 0,
  mailbox: 2,
  worker: 'worker-1',
  ...more,
});

const supervisor = (id: string, more: Partial<TreeNode> = {}): TreeNode => ({
  id,
  label: id,
  kind: 'supervisor',
  status: 'running',
  strategy: 'one-for-one',
  budget: { restartsLeft: 3, maxRestarts: 3, maxSeconds: 5 },
  history: [],
  ...more,
});

/** A supervisor that has restarted `qa` as often as `history` says, and one below it. */
const tree = (
  history: readonly RestartRecord[] = [],
  status: TreeStatus = 'running',
): readonly TreeNode[] => [
  supervisor('root', {
    history,
    budget: { restartsLeft: 3 - history.length, maxRestarts: 3, maxSeconds: 5 },
    children: [
      module('qa', { status, restarts: history.length }),
      supervisor('root/pair', { strategy: 'one-for-all', children: [module('left'), module('right')] }),
    ],
  }),
  { id: 'w', label: 'worker-1', kind: 'worker', status: 'running' },
];

async function open(nodes: readonly TreeNode[] = tree()): Promise<VivariumSupervisionTree> {
  const element = document.createElement('vivarium-supervision-tree') as VivariumSupervisionTree;
  element.nodes = nodes;
  document.body.append(element);
  await element.updateComplete;
  return element;
}

async function draw(element: VivariumSupervisionTree, nodes: readonly TreeNode[]): Promise<void> {
  element.nodes = nodes;
  await element.updateComplete;
}

const items = (element: VivariumSupervisionTree): HTMLElement[] => [
  ...element.renderRoot.querySelectorAll<HTMLElement>('[role=treeitem]'),
];
const ids = (element: VivariumSupervisionTree): (string | undefined)[] =>
  items(element).map(({ dataset }) => dataset['id']);
const text = (element: VivariumSupervisionTree, id: string): string =>
  (items(element).find(({ dataset }) => dataset['id'] === id)?.textContent ?? '')
    .replaceAll(/\s+/gu, ' ')
    .trim();
const focused = (element: VivariumSupervisionTree): string | null | undefined =>
  (element.renderRoot as ShadowRoot).activeElement?.getAttribute('data-id');
const news = (element: VivariumSupervisionTree): string | null | undefined =>
  element.renderRoot.querySelector('[role=status]')?.textContent;

test('nodes are a tree with levels and places, and one of them takes the focus', async () => {
  const element = await open();
  const place = (item: HTMLElement): string =>
    ['level', 'posinset', 'setsize'].map((name) => item.getAttribute(`aria-${name}`)).join(' ');
  expect(items(element).map(place)).toEqual(['1 1 2', '2 1 2', '2 2 2', '3 1 2', '3 2 2', '1 2 2']);
  expect(items(element).map(({ tabIndex }) => tabIndex)).toEqual([0, -1, -1, -1, -1, -1]);
  const starts = items(element).map((item) => item.getBoundingClientRect().left);
  expect(starts[2]).toBeGreaterThan(starts[0] ?? Infinity);
  expect(starts[3]).toBeGreaterThan(starts[2] ?? Infinity);
  expect(starts[5]).toBe(starts[0]);
});

test('a module says how it is, where it runs, what ended it and what it depends on', async () => {
  const crash = { code: 'runtime/bad', message: 'as asked', reason: 'crashed', atMs: 0 } as const;
  const dependencies = [{ id: 'critic', whenDown: 'degrade', isDown: true }] as const;
  const parts = [{ path: 'judge', whenDown: 'fail', isDown: false }] as const;
  const element = await open([
    module('qa', { detail: 'table', restarts: 1, status: 'degraded', crash, dependencies, parts }),
    module('down', { status: 'crashed', crash }),
  ]);
  expect(text(element, 'qa')).toMatch(
    /^qa module degraded table · 1 restart · mailbox 2 · in worker-1 Ended last: it crashed .*1970.* · as asked · runtime\/bad Sub-modules: judge \(its calls fail while it is down\) Depends on critic \(down: calls go on\)$/u,
  );
  expect(text(element, 'down')).toMatch(/crashed .* Ended: it crashed .*1970/u);
  expect(text(element, 'down')).not.toContain('Ended last');
});

test('a supervisor says in words what it does and what it still bears, and shows that', async () => {
  const element = await open(tree([record(1)]));
  expect(text(element, 'root')).toContain('one for one: what fails is started again, alone');
  expect(text(element, 'root')).toContain('2 of 3 restarts left in this 5 s window');
  expect(text(element, 'root/pair')).toContain('one for all');
  const meters = [...element.renderRoot.querySelectorAll('meter')];
  expect(meters.map(({ value, max }) => [value, max])).toEqual([
    [2, 3],
    [3, 3],
  ]);
  await draw(element, tree([record(1), record(2), record(3)]));
  expect(text(element, 'root')).toContain('0 of 3 restarts left in this 5 s window: it gives up at the next');
  await draw(element, [supervisor('root', { budget: { restartsLeft: 0, maxRestarts: 0, maxSeconds: 5 } })]);
  expect(text(element, 'root')).toContain('no restarts');
  expect(element.renderRoot.querySelector('meter')).toBeNull();
});

test('the history is folded at first, and is opened and read with the keyboard: newest first', async () => {
  const element = await open(tree([record(0), record(86_400_000, 'root/pair')]));
  expect(text(element, 'root history')).toBe('Restart history · 2');
  items(element)[0]?.focus();
  await userEvent.keyboard('{ArrowDown}{ArrowRight}');
  expect(ids(element).slice(0, 5)).toEqual([
    'root',
    'root history',
    'root history 86400000 root/pair 1',
    'root history 0 qa 1',
    'qa',
  ]);
  expect(focused(element)).toBe('root history');
  expect(items(element)[1]?.getAttribute('aria-expanded')).toBe('true');
  await userEvent.keyboard('{ArrowRight}{ArrowDown}');
  expect(focused(element)).toBe('root history 0 qa 1');
  expect(text(element, 'root history 0 qa 1')).toMatch(/^qa its worker ended .*1970/u);
  const time = items(element)[3]?.querySelector('time');
  expect(time?.dateTime).toBe('1970-01-01T00:00:00.000Z');
  await userEvent.keyboard('{ArrowLeft}');
  expect(focused(element)).toBe('root history');
  await userEvent.keyboard('{Enter}');
  expect(items(element)[1]?.getAttribute('aria-expanded')).toBe('false');
  await userEvent.keyboard(' ');
  expect(items(element)[1]?.getAttribute('aria-expanded')).toBe('true');
  await userEvent.click(items(element)[1] as HTMLElement);
  expect(ids(element)[2]).toBe('qa');
});

test('arrows walk, letters leap, and what is folded is passed over', async () => {
  const element = await open();
  items(element)[0]?.focus();
  const press = async (keys: string): Promise<string | null | undefined> => {
    await userEvent.keyboard(keys);
    return focused(element);
  };
  expect(await press('{ArrowUp}')).toBe('root');
  expect(await press('{End}')).toBe('w');
  expect(await press('{ArrowDown}')).toBe('w');
  expect(await press('{ArrowUp}')).toBe('right');
  expect(await press('{ArrowRight}')).toBe('right');
  expect(await press('{ArrowLeft}')).toBe('root/pair');
  expect(await press('{ArrowLeft}')).toBe('root/pair');
  expect(ids(element)).not.toContain('left');
  expect(await press('{ArrowDown}')).toBe('w');
  expect(await press('q')).toBe('qa');
  expect(await press('r')).toBe('root/pair');
  expect(await press('R')).toBe('root');
  expect(await press('x')).toBe('root');
  expect(await press('{Home}')).toBe('root');
  // the browser's own keys stay the browser's
  const event = new KeyboardEvent('keydown', { key: 'a', ctrlKey: true, bubbles: true, cancelable: true });
  expect(items(element)[0]?.dispatchEvent(event)).toBe(true);
});

test('the focus stays with its row when rows come and go, and with its place when the row goes', async () => {
  const element = await open();
  items(element)[0]?.focus();
  await userEvent.keyboard('{ArrowDown}');
  expect(focused(element)).toBe('qa');
  await draw(element, tree([record(1)], 'restarting'));
  expect(ids(element)[1]).toBe('root history');
  expect(focused(element)).toBe('qa');
  const [root, worker] = tree([record(1)]) as [TreeNode, TreeNode];
  await draw(element, [{ ...root, children: root.children?.toReversed() ?? [] }, worker]);
  expect(focused(element)).toBe('qa');
  await draw(element, [{ ...root, children: root.children?.slice(1) ?? [] }, worker]);
  expect(focused(element)).toBe('w');
  await draw(element, []);
  await draw(element, tree());
  expect(items(element).map(({ tabIndex }) => tabIndex)).toEqual([0, -1, -1, -1, -1, -1]);
});

test('a tree that changes while the focus is elsewhere does not take it', async () => {
  const element = await open();
  const button = document.createElement('button');
  document.body.append(button);
  items(element)[1]?.focus();
  button.focus();
  await draw(element, [supervisor('root')]);
  expect(document.activeElement).toBe(button);
});

test('new states and new restarts are announced, and only those', async () => {
  const element = await open(tree([record(1)]));
  expect(news(element)).toBe('');
  await draw(element, tree([record(1)]));
  expect(news(element)).toBe('');
  await draw(element, tree([record(1), record(2)], 'restarting'));
  expect(news(element)).toBe('root restarts qa: its worker ended (1 of 3 restarts left), qa: restarting');
  await draw(element, tree([record(1), record(2)]));
  expect(news(element)).toBe('qa: running');
});

test('the same words are announced again when they are news again', async () => {
  const element = await open(tree());
  const region = element.renderRoot.querySelector('[role=status]') as HTMLElement;
  let times = 0;
  new MutationObserver((changes) => {
    if (changes.some(({ addedNodes }) => addedNodes.length > 0)) times++;
  }).observe(region, { childList: true, subtree: true });
  const later = (atMs: number): readonly TreeNode[] => {
    const [root, worker] = tree([record(atMs)]) as [TreeNode, TreeNode];
    return [root, worker];
  };
  await draw(element, later(1));
  const first = news(element);
  await draw(element, later(60_000));
  expect(news(element)).toBe(first);
  expect(times).toBe(2);
});

test('what a module or an error says of itself is text', async () => {
  const hostile = '<img src=x onerror=alert(1)>';
  const crash = { code: 'runtime/bad', message: hostile, reason: 'crashed', atMs: NaN } as const;
  const history = [{ child: hostile, reason: hostile, atMs: NaN }];
  const element = await open([
    supervisor(hostile, { history, children: [module(hostile + '2', { detail: hostile, crash })] }),
  ]);
  items(element)[1]?.click();
  await element.updateComplete;
  expect(element.renderRoot.querySelector('img')).toBeNull();
  expect(text(element, `${hostile} history NaN ${hostile} 1`)).toBe(`${hostile} ${hostile} –`);
});

test('thousands of modules are cut, and the rest are counted', async () => {
  const children = Array.from({ length: 5_000 }, (_, at) => module(`m${at}`));
  const element = await open([supervisor('root', { children })]);
  expect(items(element)).toHaveLength(500);
  expect(element.renderRoot.textContent).toContain('4501 more that are not drawn.');
  items(element)[0]?.focus();
  await userEvent.keyboard('{End}');
  expect(focused(element)).toBe('m498');
});

test('a deep tree fits a narrow screen', async () => {
  let node = module('deepest-module-with-a-name-that-does-not-end', {
    dependencies: [{ id: 'another-long-name-without-any-space', whenDown: 'wait', isDown: false }],
  });
  for (let depth = 0; depth < 20; depth++) {
    node = supervisor(`s${depth}`, { history: [record(1, node.label)], children: [node] });
  }
  const element = await open([node]);
  document.body.style.width = '20rem';
  for (const item of items(element).filter(({ dataset }) => dataset['kind'] === 'history')) item.click();
  await element.updateComplete;
  const { right } = element.getBoundingClientRect();
  for (const part of element.renderRoot.querySelectorAll('[role=treeitem], [role=treeitem] *:not(.hidden)')) {
    expect(part.getBoundingClientRect().right).toBeLessThanOrEqual(right + 0.5);
  }
  expect(element.scrollWidth).toBeLessThanOrEqual(element.clientWidth);
  document.body.removeAttribute('style');
});
