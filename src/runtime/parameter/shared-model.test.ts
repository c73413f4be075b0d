/**
 * Three owners of two shared parameters, under anything that may happen to them at once. Afterwards owners, page and store have the same,
 * what was acknowledged has happened in an order that its callers could see, what was refused has not, and nobody waits.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CodedError, isCodedError } from '../../base/index.ts';
import { sleep, systemClock, withDeadline } from '../../platform/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
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

type Fault = 'committed' | 'lost';
type Change = {
  readonly type: 'shared' | 'handle' | 'step' | 'forward' | 'both';
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
        type: fc.constantFrom('shared', 'handle', 'handle', 'step', 'forward', 'both'),
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
        fault: fc.constantFrom<Fault[]>('committed', 'lost'),
      }),
    },
    { weight: 5, arbitrary: fc.record({ type: fc.constant('wait'), turns: fc.integer({ min: 0, max: 4 }) }) },
  )
  .chain((each) => fc.constantFrom(1, 2, 3, 7, 8, 9).map((digit) => ({ ...each, digit }) as never));

/** Some commits end without a word, whether or not they were made. */
function createFaultyStore(): { readonly store: Store; readonly faults: Fault[] } {
  const store = createMemoryStore();
  const faults: Fault[] = [];
  const commitEach: Store['commitEach'] = async (groups, options) => {
    const fault = faults.shift();
    const outcomes = fault === 'lost' ? [] : await store.commitEach(groups, options);
    if (fault) throw new CodedError('state/write-failed', 'gone', { fields: { outcome: 'unknown' } });
    return outcomes;
  };
  const get = (_: Store, member: keyof Store): unknown => {
    const found: unknown = member === 'commitEach' ? commitEach : store[member];
    return typeof found === 'function' ? (found.bind(store) as unknown) : found;
  };
  return { store: new Proxy(store, { get: get as never }), faults };
}

/** A change that somebody asked for. */
interface Asked {
  readonly cause: string;
  readonly of: readonly Name[];
  readonly startedAt: number;
  endedAt: number;
  outcome: string;
}

const codeOf = (error: unknown): string => (isCodedError(error) ? error.code : String(error));
/** What ended a module after the commit: then it is done. */
const isDoneOrNot = ['actor/peer-died', 'runtime/module-stopped', 'actor/supervisor-stopped'];

class Scene {
  readonly #runtime: Runtime<typeof modules>;
  readonly #store: Store;
  readonly #faults: Fault[];
  readonly #shared: Readonly<Record<Name, SharedParameter<number>>>;
  readonly #asked: Asked[] = [];
  readonly #work: Promise<unknown>[] = [];
  #time = 0;
  #values = 0;

  private constructor(
    runtime: Runtime<typeof modules>,
    { store, faults }: ReturnType<typeof createFaultyStore>,
    shared: Readonly<Record<Name, SharedParameter<number>>>,
  ) {
    this.#runtime = runtime;
    this.#store = store;
    this.#faults = faults;
    this.#shared = shared;
  }

  static async open(): Promise<Scene> {
    const faulty = createFaultyStore();
    const runtime = createRuntime({
      modules,
      store: faulty.store,
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
    for (const each of ids) await this.#start(each).catch(() => undefined);
  }

  /** What was acknowledged and has not happened, or not in the order in which it was; what was refused and has happened. */
  faults(): readonly string[] {
    return names.flatMap((each) => {
      const causes = this.#shared[each].history.map(({ cause }) => cause);
      const concerned = this.#asked.filter(({ of }) => of.includes(each));
      const done = concerned.filter(({ outcome }) => outcome === 'done');
      const lost = done.filter(({ cause }) => !causes.includes(cause));
      const late = done.filter((one) =>
        done.some(
          (other) => one.endedAt < other.startedAt && causes.indexOf(one.cause) > causes.indexOf(other.cause),
        ),
      );
      const refused = concerned.filter(
        ({ outcome, cause }) =>
          outcome !== 'done' && !isDoneOrNot.includes(outcome) && causes.includes(cause),
      );
      return [
        ...lost.map(({ cause }) => `${each}: ${cause} is lost`),
        ...late.map(({ cause }) => `${each}: ${cause} came too late`),
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
    await using again = createRuntime({ modules, store: this.#store });
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
    const of = given.type === 'both' ? names : [given.name];
    const asked: Asked = { cause, of, startedAt: ++this.#time, endedAt: Infinity, outcome: 'open' };
    this.#asked.push(asked);
    const end = (outcome: string): void => void Object.assign(asked, { outcome, endedAt: ++this.#time });
    const level = value % 3 === 0 ? 'relaxed' : 'strict';
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
    if (type === 'step') return handle.parameters[of].applyGradient(-value, options);
    return handle.setParameters({ a: value, b: value }, options);
  }

  /** Where anything has something else than the shared parameter. */
  async differences(): Promise<unknown[]> {
    const found: unknown[] = [];
    for (const each of names) {
      const { value } = this.#shared[each];
      const stored = await this.#store.get<{ value: unknown }>(['shared', each]);
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
    const key = ['module', module, 'parameter', each];
    const stored = (await this.#store.get<{ state: { value: unknown } }>(key))?.value.state.value ?? value;
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
