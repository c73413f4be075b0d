/** Owners that cannot be told at once of what is committed. */
import { expect, test } from 'vitest';
import type { ActorRef } from '../../actor/index.ts';
import { CodedError } from '../../base/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { createGroupCommitter, createMemoryStore } from '../../state/index.ts';
import { HostedModuleRecord } from '../host/hosted.ts';
import { storedValue } from '../store-test-scene.ts';
import { ModuleJournal } from '../journal/module-journal.ts';
import { defaultRuntimeLimits } from '../limits.ts';
import type { ParameterRecord } from '../module-protocol.ts';
import { Counter } from '../runtime-test-modules.ts';
import type { ChangePart } from './change-together.ts';
import { changeModules, startAgain } from './change-together.ts';

function createScene() {
  const clock = new SimulatedClock();
  const store = createMemoryStore();
  const committer = createGroupCommitter(store);
  const limits = defaultRuntimeLimits;
  const onFailure = (): void => undefined;
  const given = { module: 'm', kind: 'k', store, committer, limits, clock, onFailure };
  const journal = new ModuleJournal(given);
  journal.begin(new Counter().dumpState());
  const module = new HostedModuleRecord('m', 'k', journal, { clock, limits });
  return { clock, store, committer, module };
}

/** An actor that answers as it is told to, and remembers what it heard. */
function createRef(answer: (method: string, body: unknown) => unknown = () => undefined) {
  const heard: string[] = [];
  const ref: ActorRef = {
    actor: 'm',
    worker: 'worker-1',
    call: async (method, body) => answer(method, body),
    send: (method) => void heard.push(method),
  };
  return { ref, heard };
}

const refusal = new CodedError('runtime/module-restarting', 'as asked');

test('one that is only being started is started again as soon as it can be told to', async () => {
  const { module } = createScene();
  let isDone = false;
  const starting = startAgain(module, module.restarts, refusal).then(() => (isDone = true));
  const { ref, heard } = createRef();
  module.prepare(ref);
  await expect.poll(() => heard).toEqual(['owner-behind']);
  expect(isDone).toBe(false);
  module.detach();
  module.prepare(createRef().ref);
  await starting;
});

test('one that is lost before it could be told begins with what is committed', async () => {
  const { module } = createScene();
  const starting = startAgain(module, module.restarts, refusal);
  module.detach();
  const { ref, heard } = createRef();
  module.attach(ref);
  await starting;
  expect(heard).toEqual([]);
});

test('one that ends before it could be told says why', async () => {
  const { module } = createScene();
  const starting = startAgain(module, module.restarts, refusal).catch(({ code }: CodedError) => code);
  module.end('crashed', new CodedError('actor/peer-died', 'as asked'));
  expect(await starting).toBe('actor/peer-died');
});

/** Of a counter with this total. */
function stateOf(total: number) {
  const counter = new Counter();
  counter.total.set(total);
  counter.label.set('new');
  return counter.dumpState();
}

const whole = { state: stateOf(9), changed: { predictors: {}, compiled: [] } };
const ways: Readonly<Record<string, readonly [Partial<ChangePart>, (body: never) => unknown]>> = {
  values: [
    { changes: { values: { total: 9, label: 'new' } } },
    ({ changes }: { changes: { values: unknown } }) => changes.values,
  ],
  'a whole state': [
    { changes: { parameters: whole.state.parameters }, program: { whole }, isChecked: true },
    ({ state }: { state: typeof whole.state }) => ({
      total: state.parameters.total?.value,
      label: state.parameters.label?.value,
    }),
  ],
};

test.each([
  ['values', { label: 'new' }],
  ['a whole state', { total: 5, label: 'new' }],
])('what was set before its owner could be told is not undone: %s', async (way, told) => {
  const { clock, store, committer, module } = createScene();
  const { journal } = module;
  const [part, read] = ways[way]!;
  const given: unknown[] = [];
  const { ref } = createRef((method, body) => {
    if (method === 'changes-check') return undefined;
    given.push(read(body as never));
    if (given.length === 1) throw new CodedError('actor/mailbox-full', 'as asked');
    return { sequence: 2 };
  });
  module.attach(ref);
  const host = {
    clock,
    committer,
    onParameterChange: (_: HostedModuleRecord, record: ParameterRecord): void => journal.apply(record),
    onStateChange: () => undefined,
  };
  const changing = changeModules(host, [{ module, changes: {}, cause: 'set', ...part }], { level: 'strict' });
  await expect.poll(() => [given.length, journal.parameter('total').state.value]).toEqual([1, 9]);
  const state = { ...journal.parameter('total').state, value: 5 };
  journal.apply({ name: 'total', oldValue: 9, cause: 'set', atMs: 0, state, sequence: 1 });
  await journal.persist(['total'], 'strict');
  await clock.advance(1);
  await changing;
  expect(given).toEqual([{ total: 9, label: 'new' }, told]);
  const { total, label } = Object.fromEntries(journal.parameters);
  expect([total?.state.value, label?.state.value]).toEqual([5, 'new']);
  expect(await storedValue(store, 'm', 'total')).toBe(5);
});
