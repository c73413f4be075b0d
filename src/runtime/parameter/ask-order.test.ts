/** What is committed, refused by its owner, and sent once more: it goes over nothing that the owner was asked for since. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ActorRef, Behaviour } from '../../actor/index.ts';
import { CodedError } from '../../base/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import { createGroupCommitter, createMemoryStore } from '../../state/index.ts';
import { HostedModuleRecord } from '../host/hosted.ts';
import { ModuleJournal } from '../journal/module-journal.ts';
import { defaultRuntimeLimits } from '../limits.ts';
import type { Described, ParameterRecord } from '../module-protocol.ts';
import { codeOf } from '../runtime-test-scene.ts';
import { storedValue } from '../store-test-scene.ts';
import { ModuleCatalog } from '../version/module-catalog.ts';
import { hostModule } from '../worker/module-actor.ts';
import type { ChangePart } from './change-together.ts';
import { changeModules } from './change-together.ts';
import { createParameterHandle } from './parameter-handle.ts';
import type { ParameterHandle } from './parameter-handle.ts';

class Steps extends Module<null, null> {
  readonly a: Parameter<number> = new Parameter({
    type: 'number',
    value: 0,
    requiresGrad: true,
    learningRate: 1,
    constraints: { min: -1_000_000, max: 1_000_000 },
  });
  readonly b: Parameter<number> = new Parameter({ type: 'number', value: 0 });

  override forward(): Promise<null> {
    return Promise.resolve(null);
  }
}

const names = ['a', 'b'] as const;
const apart = ['changes-apply', 'state-load'];

/** Everything that waits for nothing but other promises has happened. */
const flush = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Message {
  readonly method: string;
  /** Runs the owner's turn; what it says is told by the returned function. */
  readonly take: () => () => void;
}

/** The page's record of a module and the module itself, with a way between them on which tests decide when something comes. */
async function createScene() {
  const clock = new SimulatedClock();
  const store = createMemoryStore({ clock });
  const committer = createGroupCommitter(store);
  const limits = defaultRuntimeLimits;
  const never = (): never => {
    throw new Error('nobody asks for that here');
  };
  const start = hostModule(new ModuleCatalog({ steps: Steps }), {}, 'steps');
  const owner = (await start(
    {},
    {
      actor: 'm',
      incarnation: 0,
      callPage: never,
      sendPage: never,
      sendPageForWorker: () => undefined,
      exit: never,
    },
  )) as Behaviour;
  const ask = (method: string, body: unknown): unknown =>
    owner.call(method, structuredClone(body), undefined as never);
  const onFailure = never;
  const journal = new ModuleJournal({ module: 'm', kind: 'k', store, committer, limits, clock, onFailure });
  const { state, description } = ask('describe', undefined) as Described;
  journal.begin(state, description.parameters);
  await journal.persistMeta('strict');
  const module = new HostedModuleRecord('m', 'k', journal, { clock, limits });
  const way = { messages: [] as Message[], answers: [] as (() => void)[], refusals: 0 };
  const ref: ActorRef = {
    actor: 'm',
    worker: 'worker-1',
    send: never,
    call: (method, body) =>
      new Promise((resolve, reject) => {
        const take = (): (() => void) => {
          try {
            if (apart.includes(method) && way.refusals-- > 0)
              throw new CodedError('port/too-many-calls', 'as asked');
            const value = ask(method, body);
            return () => resolve(structuredClone(value));
          } catch (error) {
            return () => reject(error as Error);
          }
        };
        way.messages.push({ method, take });
      }),
  };
  module.attach(ref);
  const host = {
    clock,
    committer,
    onParameterChange: (_: HostedModuleRecord, record: ParameterRecord): void => journal.apply(record),
    onStateChange: () => undefined,
  };
  const handle = (name: string): ParameterHandle<number> =>
    createParameterHandle(module, name, { onChange: (record) => journal.apply(record) });
  /** The next message comes to its owner, or its answer to the page. */
  const come = async (): Promise<void> => {
    const message = way.messages.shift();
    if (message) way.answers.push(message.take());
    await flush();
  };
  const hear = async (): Promise<void> => {
    way.answers.shift()?.();
    await flush();
  };
  const settle = async (): Promise<void> => {
    way.refusals = 0;
    for (let quiet = 0; quiet < 3; quiet++) {
      if (way.messages.length + way.answers.length > 0) quiet = 0;
      await come();
      await hear();
      await clock.advance(1_000);
      await flush();
    }
  };
  const change = (part: Partial<ChangePart>, onTake: () => void = () => undefined): Promise<void> =>
    changeModules(host, [{ module, changes: {}, cause: 'change', ...part }], { level: 'strict', onTake });
  /** What the owner, the page and the store have. */
  const found = async (name: string): Promise<readonly unknown[]> => [
    ask('parameter-get', { name }),
    handle(name).value,
    await storedValue(store, 'm', name),
  ];
  return { clock, way, handle, come, hear, settle, change, found, ask };
}

type Scene = Awaited<ReturnType<typeof createScene>>;

