import { expect, test } from 'vitest';
import { createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import { StatusControl } from './status-control.ts';
import { ViewState } from './view-state.ts';

/** A store that says what one on disk would. */
function storeThat({ durable, isPersisted }: { durable: boolean; isPersisted: () => boolean }): Store {
  const store = createMemoryStore();
  return Object.assign(Object.create(store) as Store, {
    capabilities: { ...store.capabilities, durable },
    estimate: async () => ({ usageBytes: 10, quotaBytes: 100, isPersisted: isPersisted() }),
  });
}

const factOf = (state: ViewState, name: string) => state.current.facts.find((fact) => fact.name === name);

test('asks once that what is stored stays, and shows the answer', async () => {
  for (const answer of [true, false]) {
    const state = new ViewState(() => undefined);
    let asked = 0;
    const control = new StatusControl(state, async () => (asked++, answer));
    const store = storeThat({ durable: true, isPersisted: () => asked > 0 && answer });
    await control.describeStore(store);
    expect(asked).toBe(0);
    await control.keepStored(store);
    await control.keepStored(store);
    expect(asked).toBe(1);
    expect(factOf(state, 'Used')?.detail).toContain(answer ? 'promised' : 'may evict');
  }
});

test('what is kept in memory only is not asked for', async () => {
  let asked = 0;
  const control = new StatusControl(new ViewState(() => undefined), async () => (asked++, true));
  await control.keepStored(storeThat({ durable: false, isPersisted: () => false }));
  expect(asked).toBe(0);
});

test('a sandbox that cannot start is said, until one can', () => {
  const state = new ViewState(() => undefined);
  const control = new StatusControl(state);
  expect(factOf(state, 'Python')?.value).toBe('Starting');
  const error = { code: 'executor/sandbox-failed', message: 'no frame' };
  control.onEvent({ type: 'sandbox-fail', language: 'python', durationMs: 5, error, atMs: 0 });
  expect(factOf(state, 'Python')).toMatchObject({ value: 'Could not start', level: 'error' });
  control.onEvent({ type: 'sandbox-start', sandbox: 's', language: 'python', durationMs: 5, atMs: 0 });
  expect(factOf(state, 'Python')).toMatchObject({ level: 'ok' });
});
