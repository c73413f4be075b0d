import { expect, test } from 'vitest';
import type { RuntimeSnapshot } from '../../runtime/index.ts';
import { toTree } from './tree.ts';

const snapshot: RuntimeSnapshot = {
  supervisor: {
    id: 's',
    strategy: 'one-for-one',
    maxRestarts: 3,
    maxSeconds: 5,
    restartsLeft: 2,
    restarts: [],
    children: [],
  },
  workers: [{ id: 'worker-1', isDedicated: true, actors: ['qa'] }],
  modules: [
    {
      id: 'qa',
      kind: 'qa',
      status: 'running',
      worker: 'worker-1',
      restarts: 1,
      openCalls: 2,
      startedAtMs: 0,
    },
    {
      id: 'lost',
      kind: 'qa',
      status: 'restarting',
      worker: undefined,
      restarts: 2,
      openCalls: 7,
      startedAtMs: 0,
    },
  ],
  registered: [],
  degradations: [],
};

test('each module has its mailbox, in its worker or while it waits for one', () => {
  const [supervisor] = toTree(snapshot, undefined);
  const [worker, lost] = supervisor?.children ?? [];
  expect(worker?.children).toMatchObject([{ label: 'qa', restarts: 1, mailbox: 2 }]);
  expect(lost).toMatchObject({ label: 'lost', status: 'restarting', mailbox: 7 });
});
