/** A swap goes on with the same actors inside and around: it is refused when they do not fit, and their copies follow it. */
import { expect, test } from 'vitest';
import { sleep, systemClock } from '../../platform/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import type { ModuleState } from '../../program/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import type { Runtime } from '../runtime.ts';
import { codeOf } from '../sub-module/sub-module-test-scene.ts';
import { runtimesOf } from '../runtime-test-scene.ts';

const numberOf = (value: number): Parameter<number> => new Parameter({ type: 'number', value });

class Judge extends Module<null, number> {
  static readonly version: string = '1.0.0';
  readonly seconds: Parameter<number> = numberOf(2);

  override forward(): Promise<number> {
    return Promise.resolve(this.seconds.value);
  }
}

/** The same from outside. */
class CarefulJudge extends Judge {
  static override readonly version: string = '1.1.0';

  static migrate(state: ModuleState): ModuleState {
    const seconds = state.parameters['seconds'];
    if (!seconds) return state;
    const value = Number(seconds.value) * 10;
    return { ...state, parameters: { ...state.parameters, seconds: { ...seconds, value } } };
  }
}

class OtherJudge extends Module<null, number> {
  static readonly version: string = '2.0.0';
  readonly milliseconds: Parameter<number> = numberOf(2000);

  override forward(): Promise<number> {
    return Promise.resolve(this.milliseconds.value);
  }
}

class Court extends Module<null, string> {
  static readonly version: string = '1.0.0';
  readonly judge: Module<null, number> = new Judge();

  override async forward(): Promise<string> {
    const { version } = this.constructor as typeof Court;
    return `court ${version}: ${await this.judge.call(null)}`;
  }
}

/** Changes what belongs to its judge, too. */
class LateCourt extends Court {
  static override readonly version: string = '1.1.0';

  static migrate(state: ModuleState): ModuleState {
    const seconds = state.parameters['judge.seconds'];
    if (!seconds) return state;
    return { ...state, parameters: { ...state.parameters, 'judge.seconds': { ...seconds, value: 99 } } };
  }
}

class OtherCourt extends Court {
  static override readonly version: string = '2.0.0';
  override readonly judge: Module<null, number> = new OtherJudge();
}

class TwinCourt extends Court {
  static override readonly version: string = '3.0.0';
  readonly second: Judge = new Judge();

  constructor() {
    super();
    Object.assign(this.second, { seconds: (this.judge as Judge).seconds });
  }
}

/** Two judges, each with what is its own. */
class PairCourt extends Court {
  static override readonly version: string = '2.9.0';
  readonly second: Judge = new Judge();
}

const modules = { judge: Judge, court: [Court, LateCourt, OtherCourt], pair: [PairCourt, TwinCourt] };
const create = runtimesOf({ modules });

const judge = { kind: 'judge', whenDown: 'local', restart: 'temporary', isolation: 'dedicated' } as const;

async function start(hotReload: boolean = true): Promise<Runtime<typeof modules>> {
  const runtime = create();
  await runtime.start('court', { id: 'c', version: '1.0.0', hotReload, actors: { judge } });
  return runtime;
}

const url = 'https://own.example/judge.js';

/** A court of the first version, and a file with another class of judge. */
async function startWith(Class: new () => Module<null, number>): Promise<ModuleHandle> {
  const importModule = (): Promise<object> => Promise.resolve({ Class });
  const runtime = create({ moduleImport: { importOrigins: ['https://own.example'], importModule } });
  return runtime.start('court', { id: 'c', version: '1.0.0', actors: { judge } });
}

const turn = (): Promise<void> => sleep(systemClock, 10);

test('a program is not swapped to a class that its part does not fit; it serves as before', async () => {
  const runtime = await start();
  const court = runtime.module('c');
  await expect(court.swap({ version: '2.0.0' })).rejects.toMatchObject({
    code: 'runtime/sub-module-mismatch',
    message: expect.stringContaining('parameter "milliseconds" is number') as string,
    fields: { path: 'judge' },
  });
  expect(court.version).toBe('1.0.0');
  expect(Object.keys(court.parameters)).toEqual(['judge.seconds']);
  await court.parameter('judge.seconds').set(3);
  expect(await court.call(null)).toBe('court 1.0.0: 3');
  runtime.killWorkerOf('c');
  expect(await court.call(null, { isIdempotent: true })).toBe('court 1.0.0: 3');
});

test('a class whose parts share a parameter is refused', async () => {
  const actors = { judge, second: judge };
  const court = await create().start('pair', { id: 'c', version: '2.9.0', actors });
  await expect(court.swap({ version: '3.0.0' })).rejects.toMatchObject({
    code: 'runtime/sub-module-mismatch',
    message: expect.stringContaining('shares the parameter') as string,
  });
  expect(await court.call(null)).toBe('court 2.9.0: 2');
});

test('a part is not swapped to a class that does not fit the program around it', async () => {
  const court = await startWith(OtherJudge);
  const part = court.subModule('judge');
  expect(await codeOf(part.swap({ url }))).toBe('runtime/sub-module-mismatch');
  expect([part.version, await court.call(null)]).toEqual(['1.0.0', 'court 1.0.0: 2']);
});

test('after a swap of the program its copy of a part has what the part has', async () => {
  const runtime = await start();
  const court = runtime.module('c');
  await court.parameter('judge.seconds').set(5);
  await court.swap({ version: '1.1.0' });
  await turn();
  runtime.killWorkerOf('c/judge');
  await turn();
  expect(court.subModule('judge').status).toBe('crashed');
  expect(await court.call(null)).toBe('court 1.1.0: 5');
});

test('after the way back, too', async () => {
  const runtime = await start();
  const court = runtime.module('c');
  await court.swap({ version: '1.1.0' });
  await court.parameter('judge.seconds').set(6);
  await court.rollback();
  await turn();
  runtime.killWorkerOf('c/judge');
  await turn();
  expect(await court.call(null)).toBe('court 1.0.0: 6');
});

test('after a swap of a part, the copy of it in the program has what was migrated', async () => {
  const court = await startWith(CarefulJudge);
  await court.subModule('judge').swap({ url });
  expect(await court.call(null)).toBe('court 1.0.0: 20');
  await turn();
  await court.subModule('judge').stop();
  expect(await court.call(null)).toBe('court 1.0.0: 20');
});

test('parts of a program that is not to be swapped are not swapped either', async () => {
  const runtime = await start(false);
  const part = runtime.module('c').subModule('judge');
  expect(await codeOf(part.swap({ version: '1.0.0' }))).toBe('runtime/hot-reload-disabled');
});
