/**
 * Three owners of two shared parameters, each with one of its own, under anything that may happen to them at once. Afterwards owners, page and
 * store have the same, what was acknowledged has happened in an order that its callers could see, what was refused has not, and nobody
 * waits.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CodedError, isCodedError } from '../../base/index.ts';
import { sleep, systemClock, withDeadline } from '../../platform/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import { createHookedStore, storedValue, writeFailed } from '../store-test-scene.ts';
import type { HookedStore } from '../store-test-scene.ts';
import type { SetOptions } from './parameter-handle.ts';
import type { SharedParameter } from './shared-parameter.ts';

type Name = 'a' | 'b';
interface Own {
  readonly name: Name;
  readonly value: number;
}

const rate = { type: 'number', value: 0, requiresGrad: true, learningRate: 1 } as const;

class Owner extends Module<Own | null, number> {
  readonly a: Parameter<number> = new Parameter<number>(rate);
  readonly b: Parameter<number> = new Parameter<number>(rate);
  /** Nobody else is bound to it. */
  readonly own: Parameter<number> = new Parameter<number>(rate);

  override async forward(own: Own | null): Promise<number> {
    await Promise.resolve();
    if (own) this[own.name].set(own.value, 'forward');
    return this.a.value;
  }
}

type Changes = Parameters<Module['prepareChanges']>[0];
const hasEnding = ({ values = {} }: Changes, digit: number): boolean =>
  Object.values(values).some((value) => Number(value) % 10 === digit);

/** Refuses what ends with 9. */
class Picky extends Owner {
  override prepareChanges(...given: Parameters<Module['prepareChanges']>): () => void {
    if (hasEnding(given[0], 9)) throw new CodedError('program/constraint-violated', 'it takes no 9');
    return super.prepareChanges(...given);
  }
}

/** Agrees to what ends with 8 and refuses it then; makes something else of what ends with 7. */
class Fickle extends Owner {
  constructor() {
    super();
    for (const parameter of [this.a, this.b])
      parameter.subscribe(({ newValue }) => {
        if (newValue % 10 === 7) parameter.set(newValue - 1, 'corrected');
      });
  }

  override prepareChanges(...given: Parameters<Module['prepareChanges']>): () => void {
    if (given[0].atMs !== undefined && hasEnding(given[0], 8)) throw new Error('it has changed its mind');
    return super.prepareChanges(...given);
  }
}

const modules = { owner: Owner, picky: Picky, fickle: Fickle };
const owners = { one: 'owner', two: 'picky', three: 'fickle' } as const;
type Id = keyof typeof owners;
const ids = Object.keys(owners) as Id[];
const names = ['a', 'b'] as const;

/** A commit ends without a word, made or not; or what is shared cannot be read. */
type Fault = 'committed' | 'lost' | 'unreadable';
type Change = {
  readonly type: 'shared' | 'handle' | 'step' | 'forward' | 'both' | 'own' | 'together';
  readonly id: Id;
  readonly name: Name;
};
type Command =
  | Change
  | { readonly type: 'kill'; readonly id: Id }
  | { readonly type: 'stop'; readonly id: Id }
  | { readonly type: 'start'; readonly id: Id }
  | { readonly type: 'fault'; readonly fault: Fault }
  | { readonly type: 'wait'; readonly turns: number };

const id = fc.constantFrom(...ids);
const name = fc.constantFrom(...names);
const command: fc.Arbitrary<Command & { readonly digit: number }> = fc
  .oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        type: fc.constantFrom('shared', 'handle', 'handle', 'step', 'forward', 'both', 'own', 'together'),
        id,
        name,
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ type: fc.constantFrom('kill', 'kill', 'stop', 'start', 'start'), id }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('fault'),
        fault: fc.constantFrom<Fault[]>('committed', 'lost', 'unreadable'),
      }),
    },
    { weight: 5, arbitrary: fc.record({ type: fc.constant('wait'), turns: fc.integer({ min: 0, max: 4 }) }) },
  )
  .chain((each) => fc.constantFrom(1, 2, 3, 7, 8, 9).map((digit) => ({ ...each, digit }) as never));

function createFaultyStore(): { readonly hooked: HookedStore; readonly faults: Fault[] } {
  const hooked = createHookedStore();
  const faults: Fault[] = [];
  hooked.now = async (_, commit) => {
    const fault = faults.shift();
    if (fault === 'unreadable') hooked.unreadable++;
    if (!fault || fault === 'unreadable') return commit();
    if (fault === 'committed') await commit();
    throw writeFailed();
  };
  return { hooked, faults };
}

/** A change that somebody asked for. */
interface Asked {
  readonly cause: string;
  /** Names of what is shared, and ids of modules for what is their own. */
  readonly of: readonly (Name | Id)[];
  readonly startedAt: number;
  /** What its caller found there when it was asked. */
  readonly seen: string | undefined;
  endedAt: number;
  outcome: string;
}

