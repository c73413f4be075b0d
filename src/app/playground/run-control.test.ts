import { expect, test } from 'vitest';
import type { OutcomeView } from '../../elements/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import { lastRunKey } from './kept-keys.ts';
import type { ProgramControl } from './program-control.ts';
import { RunControl } from './run-control.ts';
import { ViewState } from './view-state.ts';

const outcome: OutcomeView = { state: 'done', question: 'asked before?', answer: 'yes' };

async function open(): Promise<{ readonly state: ViewState; readonly run: RunControl }> {
  const store = createMemoryStore();
  await store.commit([{ type: 'put', key: lastRunKey, value: { outcome, atMs: 5 } }]);
  const state = new ViewState(() => undefined);
  // what is restored is of the page alone: no program is asked
  return { state, run: new RunControl(state, {} as ProgramControl, store) };
}

test('the last run comes back with its question', async () => {
  const { state, run } = await open();
  await run.restore();
  expect(state.current).toMatchObject({
    question: 'asked before?',
    outcome: { answer: 'yes', restoredAtMs: 5 },
  });
});

test('a question that is being typed is left alone', async () => {
  const { state, run } = await open();
  const restoring = run.restore();
  state.update({ question: 'What I am typ' });
  await restoring;
  expect(state.current).toMatchObject({
    question: 'What I am typ',
    outcome: { answer: 'yes', restoredAtMs: 5 },
  });
});