/** A change of both parameters, as values or as the state of the whole program. */
function partOf({ ask }: Scene, isWhole: boolean, value: number): Partial<ChangePart> {
  if (!isWhole) return { changes: { values: { a: value, b: value } }, isChecked: true };
  const { state } = ask('describe', undefined) as Described;
  const { a, b } = state.parameters;
  const parameters = { a: { ...a!, value }, b: { ...b!, value } };
  const whole = { state: { ...state, parameters }, changed: { predictors: {}, compiled: [] } };
  return { changes: { parameters }, program: { whole }, isChecked: true };
}

/** One that is committed, and that its owner has refused once. */
async function refuse(scene: Scene, isWhole: boolean): Promise<{ readonly changing: Promise<string> }> {
  const { way, change, come, hear, handle } = scene;
  way.refusals = 1;
  const changing = codeOf(change(partOf(scene, isWhole, 9)));
  await expect.poll(() => way.messages.length).toBe(1);
  await come();
  await hear();
  expect([way.messages.length, handle('a').value]).toEqual([0, 9]);
  return { changing };
}

test.each([
  ['values', false],
  ['a whole state', true],
])('a set that is under way when %s are sent once more stays', async (_, isWhole) => {
  const scene = await createScene();
  const { clock, way, handle, come, settle, found } = scene;
  const { changing } = await refuse(scene, isWhole);
  const setting = codeOf(handle('a').set(5));
  await flush();
  // it comes to its owner, and its answer does not come to the page before the change is sent again
  await come();
  await clock.advance(1);
  await flush();
  expect(way.messages.map(({ method }) => method)).toEqual([isWhole ? 'state-load' : 'changes-apply']);
  await come();
  await settle();
  expect([await setting, await changing]).toEqual(['resolved', 'resolved']);
  expect([await found('a'), await found('b')]).toEqual([
    [5, 5, 5],
    [9, 9, 9],
  ]);
  expect(handle('a').history.map(({ newValue }) => newValue)).toEqual([9, 5]);
});

test('of two changes that were both refused the later stays, whichever is sent first', async () => {
  const scene = await createScene();
  const { way, come, hear, settle, found, change } = scene;
  way.refusals = 2;
  const changing = [1, 2].map((value) => codeOf(change(partOf(scene, false, value))));
  await expect.poll(() => way.messages.length).toBe(2);
  for (const next of [come, come, hear, hear]) await next();
  expect([way.messages.length, way.refusals]).toEqual([0, 0]);
  await settle();
  expect([await Promise.all(changing), await found('a'), await found('b')]).toEqual([
    ['resolved', 'resolved'],
    [2, 2, 2],
    [2, 2, 2],
  ]);
});

test('a step starts from what is committed, though its owner was too busy for that', async () => {
  const scene = await createScene();
  const { handle, settle, found } = scene;
  await refuse(scene, false);
  const stepping = codeOf(handle('a').applyGradient(2));
  const other = codeOf(handle('b').set(3));
  await settle();
  expect([await stepping, await other, await found('a'), await found('b')]).toEqual([
    'resolved',
    'resolved',
    [7, 7, 7],
    [3, 3, 3],
  ]);
});

test('a set that the owner refuses lets the change in that it was asked for before', async () => {
  const scene = await createScene();
  const { handle, come, settle, found } = scene;
  await refuse(scene, false);
  const setting = codeOf(handle('a').set(2_000_000));
  await flush();
  await come();
  await settle();
  expect([await setting, await found('a')]).toEqual(['program/constraint-violated', [9, 9, 9]]);
});

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('set' as const), name: fc.constantFrom(...names) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('change' as const), isWhole: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('refuse' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('come' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('hear' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
);

test('however sets, changes and refusals meet, all have one value in the end, and no older change goes over a set', async () => {
  let stayed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const scene = await createScene();
      const { clock, way, handle, come, hear, settle, change, found } = scene;
      /** What was put in together, by its value: when the page took it over. */
      const taken = new Map<number, number>();
      const sets: { readonly name: string; readonly at: number; outcome?: string }[] = [];
      for (const [at, each] of steps.entries()) {
        const value = at + 1;
        if (each.do === 'refuse') way.refusals = 1;
        else if (each.do === 'come') await come();
        else if (each.do === 'hear') await hear();
        else if (each.do === 'wait') await clock.advance(1);
        else if (each.do === 'change') {
          void change(partOf(scene, each.isWhole, value), () => taken.set(value, at));
        } else {
          const set: (typeof sets)[number] = { name: each.name, at };
          sets.push(set);
          void codeOf(handle(each.name).set(value)).then((outcome) => (set.outcome = outcome));
        }
        await flush();
      }
      await settle();
      for (const name of names) {
        const [inOwner, ...others] = await found(name);
        if (inOwner === 0) continue;
        expect(others).toEqual([inOwner, inOwner]);
        const since = taken.get(inOwner as number) ?? Infinity;
        const later = sets.filter((set) => set.name === name && set.at > since);
        expect(later.filter(({ outcome }) => outcome === 'resolved')).toEqual([]);
        if (taken.size > 0 && since === Infinity) stayed++;
      }
    }),
    { numRuns: 150 },
  );
  expect(stayed).toBeGreaterThan(20);
}, 60_000);
