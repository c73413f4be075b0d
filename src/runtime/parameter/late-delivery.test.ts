/** Owners that cannot be told at once of what is committed. */
import { expect, test } from 'vitest';
import type { ActorRef } from '../../actor/index.ts';
import { CodedError } from '../../base/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { createGroupCommitter, createMemoryStore } from '../../state/index.ts';
import { HostedModuleRecord } from '../host/hosted.ts';
import { ModuleJournal } from '../journal/module-journal.ts';
import { defaultRuntimeLimits } from '../limits.ts';
import { Counter } from '../runtime-test-modules.ts';
import { startAgain } from './deliver.ts';

function createModule(): HostedModuleRecord {
  const clock = new SimulatedClock();
  const store = createMemoryStore();
  const committer = createGroupCommitter(store);
  const limits = defaultRuntimeLimits;
  const onFailure = (): void => undefined;
  const given = { module: 'm', kind: 'k', store, committer, limits, clock, onFailure };
  const journal = new ModuleJournal(given);
  journal.begin(new Counter().dumpState());
  return new HostedModuleRecord('m', 'k', journal, { clock, limits });
}

/** An actor that remembers what it heard. */
function createRef() {
  const heard: string[] = [];
  const ref: ActorRef = {
    actor: 'm',
    worker: 'worker-1',
    call: () => Promise.resolve(),
    send: (method) => void heard.push(method),
  };
  return { ref, heard };
}

const refusal = new CodedError('runtime/module-restarting', 'as asked');

test('one that is only being started is started again as soon as it can be told to', async () => {
  const module = createModule();
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
  const module = createModule();
  const starting = startAgain(module, module.restarts, refusal);
  module.detach();
  const { ref, heard } = createRef();
  module.attach(ref);
  await starting;
  expect(heard).toEqual([]);
});

test('one that ends before it could be told says why', async () => {
  const module = createModule();
  const starting = startAgain(module, module.restarts, refusal).catch(({ code }: CodedError) => code);
  module.end('crashed', new CodedError('actor/peer-died', 'as asked'));
  expect(await starting).toBe('actor/peer-died');
});
