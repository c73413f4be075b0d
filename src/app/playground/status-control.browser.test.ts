import { expect, test } from 'vitest';
import { StatusControl } from './status-control.ts';
import { ViewState } from './view-state.ts';

const factOf = (state: ViewState, name: string) => state.current.facts.find((fact) => fact.name === name);

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
