import { expect, test } from 'vitest';
import type { TreeNode } from '../../elements/index.ts';
import type { RegisteredModule, RuntimeSnapshot } from '../../runtime/index.ts';
import { toTree } from './tree.ts';

const limits = { maxRestarts: 3, maxSeconds: 5, restartsLeft: 2 };
const record = { child: 'qa', reason: 'worker-lost: ended', atMs: 7 };
const actor = { type: 'actor', restart: 'permanent', status: 'running' } as const;

const hosted = (id: string, more: object = {}): RuntimeSnapshot['modules'][number] => ({
  id,
  kind: 'qa',
  status: 'running',
  worker: 'worker-1',
  restarts: 1,
  openCalls: 2,
  startedAtMs: 0,
  ...more,
});

const registered = (id: string, more: Partial<RegisteredModule> = {}): RegisteredModule => ({
  id,
  kind: 'qa',
  status: 'running',
  metadata: {},
  dependencies: [],
  downDependencies: [],
  dependents: [],
  restarts: 1,
  registeredAtMs: 0,
  ...more,
});

const snapshot: RuntimeSnapshot = {
  supervisor: {
    id: 's',
    strategy: 'one-for-one',
    ...limits,
    restarts: [record],
    children: [
      { id: 'qa', ...actor },
      {
        ...actor,
        id: 'pair',
        type: 'supervisor',
        status: 'stopping',
        supervisor: {
          id: 's/pair',
          strategy: 'rest-for-one',
          ...limits,
          restarts: [],
          children: [
            { id: 'left', ...actor },
            { id: 'left/hops[0]', ...actor },
            { id: 'unheard', ...actor, status: 'exited' },
            { ...actor, id: 'gone', type: 'supervisor', status: 'restarting' },
          ],
        },
      },
    ],
  },
  gaveUp: [1, 2].map((atMs) => ({
    supervisor: {
      id: `old-${atMs}`,
      strategy: 'one-for-one',
      ...limits,
      restartsLeft: 0,
      restarts: [record],
      children: [{ id: 'qa', ...actor, status: 'stopped' }],
    },
    message: 'more than 3',
    atMs,
  })),
  workers: [
    { id: 'worker-1', isDedicated: false, actors: ['qa', 'left'] },
    { id: 'worker-2', isDedicated: true, actors: ['lost'] },
  ],
  modules: [
    hosted('qa', { kind: 'qa' }),
    hosted('left', {
      parts: [
        { path: 'hops[0]', id: 'left/hops[0]', whenDown: 'local' },
        { path: 'critic', id: 'left/critic', whenDown: 'fail' },
      ],
    }),
    hosted('left/hops[0]', { around: 'left', status: 'degraded' }),
    hosted('lost', { status: 'restarting', worker: undefined, restarts: 2, openCalls: 7 }),
  ],
  registered: [
    registered('qa', {
      dependencies: [
        { id: 'left', whenDown: 'wait' },
        { id: 'absent', whenDown: 'degrade' },
      ],
      downDependencies: ['absent'],
    }),
    registered('left'),
    registered('lost'),
    registered('fallen', {
      status: 'crashed',
      restarts: 3,
      crash: { code: 'actor/crashed', message: 'as asked', reason: 'crashed', atMs: 9 },
    }),
    registered('left/critic', { status: 'crashed' }),
    registered('idle', { status: 'stopped', restarts: 0 }),
  ],
  degradations: [],
};

// a snapshot has a top
const [top, ...others] = toTree(snapshot) as readonly [TreeNode, ...TreeNode[]];
const workers = others.filter(({ kind }) => kind === 'worker');
const child = (node: TreeNode | undefined, label: string): TreeNode | undefined =>
  node?.children?.find((one) => one.label === label);

