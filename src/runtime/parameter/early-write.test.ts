import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { CodedError, isCodedError } from '../../base/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { describe } from '../../program/index.ts';
import { createGroupCommitter, createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import { defaultRuntimeLimits } from '../limits.ts';
import { ModuleJournal } from '../journal/module-journal.ts';
import { AskOrder } from './ask-order.ts';
import type { ParameterRecord } from '../module-protocol.ts';
import { createParameterHandle } from './parameter-handle.ts';
import type { StoredParameter } from './parameter-record.ts';
import { Counter } from '../runtime-test-modules.ts';

type Answer = 'take' | 'refuse' | 'late';

/** A module that answers when the test says so: a worker's answer cannot be held back from outside. */
class HeldModule {
  readonly counter: Counter = new Counter();
  readonly store: Store = createMemoryStore();
  readonly journal: ModuleJournal;
  readonly failures: unknown[] = [];
  readonly #waiting: ((answer: Answer) => void)[] = [];
  readonly #clock = new SimulatedClock(1000);

  constructor() {
    this.journal = new ModuleJournal({
      module: 'm',
      kind: 'counter',
      store: this.store,
      committer: createGroupCommitter(this.store),
      limits: defaultRuntimeLimits,
      clock: this.#clock,
      onFailure: (error) => this.failures.push(error),
    });
  }

  static async open(): Promise<HeldModule> {
    const held = new HeldModule();
    held.journal.begin(held.counter.dumpState(), describe(held.counter).parameters);
    await held.journal.persist(['total'], 'strict');
    return held;
  }

  readonly call = (method: string, body: { name: string; value?: unknown }): Promise<unknown> => {
    const { total } = this.counter;
    if (method === 'parameter-record') return Promise.resolve(this.#record(total.value));
    return new Promise((resolve, reject) => {
      this.#waiting.push((answer) => {
        if (answer === 'refuse') return reject(new CodedError('actor/peer-died', 'gone'));
        const oldValue = total.value;
        total.set(body.value as number);
        if (answer === 'late') return reject(new CodedError('port/timeout', 'too late'));
        resolve(this.#record(oldValue));
      });
    });
  };

  get handle(): ReturnType<typeof createParameterHandle<number>> {
    const asks = new AskOrder();
    // as much of a record as a handle asks for
    const module = { journal: this.journal, call: this.call, asks } as unknown as HostedModuleRecord;
    return createParameterHandle<number>(module, 'total', {
      onChange: (record) => this.journal.apply(record),
    });
  }

  /** A port hands over one frame in one task: what follows from it is done before the next one. */
  async answer(answer: Answer): Promise<void> {
    this.#waiting.shift()?.(answer);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  /** The module changes the parameter by itself, as inside `forward`. */
  changeItself(value: number): void {
    const oldValue = this.counter.total.value;
    this.counter.total.set(value);
    this.journal.apply(this.#record(oldValue));
    // the store may be closed before it is written
    this.journal.persist(['total'], 'relaxed').catch(() => undefined);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  async stored(): Promise<StoredParameter | undefined> {
    return (await this.store.get<StoredParameter>(['module', 'm', 'parameter', 'total']))?.value;
  }

  /** Until nothing is under way. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
    await this.journal.settle();
  }

  #record(oldValue: number): ParameterRecord {
    const state = this.counter.total.dumpState();
    return { name: 'total', oldValue, cause: 'set', atMs: state.updatedAtMs, state };
  }
}

const opened: HeldModule[] = [];
const open = async (): Promise<HeldModule> => {
  const held = await HeldModule.open();
  opened.push(held);
  return held;
};
afterEach(() => Promise.all(opened.splice(0).map((held) => held.store.close())));

const codeOf = (set: Promise<void>): Promise<string> =>
  set.then(
    () => 'resolved',
    (error: unknown) => (isCodedError(error) ? error.code : String(error)),
  );

test('the flush does not wait for the owner, and the acknowledgement waits for both', async () => {
  const held = await open();
  let isAcknowledged = false;
  const set = held.handle.set(7).then(() => (isAcknowledged = true));
  await held.settle();
  expect((await held.stored())?.state.value).toBe(7);
  expect(isAcknowledged).toBe(false);
  expect(held.handle.value).toBe(0);
  await held.answer('take');
  await set;
  expect(held.handle.value).toBe(7);
  expect(await held.stored()).toEqual(held.journal.parameter('total').toStored());
});

test('what the owner makes of a value is what the store ends with', async () => {
  const held = await open();
  const { total } = held.counter;
  total.subscribe(({ newValue }) => {
    if (newValue % 2 === 1) total.set(newValue - 1, 'even');
  });
  const sets = [held.handle.set(7), held.handle.set(9), held.handle.set(12)];
  for (const _ of sets) await held.answer('take');
  await Promise.all(sets);
  expect(held.handle.value).toBe(12);
  expect((await held.stored())?.state.value).toBe(12);
  const odd = held.handle.set(15);
  await held.answer('take');
  await odd;
  expect([total.value, held.handle.value, (await held.stored())?.state.value]).toEqual([14, 14, 14]);
  expect(await held.stored()).toEqual(held.journal.parameter('total').toStored());
});

test('a set that fails leaves the old value in the store', async () => {
  const held = await open();
  const failed = codeOf(held.handle.set(7));
  await held.settle();
  await held.answer('refuse');
  expect(await failed).toBe('actor/peer-died');
  await held.settle();
  expect(held.handle.value).toBe(0);
  expect((await held.stored())?.state.value).toBe(0);
});

test('a set that is applied after its caller gave up reaches page and store', async () => {
  const held = await open();
  for (const level of ['memory', 'strict'] as const) {
    const value = level === 'memory' ? 3 : 4;
    const failed = codeOf(held.handle.set(value, { level }));
    await held.answer('late');
    expect(await failed).toBe('port/timeout');
    await held.settle();
    expect(held.handle.value).toBe(value);
  }
  expect((await held.stored())?.state.value).toBe(4);
});

test('sets under way at once are each written once', async () => {
  const held = await open();
  const before = (await held.store.get(['module', 'm', 'parameter', 'total']))!.revision;
  const sets = Array.from({ length: 10 }, (_, index) => held.handle.set(index + 1));
  while (held.waiting > 0) await held.answer('take');
  await Promise.all(sets);
  const entry = await held.store.get<StoredParameter>(['module', 'm', 'parameter', 'total']);
  expect(entry!.revision - before).toBe(10);
  expect(entry!.value.newest).toMatchObject({ oldValue: 9, newValue: 10 });
  expect(held.handle.history.map(({ oldValue, newValue }) => [oldValue, newValue])).toEqual(
    Array.from({ length: 10 }, (_, index) => [index, index + 1]),
  );
});

test('what only the module can judge is asked first', async () => {
  const held = await open();
  const failed = codeOf(held.handle.set('seven' as never));
  await held.settle();
  expect((await held.stored())?.state.value).toBe(0);
  await held.answer('refuse');
  expect(await failed).toBe('actor/peer-died');
});

const step = fc.oneof(
  fc.record({ type: fc.constant('set' as const), value: fc.integer({ min: 1, max: 99 }) }),
  fc.record({
    type: fc.constant('answer' as const),
    answer: fc.constantFrom<Answer[]>('take', 'take', 'refuse', 'late'),
  }),
  fc.record({ type: fc.constant('change' as const), value: fc.integer({ min: 100, max: 199 }) }),
  fc.record({ type: fc.constant('wait' as const) }),
);

test('in whatever order sets, answers and changes come, page and store end with what the module has', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      const held = await open();
      const sets: Promise<unknown>[] = [];
      for (const each of steps) {
        if (each.type === 'set') sets.push(held.handle.set(each.value).catch(() => undefined));
        else if (each.type === 'answer') await held.answer(each.answer);
        else if (each.type === 'change') held.changeItself(each.value);
        else await held.settle();
      }
      while (held.waiting > 0) await held.answer('take');
      await Promise.all(sets);
      await held.settle();
      expect(held.handle.value).toBe(held.counter.total.value);
      expect((await held.stored())?.state.value).toBe(held.counter.total.value);
      expect(held.failures).toEqual([]);
    }),
    { numRuns: 60 },
  );
}, 30_000);
