import { afterEach, expect, test, vi } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { TableControl } from './table-control.ts';
import { ViewState } from './view-state.ts';

afterEach(() => vi.unstubAllGlobals());

function open(): { readonly state: ViewState; readonly table: TableControl; readonly clock: SimulatedClock } {
  const state = new ViewState(() => undefined);
  const clock = new SimulatedClock();
  return { state, clock, table: new TableControl(state, () => undefined, clock) };
}

test('an example that never arrives ends at its limit, typed, and can be asked for again', async () => {
  const { state, table, clock } = open();
  const signals: AbortSignal[] = [];
  vi.stubGlobal('fetch', (_address: string, { signal }: { readonly signal: AbortSignal }) => {
    signals.push(signal);
    return new Promise(() => undefined);
  });
  const loading = table.loadExample();
  await vi.waitFor(() => expect(signals).toHaveLength(1));
  expect(state.current.isLoading).toBe(true);
  await clock.advance(15_000);
  await loading;
  expect(signals[0]?.aborted).toBe(true);
  expect(state.current).toMatchObject({
    isLoading: false,
    tableError: { code: 'app/example-unavailable', fields: { timeoutMs: 15_000 } },
  });

  vi.stubGlobal('fetch', () => Promise.resolve(new Response('a,b\n1,2\n')));
  await table.loadExample();
  expect(state.current.tableError).toBeUndefined();
  expect(state.current.table.rows).toEqual([[1, 2]]);
});

test.each([
  ['no connection', () => Promise.reject(new TypeError('Failed to fetch')), /Failed to fetch/u],
  ['a refusal', () => Promise.resolve(new Response('gone', { status: 404 })), /status 404/u],
])('%s has the code of the example, too', async (_what, answer, words) => {
  const { state, table } = open();
  vi.stubGlobal('fetch', answer);
  await table.loadExample();
  expect(state.current.tableError).toMatchObject({
    code: 'app/example-unavailable',
    message: expect.stringMatching(words),
  });
});
