import { expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import type { ProgramControl } from './program-control.ts';
import type { Services } from './services.ts';
import { shippedSource, SourceControl, stateOfText } from './source-control.ts';
import { ViewState } from './view-state.ts';

test('a text is judged by what serves, not by what was shipped', () => {
  expect(stateOfText(shippedSource, shippedSource)).toBe('original');
  expect(stateOfText('mine', shippedSource)).toBe('edited');
  expect(stateOfText('mine', 'mine')).toBe('applied');
  // back at the shipped text while the edit serves
  expect(stateOfText(shippedSource, 'mine')).toBe('edited');
});

/** A program of which every start fails while an edit serves. */
function openBroken(): { readonly state: ViewState; readonly source: SourceControl } {
  const state = new ViewState(() => undefined);
  const services = { edit: 'blob:nothing' } as Services;
  let handle: unknown = {};
  const program = {
    get handle() {
      return handle;
    },
    stop: async () => void (handle = undefined),
    start: () => Promise.reject(new CodedError('runtime/start-failed', 'no worker')),
  } as unknown as ProgramControl;
  return { state, source: new SourceControl(state, services, program) };
}

test('when neither the new module nor the old one starts, the page says so and offers a start', async () => {
  const { state, source } = openBroken();
  expect(await source.reset()).toBe(false);
  expect(state.current).toMatchObject({
    canStart: true,
    isReady: false,
    source: { state: 'down', problem: { message: 'no worker' } },
    notices: [{ id: 'start', notice: { code: 'runtime/start-failed' } }],
  });
  source.noteStart();
  expect(state.current.source.state).not.toBe('down');
});

test('typing while an edit is applied does not pass for the applied text', async () => {
  const state = new ViewState(() => undefined);
  const source = new SourceControl(state, {} as Services, { handle: {} } as unknown as ProgramControl);
  const applied = source.reset();
  source.edit('typed meanwhile');
  expect(state.current.source.state).toBe('applying');
  expect(await applied).toBe(true);
  expect(state.current.source).toMatchObject({ text: 'typed meanwhile', state: 'edited' });
});
