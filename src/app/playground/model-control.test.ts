import { afterEach, expect, test, vi } from 'vitest';
import { CodedError } from '../../base/index.ts';
import type { ModelChoice } from '../../elements/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import { createHub } from '../../telemetry/index.ts';
import { modelChoiceKey } from './kept-keys.ts';
import { ModelControl } from './model-control.ts';
import type { ProgramControl } from './program-control.ts';
import { RunControl } from './run-control.ts';
import type { Services } from './services.ts';
import { ViewState } from './view-state.ts';

afterEach(() => vi.unstubAllGlobals());

// services here are only what the control touches: a store that a browser tears cannot be made at will
const unreadable = {
  get: () => Promise.reject(new CodedError('state/record-unreadable', 'torn')),
  commit: () => Promise.resolve(),
} as unknown as Services['store'];

function open(): { readonly state: ViewState; readonly model: ModelControl; readonly setLm: () => void } {
  const state = new ViewState(() => undefined);
  const setLm = vi.fn();
  const services = { store: unreadable, runtime: { setLm } } as unknown as Services;
  return { state, model: new ModelControl(state, services, createHub()), setLm };
}

const endpoint = (address: string): ModelChoice => ({
  kind: 'openai-compatible',
  address,
  model: 'm',
  key: '',
  isKeyRemembered: false,
});

test('records that cannot be read leave notices, and a model is there all the same', async () => {
  const { state, model, setLm } = open();
  await model.restore();
  // no program is asked
  await new RunControl(state, {} as ProgramControl, unreadable).restore();
  expect(setLm).toHaveBeenCalledOnce();
  expect(state.current.notices.map(({ id, level }) => [id, level])).toEqual([
    ['model-choice', 'warning'],
    ['last-run', 'warning'],
  ]);
});

test('what a test of one address says is not shown beside another', async () => {
  const { state, model } = open();
  let answer: (() => void) | undefined;
  const asked = vi.fn(
    () => new Promise((resolve) => (answer = () => resolve(new Response('no', { status: 401 })))),
  );
  vi.stubGlobal('fetch', asked);
  const testing = model.test(endpoint('http://a.test/v1'));
  await vi.waitFor(() => expect(asked).toHaveBeenCalled());
  await model.choose(endpoint('http://b.test/v1'));
  const giveUp = setInterval(() => answer?.());
  await testing;
  clearInterval(giveUp);
  expect(state.current.endpointTest).toEqual({ state: 'untested' });
  // the same test without a later choice is shown
  const again = setInterval(() => answer?.());
  await model.test(endpoint('http://b.test/v1'));
  clearInterval(again);
  expect(state.current.endpointTest.state).toBe('failed');
});

test('a choice is kept by the tab that runs the program, without a key that is not to be remembered', async () => {
  const store = createMemoryStore();
  const services = { store, runtime: { setLm: vi.fn() } } as unknown as Services;
  const model = new ModelControl(new ViewState(() => undefined), services, createHub());
  await model.choose({ ...endpoint('http://a.test/v1'), key: 'secret' });
  expect(await store.get(modelChoiceKey)).toBeUndefined();
  await model.noteStart();
  expect((await store.get(modelChoiceKey))?.value).toMatchObject({ address: 'http://a.test/v1', key: '' });
  await model.choose({ ...endpoint('http://b.test/v1'), key: 'secret', isKeyRemembered: true });
  expect((await store.get(modelChoiceKey))?.value).toMatchObject({ key: 'secret' });
});
