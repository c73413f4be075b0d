import { expect, test } from 'vitest';
import type { RestartRecord } from '../actor/index.ts';
import { supervisionNews } from './supervision-news.ts';
import type { TreeNode, TreeStatus } from './supervision-node.ts';

const record = (atMs: number, child = 'qa', reason = 'crashed'): RestartRecord => ({ child, reason, atMs });
const supervisor = (history: readonly RestartRecord[], more: Partial<TreeNode> = {}): TreeNode => ({
  id: 's',
  label: 'root',
  kind: 'supervisor',
  status: 'running',
  history,
  ...more,
});
const module = (status: TreeStatus, id = 'm'): TreeNode => ({ id, label: id, kind: 'module', status });

test('what was there at first is no news, nor is what stays', () => {
  const tree = [supervisor([record(1)], { children: [module('crashed')] })];
  expect(supervisionNews([], tree)).toBe('');
  expect(supervisionNews(tree, structuredClone(tree))).toBe('');
});

test('only the restarts that are new are told, the last with what is left', () => {
  const budget = { restartsLeft: 1, maxRestarts: 3, maxSeconds: 5 };
  const after = supervisor([record(1), record(2), record(3, 'other', 'worker-hung')], { budget });
  expect(supervisionNews([supervisor([record(1)])], [after])).toBe(
    'root restarts qa: it crashed, root restarts other: its worker did not answer in time and was killed (1 of 3 restarts left)',
  );
});

test('a list that is full loses its oldest, which is no news', () => {
  const full = Array.from({ length: 100 }, (_, atMs) => record(atMs));
  expect(supervisionNews([supervisor(full)], [supervisor([...full.slice(1), record(100)])])).toBe(
    'root restarts qa: it crashed',
  );
});

test('restarts of one child in one millisecond are as many as they are', () => {
  const same = (count: number): readonly RestartRecord[] => Array.from({ length: count }, () => record(1));
  expect(supervisionNews([supervisor(same(2))], [supervisor(same(4))]).match(/restarts/gu)).toHaveLength(2);
});

test('a supervisor that is new tells what it has restarted', () => {
  const nested = supervisor([record(1)], { id: 's/b', label: 'root/b' });
  expect(supervisionNews([supervisor([])], [supervisor([], { children: [nested] })])).toBe(
    'root/b restarts qa: it crashed, root/b: running',
  );
});

test('a supervisor that is over when it is first seen tells that, and nothing of its history', () => {
  const over = supervisor([record(1)], { id: 'old', status: 'crashed' });
  expect(supervisionNews([supervisor([])], [supervisor([]), over])).toBe('root: crashed');
});

test('a storm is counted', () => {
  const many = (status: TreeStatus): TreeNode[] =>
    Array.from({ length: 1_000 }, (_, at) => module(status, `m${at}`));
  const news = supervisionNews(many('running'), many('restarting'));
  expect(news).toBe(
    'm0: restarting, m1: restarting, m2: restarting, m3: restarting, m4: restarting, 995 more',
  );
});
