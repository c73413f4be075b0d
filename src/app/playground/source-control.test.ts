import { expect, test, vi } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import { sourceKey } from './kept-keys.ts';
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

// programs and services here are only what the control touches
/** A program of which every start fails while an edit serves. */
function openBroken(): { readonly state: ViewState; readonly source: SourceControl } {
  const state = new ViewState(() => undefined);
  const services = { edit: 'blob:nothing' } as Services;
  let handle: unknown = {};
  // a program that cannot start again, whatever is tried: a real one could
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

test('an edit outlives the page as an edit, and a reset ends it', async () => {
  const store = createMemoryStore();
  const openPage = () => {
    const state = new ViewState(() => undefined);
    state.update({ source: { text: shippedSource, original: shippedSource, state: 'original' } });
    const clock = new SimulatedClock();
    const program = { handle: {} } as unknown as ProgramControl;
    const source = new SourceControl(state, { store } as unknown as Services, program, clock);
    return { state, clock, source };
  };
  const first = openPage();
  first.source.noteStart();
  first.source.edit('mine');
  await first.clock.advance(300);
  await vi.waitFor(async () => expect((await store.get(sourceKey))?.value).toBe('mine'));

  const second = openPage();
  await second.source.restore();
  // what serves is the shipped module: an edit that hangs must not start by itself
  expect(second.state.current.source).toMatchObject({ text: 'mine', state: 'edited' });
  second.source.noteStart();
  await second.source.reset();
  await second.clock.advance(300);
  await vi.waitFor(async () => expect(await store.get(sourceKey)).toBeUndefined());

  await first.clock.advance(1_000);
  const typing = openPage();
  await store.commit([{ type: 'put', key: sourceKey, value: 'mine' }]);
  const restoring = typing.source.restore();
  typing.source.edit('typed meanwhile');
  await restoring;
  expect(typing.state.current.source.text).toBe('typed meanwhile');
});

test('a tab that does not run the program writes nothing into the store of the one that does', async () => {
  const store = createMemoryStore();
  const state = new ViewState(() => undefined);
  const clock = new SimulatedClock();
  const source = new SourceControl(state, { store } as unknown as Services, {} as ProgramControl, clock);
  source.edit('mine');
  await clock.advance(10_000);
  await new Promise((done) => setTimeout(done, 10));
  expect(await store.get(sourceKey)).toBeUndefined();
  // it takes over, and what was typed is kept
  source.noteStart();
  await clock.advance(300);
  await vi.waitFor(async () => expect((await store.get(sourceKey))?.value).toBe('mine'));
});
