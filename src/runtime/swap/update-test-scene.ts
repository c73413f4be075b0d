/** A program with two actors inside it, and new code for all of them: for the tests of updates. */
import { afterEach, vi } from 'vitest';
import { Module, Parameter } from '../../program/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import { HostedModuleRecord } from '../host/hosted.ts';
import type { RuntimeOptions } from '../runtime-options.ts';
import type { Runtime } from '../runtime.ts';
import { runtimesOf } from '../runtime-test-scene.ts';
import { ModuleCatalog } from '../version/module-catalog.ts';
import type { Modules } from '../version/module-catalog.ts';

const numberOf = (value: number): Parameter<number> => new Parameter({ type: 'number', value });

export class Judge extends Module<null, string> {
  readonly seconds: Parameter<number> = numberOf(2);
  override forward(): Promise<string> {
    return Promise.resolve(`judge ${this.seconds.value}`);
  }
}

export class Clerk extends Module<null, string> {
  override forward(): Promise<string> {
    return Promise.resolve('clerk');
  }
}

export class Court extends Module<null, string> {
  readonly judge: Module<null, string> = new Judge();
  readonly clerk: Module<null, string> = new Clerk();
  override async forward(): Promise<string> {
    return `court, ${await this.judge.call(null)}, ${await this.clerk.call(null)}`;
  }
}

/** The same from outside. */
export class NewJudge extends Judge {
  override forward(): Promise<string> {
    return Promise.resolve(`new judge ${this.seconds.value}`);
  }
}

export class NewClerk extends Clerk {
  override forward(): Promise<string> {
    return Promise.resolve('new clerk');
  }
}

export class NewCourt extends Court {
  override async forward(): Promise<string> {
    return `new ${await super.forward()}`;
  }
}

/** Another shape. */
export class MinuteJudge extends Module<null, string> {
  readonly minutes: Parameter<number> = numberOf(1);
  override forward(): Promise<string> {
    return Promise.resolve(`minutes ${this.minutes.value}`);
  }
}

export class MinuteCourt extends NewCourt {
  override readonly judge: Module<null, string> = new MinuteJudge();
}

/** Has no clerk any more. */
export class LonelyCourt extends Module<null, string> {
  readonly judge: Module<null, string> = new NewJudge();
  override forward(): Promise<string> {
    return this.judge.call(null);
  }
}

export class BrokenJudge extends NewJudge {
  constructor() {
    super();
    throw new Error('as asked');
  }
}

export const hub = createHub();
const sink = createMemorySink(hub);

export const first: Modules = { judge: Judge, clerk: Clerk, court: Court };
export const newCode: Modules = { judge: NewJudge, clerk: NewClerk, court: NewCourt };
const create = runtimesOf<Modules>({ hub });

afterEach(() => {
  vi.restoreAllMocks();
  sink.clear();
});

export interface CourtScene {
  readonly runtime: Runtime<Modules>;
  readonly court: ModuleHandle;
  /** New code comes to the workers that there are. */
  readonly update: (modules: Modules) => void;
  /** Each of them, in the order of their start: that of the court comes first. */
  readonly catalogs: () => readonly ModuleCatalog[];
  /** What a worker serves that is started from now on. */
  readonly serveToNew: (modules: Modules) => void;
  /** A crash of the actor alone: its worker stays. */
  readonly crash: (id: string) => void;
}

/** A court with actors in workers of their own, or all in one. */
export async function createCourt({
  isTogether = false,
  options = {},
}: { readonly isTogether?: boolean; readonly options?: RuntimeOptions<Modules> } = {}): Promise<CourtScene> {
  const attached = vi.spyOn(ModuleCatalog.prototype, 'attachPage');
  const begun = vi.spyOn(HostedModuleRecord.prototype, 'attach');
  const served: Record<string, Modules[string]> = { ...first };
  const runtime = create({ poolSize: 1, ...options, modules: served });
  const part = { whenDown: 'fail', ...(isTogether ? {} : ({ isolation: 'dedicated' } as const)) } as const;
  const court = await runtime.start('court', {
    id: 'c',
    actors: { judge: { ...part, kind: 'judge' }, clerk: { ...part, kind: 'clerk' } },
  });
  await court.parameter('judge.seconds').set(3);
  const catalogs = (): readonly ModuleCatalog[] => [...new Set(attached.mock.contexts as ModuleCatalog[])];
  return {
    runtime,
    court,
    catalogs,
    update: (modules) => catalogs().forEach((catalog) => catalog.update(modules)),
    serveToNew: (modules) => void Object.assign(served, modules),
    crash(id) {
      const modules = begun.mock.contexts as readonly HostedModuleRecord[];
      modules.findLast((module) => module.id === id)?.tell('owner-behind', { reason: 'as asked' });
    },
  };
}

/** Who kept the code before, and why. */
export const failures = (): readonly string[] =>
  sink
    .ofType('module-swap-fail')
    .map(({ module, error }) => `${module} ${error.code}`)
    .toSorted();

export const forgetFailures = (): void => sink.clear();
