/** A family is updated whole or not at all, whatever happens to one of it meanwhile, and goes on with the code that it has. */
import { afterEach, expect, test } from 'vitest';
import { Parameter } from '../../program/index.ts';
import type { ModuleState } from '../../program/index.ts';
import { codeOf, turn } from '../runtime-test-scene.ts';
import {
  Clerk,
  createCourt,
  failures,
  forgetFailures,
  hub,
  MinuteCourt,
  MinuteJudge,
  NewClerk,
  NewCourt,
  newCode,
  NewJudge,
} from './update-test-scene.ts';

const old = 'court, judge 3, clerk';
const taken = 'new court, new judge 3, new clerk';
const idempotent = { isIdempotent: true };
const keptBy = (...who: readonly string[]): readonly string[] =>
  who.map((id) => `${id} runtime/sub-module-mismatch`);

/** How often a judge was asked to take over a state. */
let migrations = 0;
/** From which on it refuses. */
let refusesFrom = 1;
afterEach(() => {
  migrations = 0;
  refusesFrom = 1;
});

/** The same from outside, of another version. */
class StrictJudge extends NewJudge {
  static readonly version = '1.0.0';
  static migrate(state: ModuleState): ModuleState {
    migrations++;
    if (migrations >= refusesFrom) throw new Error('as asked');
    return state;
  }
}
const strictCode = { judge: StrictJudge, clerk: NewClerk, court: NewCourt };

const never = {
  name: 'never',
  compile: (_: unknown, { signal }: { signal?: AbortSignal | undefined }) =>
    new Promise<never>((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    }),
};
const optimizers = { never };

test.each(['c', 'c/judge'])(
  'while %s is compiled the whole family keeps its code, and takes the newest behind that',
  async (id) => {
    const { court, update } = await createCourt({ options: { optimizers } });
    const stop = new AbortController();
    const compiled = id === 'c' ? court : court.subModule('judge');
    const trainset = [{ question: 'q', answer: 'a' }];
    const compiling = codeOf(compiled.compile({ optimizer: 'never', trainset, signal: stop.signal }));
    update(newCode);
    await expect
      .poll(failures)
      .toEqual(['c', 'c/clerk', 'c/judge'].map((one) => `${one} runtime/compile-running`));
    // told once, however often it is saved meanwhile
    update({ ...newCode, court: class extends NewCourt {} });
    await turn();
    expect([failures().length, await court.call(null)]).toEqual([3, old]);
    stop.abort();
    expect(await compiling).toBe('port/cancelled');
    await expect.poll(() => court.call(null)).toBe(taken);
  },
);

test('a compilation that begins as the one before ends keeps new code out as well', async () => {
  const { court, update } = await createCourt({ options: { optimizers } });
  const trainset = [{ question: 'q', answer: 'a' }];
  const stops = [new AbortController(), new AbortController()] as const;
  const compile = ({ signal }: AbortController): Promise<string> =>
    codeOf(court.compile({ optimizer: 'never', trainset, signal }));
  let second: Promise<string> | undefined;
  const leave = hub.subscribe(({ type }) => void (type === 'compile-fail' && (second ??= compile(stops[1]))));
  const compiling = compile(stops[0]);
  stops[0].abort();
  expect(await compiling).toBe('port/cancelled');
  leave();
  update(newCode);
  await turn();
  expect([court.compilationStatus, await court.call(null)]).toEqual(['compiling', old]);
  expect(failures()).toContain('c runtime/compile-running');
  stops[1].abort();
  expect(await second).toBe('port/cancelled');
  await expect.poll(() => court.call(null)).toBe(taken);
});

test.each([true, false])(
  'code of which a part does not take its state is taken by nobody (in one worker: %s)',
  async (isTogether) => {
    const { court, update } = await createCourt({ isTogether });
    update(strictCode);
    const refused = ['c runtime/sub-module-mismatch', 'c/clerk runtime/sub-module-mismatch'];
    await expect.poll(failures).toEqual([...refused, 'c/judge runtime/state-migration-failed']);
    await turn();
    expect(await court.call(null)).toBe(old);
    expect(court.subModule('judge').version).toBe('0.0.0');
    refusesFrom = Infinity;
    update({ ...strictCode });
    // the classes are the same, and are not exchanged once more: it takes an edit
    update(newCode);
    await expect.poll(() => court.call(null)).toBe(taken);
  },
);

test('a worker that has the code before the others does not take what they could not', async () => {
  const { court, catalogs } = await createCourt();
  for (const catalog of catalogs()) {
    catalog.update(strictCode);
    await turn();
    expect(await court.call(null)).toBe(old);
  }
  refusesFrom = Infinity;
  forgetFailures();
  class LateJudge extends StrictJudge {}
  for (const catalog of catalogs()) {
    catalog.update({ ...strictCode, judge: LateJudge });
    await turn();
  }
  await expect.poll(() => court.call(null)).toBe(taken);
  expect(failures()).toEqual([]);
});

