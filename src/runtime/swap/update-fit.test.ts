/** New code that is served to a program and the actors inside it: all of them take it, or none does. */
import { afterEach, expect, test, vi } from 'vitest';
import { Module, Parameter } from '../../program/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { runtimesOf } from '../runtime-test-scene.ts';
import { ModuleCatalog } from '../version/module-catalog.ts';
import type { Modules } from '../version/module-catalog.ts';

const numberOf = (value: number): Parameter<number> => new Parameter({ type: 'number', value });

class Judge extends Module<null, string> {
  readonly seconds: Parameter<number> = numberOf(2);
  override forward(): Promise<string> {
    return Promise.resolve(`judge ${this.seconds.value}`);
  }
}

class Clerk extends Module<null, string> {
  override forward(): Promise<string> {
    return Promise.resolve('clerk');
  }
}

class Court extends Module<null, string> {
  readonly judge: Module<null, string> = new Judge();
  readonly clerk: Module<null, string> = new Clerk();
  override async forward(): Promise<string> {
    return `court, ${await this.judge.call(null)}, ${await this.clerk.call(null)}`;
  }
}

/** The same from outside. */
class NewJudge extends Judge {
  override forward(): Promise<string> {
    return Promise.resolve(`new judge ${this.seconds.value}`);
  }
}

class NewClerk extends Clerk {
  override forward(): Promise<string> {
    return Promise.resolve('new clerk');
  }
}

class NewCourt extends Court {
  override async forward(): Promise<string> {
    return `new ${await super.forward()}`;
  }
}

/** Another shape. */
class MinuteJudge extends Module<null, string> {
  readonly minutes: Parameter<number> = numberOf(1);
  override forward(): Promise<string> {
    return Promise.resolve(`minutes ${this.minutes.value}`);
  }
}

class MinuteCourt extends NewCourt {
  override readonly judge: Module<null, string> = new MinuteJudge();
}

/** Has no clerk any more. */
class LonelyCourt extends Module<null, string> {
  readonly judge: Module<null, string> = new NewJudge();
  override forward(): Promise<string> {
    return this.judge.call(null);
  }
}

class BrokenJudge extends NewJudge {
  constructor() {
    super();
    throw new Error('as asked');
  }
}

const hub = createHub();
const sink = createMemorySink(hub);
const first: Modules = { judge: Judge, clerk: Clerk, court: Court };
const create = runtimesOf<Modules>({ modules: first, hub });

afterEach(() => {
  vi.restoreAllMocks();
  sink.clear();
});

/** A court with actors in workers of their own, and what serves new code to all of these. */
async function createScene() {
  const attached = vi.spyOn(ModuleCatalog.prototype, 'attachPage');
  const runtime = create();
  const part = { whenDown: 'fail', isolation: 'dedicated' } as const;
  const court = await runtime.start('court', {
    id: 'c',
    actors: { judge: { ...part, kind: 'judge' }, clerk: { ...part, kind: 'clerk' } },
  });
  await court.parameter('judge.seconds').set(3);
  const catalogs = new Set(attached.mock.contexts as ModuleCatalog[]);
  return { court, update: (modules: Modules) => catalogs.forEach((catalog) => catalog.update(modules)) };
}

const failures = (): readonly unknown[] =>
  sink
    .ofType('module-swap-fail')
    .map(({ module, error }) => `${module} ${error.code}`)
    .toSorted();

test('code in which program and parts still fit is taken by all', async () => {
  const { court, update } = await createScene();
  update({ judge: NewJudge, clerk: NewClerk, court: NewCourt });
  await expect.poll(() => court.call(null)).toBe('new court, new judge 3, new clerk');
  // a shape that changes on both sides alike
  update({ judge: MinuteJudge, clerk: NewClerk, court: MinuteCourt });
  await expect.poll(() => court.call(null)).toBe('new court, minutes 1, new clerk');
  expect(failures()).toEqual([]);
});

test.each<[string, Modules]>([
  ['a part has another shape', { judge: MinuteJudge, clerk: NewClerk, court: NewCourt }],
  ['the program takes a part for another', { judge: NewJudge, clerk: NewClerk, court: MinuteCourt }],
  ['the program has a part no more', { judge: NewJudge, clerk: NewClerk, court: LonelyCourt }],
  ['a part cannot be constructed', { judge: BrokenJudge, clerk: NewClerk, court: NewCourt }],
])('code in which %s is taken by nobody, and all serve on', async (_, modules) => {
  const { court, update } = await createScene();
  update(modules);
  const refused = ['c', 'c/clerk', 'c/judge'].map((id) => `${id} runtime/sub-module-mismatch`);
  await expect.poll(failures).toEqual(refused);
  expect(await court.call(null)).toBe('court, judge 3, clerk');
  await court.parameter('judge.seconds').set(4);
  expect(await court.call(null)).toBe('court, judge 4, clerk');
  // the next edit mends it
  update({ judge: NewJudge, clerk: NewClerk, court: NewCourt });
  await expect.poll(() => court.call(null)).toBe('new court, new judge 4, new clerk');
});