function concernedBy(
  { type, id: own, name: of }: Change,
  handle: ModuleHandle<Owner> | undefined,
): Pick<Asked, 'of' | 'seen'> {
  if (type === 'own' || type === 'together')
    return { of: [own], seen: handle?.parameters.own.history.at(-1)?.cause };
  return { of: type === 'both' ? names : [of], seen: undefined };
}

const codeOf = (error: unknown): string => (isCodedError(error) ? error.code : String(error));
/** What ended a module after the commit: then it is done. */
const isDoneOrNot = ['actor/peer-died', 'runtime/module-stopped', 'actor/supervisor-stopped'];

class Scene {
  readonly #runtime: Runtime<typeof modules>;
  readonly #hooked: HookedStore;
  readonly #faults: Fault[];
  readonly #shared: Readonly<Record<Name, SharedParameter<number>>>;
  readonly #asked: Asked[] = [];
  readonly #work: Promise<unknown>[] = [];
  #time = 0;
  #values = 0;

  private constructor(
    runtime: Runtime<typeof modules>,
    { hooked, faults }: ReturnType<typeof createFaultyStore>,
    shared: Readonly<Record<Name, SharedParameter<number>>>,
  ) {
    this.#runtime = runtime;
    this.#hooked = hooked;
    this.#faults = faults;
    this.#shared = shared;
  }

  static async open(): Promise<Scene> {
    const faulty = createFaultyStore();
    const runtime = createRuntime({
      modules,
      store: faulty.hooked.store,
      restartLimits: { maxRestarts: 1_000, maxSeconds: 1 },
    });
    const [a, b] = await Promise.all(
      names.map((each) => runtime.shared<number>(each, { type: 'number', value: 1 })),
    );
    const scene = new Scene(runtime, faulty, {
      a: a as SharedParameter<number>,
      b: b as SharedParameter<number>,
    });
    for (const each of ids) await scene.#start(each);
    return scene;
  }

  run(given: Command, digit: number): void {
    // no two are the same
    const value = ++this.#values * 10 + digit;
    if (given.type === 'fault') this.#faults.push(given.fault);
    else if (given.type === 'kill') this.#runtime.killWorkerOf(given.id);
    else if (given.type === 'stop') this.#follow(this.#handleOf(given.id)?.stop());
    else if (given.type === 'start') this.#follow(this.#start(given.id));
    else if (given.type !== 'wait') this.#change(given, value);
  }

  /** Resolves when nobody waits any more and all are started that take the shared values. */
  async settle(): Promise<void> {
    const all = (): Promise<unknown> => Promise.all(this.#work);
    for (let count = -1; count !== this.#work.length;) {
      count = this.#work.length;
      await withDeadline(systemClock, { timeoutMs: 10_000 }, all);
    }
    this.#faults.length = 0;
    this.#hooked.unreadable = 0;
    for (const each of ids) await this.#start(each).catch(() => undefined);
    // it has what was acknowledged at any level, and nothing else
    await this.#runtime.snapshot('end');
  }

  /** What was acknowledged and has not happened, or not in the order that somebody saw; what was refused and has happened. */
  faults(): readonly string[] {
    return [...this.#faultsOfShared(), ...ids.flatMap((each) => this.#faultsOf(each))];
  }

  /** Of its own parameter: what the store refused of it may be in, and its history may have been refused too. */
  #faultsOf(each: Id): readonly string[] {
    const history = this.#handleOf(each)?.parameters.own.history ?? [];
    return this.#misplaced(
      each,
      history.map(({ cause }) => cause),
    );
  }