test('what agreed and then refuses takes all of them back', async () => {
  const { court, update } = await createCourt();
  // each of three workers tries it, and then it is to take over
  refusesFrom = 4;
  update(strictCode);
  await expect
    .poll(failures)
    .toEqual([
      'c runtime/sub-module-mismatch',
      'c/clerk runtime/sub-module-mismatch',
      'c/judge runtime/state-migration-failed',
    ]);
  expect(migrations).toBe(4);
  expect(await court.call(null)).toBe(old);
  await court.parameter('judge.seconds').set(4);
  expect(await court.call(null)).toBe('court, judge 4, clerk');
});

test.each(['c', 'c/judge', 'c/clerk'])(
  'code that was refused does not get in by a crash of %s',
  async (id) => {
    const { court, update, crash } = await createCourt({ isTogether: true });
    update({ ...newCode, judge: MinuteJudge });
    await expect.poll(failures).toEqual(keptBy('c', 'c/clerk', 'c/judge'));
    forgetFailures();
    const module = id === 'c' ? court : court.subModule(id.slice(2));
    crash(id);
    await expect.poll(() => module.metrics.restarts).toBe(1);
    expect(await court.call(null, idempotent)).toBe(old);
    // two edits later it is still there
    update({ ...newCode, judge: MinuteJudge });
    update({ ...newCode, judge: MinuteJudge, clerk: Clerk });
    crash(id);
    await expect.poll(() => module.metrics.restarts).toBe(2);
    expect(await court.call(null, idempotent)).toBe(old);
    update(newCode);
    await expect.poll(() => court.call(null, idempotent)).toBe(taken);
    crash(id);
    await expect.poll(() => module.metrics.restarts).toBe(3);
    expect(await court.call(null, idempotent)).toBe(taken);
  },
);

/** Fits its parts, and has something of its own. */
class WideCourt extends NewCourt {
  readonly width: Parameter<number> = new Parameter({ type: 'number', value: 7 });
}

test('a worker that is started anew has the newest code alone: what fits serves with it, and the page knows its shape', async () => {
  const { runtime, court, update, serveToNew } = await createCourt();
  const code = { ...strictCode, court: WideCourt };
  update(code);
  await expect.poll(() => failures().length).toBe(3);
  expect(Object.keys(court.parameters)).toEqual(['judge.seconds']);
  serveToNew(code);
  runtime.killWorkerOf('c');
  expect(await court.call(null, idempotent)).toBe('new court, judge 3, clerk');
  await court.parameter('width').set(8);
  runtime.killWorkerOf('c');
  expect(await court.call(null, idempotent)).toBe('new court, judge 3, clerk');
  expect(await court.parameter('width').get()).toBe(8);
});

test('when one comes back with newer code the others are asked for it once more', async () => {
  const { runtime, court, update, serveToNew } = await createCourt();
  update(strictCode);
  await expect.poll(() => failures().length).toBe(3);
  expect(await court.call(null)).toBe(old);
  refusesFrom = Infinity;
  serveToNew(strictCode);
  runtime.killWorkerOf('c');
  await expect.poll(() => court.call(null, idempotent)).toBe(taken);
});

test('what a worker that is started anew has, and does not fit, ends alone', async () => {
  const { runtime, court, update, serveToNew } = await createCourt();
  const code = { ...newCode, judge: MinuteJudge };
  update(code);
  await expect.poll(() => failures().length).toBe(3);
  serveToNew(code);
  runtime.killWorkerOf('c/judge');
  const judge = court.subModule('judge');
  await expect.poll(() => judge.status).toBe('crashed');
  expect(await codeOf(court.call(null, idempotent))).toBe('runtime/sub-module-down');
  expect(court.status).toBe('running');
});

test('a family that is lost with its worker comes back whole with the newest code', async () => {
  const { runtime, court, serveToNew } = await createCourt({ isTogether: true });
  serveToNew({ judge: MinuteJudge, clerk: NewClerk, court: MinuteCourt });
  runtime.killWorkerOf('c');
  expect(await court.call(null, idempotent)).toBe('new court, minutes 1, new clerk');
  await court.parameter('judge.minutes').set(5);
  expect(await court.call(null, idempotent)).toBe('new court, minutes 5, new clerk');
});

test('a family that comes back with code that does not fit ends', async () => {
  const { runtime, court, serveToNew } = await createCourt({ isTogether: true });
  serveToNew({ ...newCode, judge: MinuteJudge });
  runtime.killWorkerOf('c');
  expect(await codeOf(court.call(null, idempotent))).toBe('runtime/sub-module-mismatch');
});