test('a supervisor has its strategy, its budget, its history, and its children in order of start', () => {
  expect(top).toMatchObject({
    id: 'supervisor s',
    label: 's',
    kind: 'supervisor',
    strategy: 'one-for-one',
    budget: { restartsLeft: 2, maxRestarts: 3, maxSeconds: 5 },
    history: [record],
  });
  expect(top.children?.map(({ label }) => label)).toEqual([
    'qa',
    'pair',
    'lost',
    'fallen',
    'left/critic',
    'idle',
  ]);
});

test('supervisors below it hold their own; one that does not run has nothing below', () => {
  const pair = child(top, 'pair');
  expect(pair).toMatchObject({
    kind: 'supervisor',
    status: 'stopped',
    strategy: 'rest-for-one',
    history: [],
  });
  expect(pair?.children).toMatchObject([
    { label: 'left', kind: 'module', status: 'running' },
    { label: 'left/hops[0]', kind: 'module', status: 'degraded' },
    { label: 'unheard', kind: 'module', status: 'restarting' },
    { label: 'gone', kind: 'supervisor', status: 'restarting' },
  ]);
  expect(child(pair, 'gone')).not.toHaveProperty('budget');
});

test('a module has its restarts, its mailbox, its worker and what it depends on', () => {
  expect(child(top, 'qa')).toEqual({
    id: 'module qa',
    label: 'qa',
    kind: 'module',
    status: 'running',
    restarts: 1,
    mailbox: 2,
    worker: 'worker-1',
    dependencies: [
      { id: 'left', whenDown: 'wait', isDown: false },
      { id: 'absent', whenDown: 'degrade', isDown: true },
    ],
  });
  expect(child(child(top, 'pair'), 'left')).toMatchObject({ detail: 'qa', worker: 'worker-1' });
});

test('what no supervisor has hangs from the top, with what ended it', () => {
  expect(child(top, 'lost')).toMatchObject({ status: 'restarting', restarts: 2, mailbox: 7 });
  expect(child(top, 'lost')).not.toHaveProperty('worker');
  expect(child(top, 'fallen')).toMatchObject({
    status: 'crashed',
    restarts: 3,
    crash: { code: 'actor/crashed', message: 'as asked', reason: 'crashed', atMs: 9 },
  });
  expect(child(top, 'idle')).toMatchObject({ status: 'stopped', restarts: 0 });
});

test('a sub-module says where it is, and its module what becomes of its calls', () => {
  const pair = child(top, 'pair');
  expect(child(pair, 'left')?.parts).toMatchObject([
    { path: 'hops[0]', whenDown: 'local', isDown: false },
    { path: 'critic', whenDown: 'fail', isDown: true },
  ]);
  expect(child(pair, 'left/hops[0]')?.detail).toBe('sub-module hops[0] of left');
  expect(child(top, 'left/critic')).toMatchObject({
    status: 'crashed',
    detail: 'sub-module critic of left',
  });
});

test('supervisors that gave up stand beside the tree with their history, the last first', () => {
  expect(others.slice(0, 2)).toMatchObject([
    {
      label: 'old-2',
      kind: 'supervisor',
      status: 'crashed',
      crash: { code: 'actor/supervisor-gave-up', message: 'more than 3', atMs: 2 },
      history: [record],
    },
    { label: 'old-1' },
  ]);
  expect(others[0]).not.toHaveProperty('budget');
  expect(others[0]).not.toHaveProperty('children');
});

test('workers come after the supervisors, and say who is in them', () => {
  expect(workers).toMatchObject([
    { id: 'worker worker-1', label: 'worker-1', kind: 'worker', detail: 'shared by 2 modules' },
    { id: 'worker worker-2', label: 'worker-2', kind: 'worker', detail: 'for lost alone' },
  ]);
});

test('no two rows have one id', () => {
  const idsOf = (nodes: readonly TreeNode[]): string[] =>
    nodes.flatMap(({ id, children = [] }) => [id, ...idsOf(children)]);
  const ids = idsOf([top, ...others]);
  expect(new Set(ids).size).toBe(ids.length);
});