  #misplaced(each: Name | Id, causes: readonly string[]): readonly string[] {
    const done = this.#asked.filter(({ of, outcome }) => of.includes(each) && outcome === 'done');
    const found = done.filter(({ cause }) => causes.includes(cause));
    const late = found.filter((one) =>
      found.some(
        (other) =>
          (one.endedAt < other.startedAt || one.cause === other.seen) &&
          causes.lastIndexOf(one.cause) > causes.lastIndexOf(other.cause),
      ),
    );
    return late.map(({ cause }) => `${each}: ${cause} came too late`);
  }

  #faultsOfShared(): readonly string[] {
    return names.flatMap((each) => {
      const causes = this.#shared[each].history.map(({ cause }) => cause);
      const concerned = this.#asked.filter(({ of }) => of.includes(each));
      const done = concerned.filter(({ outcome }) => outcome === 'done');
      const lost = done.filter(({ cause }) => !causes.includes(cause));
      const refused = concerned.filter(
        ({ outcome, cause }) =>
          outcome !== 'done' && !isDoneOrNot.includes(outcome) && causes.includes(cause),
      );
      return [
        ...lost.map(({ cause }) => `${each}: ${cause} is lost`),
        ...this.#misplaced(each, causes),
        ...refused.map(({ cause, outcome }) => `${each}: ${cause} was told ${outcome}`),
      ];
    });
  }

  get values(): readonly number[] {
    return names.map((each) => this.#shared[each].value);
  }

  close(): Promise<void> {
    return this.#runtime.close();
  }

  /** What another page finds. */
  async reopenedValues(): Promise<readonly number[]> {
    await using again = createRuntime({ modules, store: this.#hooked.store });
    const reopened = await Promise.all(
      names.map((each) => again.shared<number>(each, { type: 'number', value: 1 })),
    );
    return reopened.map(({ value }) => value);
  }

  async #start(each: Id): Promise<void> {
    const shared = { a: 'a', b: 'b' };
    const isolation = each === 'one' ? 'dedicated' : 'shared';
    await this.#runtime.start(owners[each], { id: each, shared, isolation } as never);
  }

  #handleOf(each: Id): ModuleHandle<Owner> | undefined {
    try {
      return this.#runtime.module(each) as unknown as ModuleHandle<Owner>;
    } catch {
      return undefined;
    }
  }

  #follow(work: Promise<unknown> | undefined): void {
    this.#work.push(Promise.resolve(work).catch(() => undefined));
  }

  #change(given: Change, value: number): void {
    const handle = this.#handleOf(given.id);
    if (!handle && given.type !== 'shared') return;
    if (given.type === 'forward') {
      this.#follow(handle?.call({ name: given.name, value }));
      return;
    }
    const cause = `asked ${this.#asked.length}`;
    const { of, seen } = concernedBy(given, handle);
    const asked: Asked = { cause, of, startedAt: ++this.#time, seen, endedAt: Infinity, outcome: 'open' };
    this.#asked.push(asked);
    const end = (outcome: string): void => void Object.assign(asked, { outcome, endedAt: ++this.#time });
    const level = value % 3 === 0 ? 'relaxed' : value % 4 === 0 ? 'memory' : 'strict';
    this.#follow(
      this.#ask(given, value, { cause, level }, handle).then(
        () => end('done'),
        (error: unknown) => end(codeOf(error)),
      ),
    );
  }

  async #ask(
    { type, name: of }: Change,
    value: number,
    options: SetOptions,
    handle: ModuleHandle<Owner> | undefined,
  ): Promise<void> {
    if (type === 'shared' || !handle) return this.#shared[of].set(value, options);
    if (type === 'handle') return handle.parameters[of].set(value, options);
    if (type === 'own') return handle.parameters.own.set(value, options);
    if (type === 'together') return handle.setParameters({ own: value }, options);
    if (type === 'step') return handle.parameters[of].applyGradient(-value, options);
    return handle.setParameters({ a: value, b: value }, options);
  }

  /** Where anything has something else than the shared parameter. */
  async differences(): Promise<unknown[]> {
    const found: unknown[] = [];
    for (const each of names) {
      const { value } = this.#shared[each];
      const stored = await this.#hooked.store.get<{ value: unknown }>(['shared', each]);
      if (stored && stored.value.value !== value) found.push(['stored', each, value, stored.value.value]);
      for (const module of ids) found.push(...(await this.#differencesOf(module, each, value)));
    }
    return found;
  }

  async #differencesOf(module: Id, each: Name, value: number): Promise<unknown[]> {
    const handle = this.#handleOf(module);
    // it refuses what the others had agreed on while it did not run
    if (!handle) {
      const isRefused = module === 'two' && names.some((one) => this.#shared[one].value % 10 === 9);
      return isRefused ? [] : [[module, 'does not run']];
    }
    const stored = (await storedValue(this.#hooked.store, module, each)) ?? value;
    const has = [handle.parameters[each].value, await handle.parameters[each].get(), stored];
    return has.every((one) => one === value) ? [] : [[module, each, value, ...has]];
  }
}

test('owners, page and store end with the same, whatever happens to them at once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 8, maxLength: 40 }), async (commands) => {
      const scene = await Scene.open();
      try {
        for (const { digit, ...each } of commands) {
          scene.run(each as Command, digit);
          if (each.type === 'wait')
            for (let count = 0; count < each.turns; count++) await sleep(systemClock, 0);
        }
        await scene.settle();
        await expect.poll(() => scene.differences(), { timeout: 5_000, interval: 5 }).toEqual([]);
        expect(scene.faults()).toEqual([]);
      } finally {
        await scene.close();
      }
      expect(await scene.reopenedValues()).toEqual(scene.values);
    }),
    // one that fails waits for what does not come: shrinking would take too long
    { numRuns: 60, endOnFailure: true },
  );
}, 120_000);
