import { expect, test } from 'vitest';
import type { Clock } from '../platform/index.ts';
import type { ChildSpec } from './child-spec.ts';
import type { RestartLimits } from './restart.ts';
import type { Strategy } from './supervision-state.ts';
import { supervisorScenes } from './supervisor-test-scene.ts';

const createScene = supervisorScenes();

const codeOf = (failing: Promise<unknown>): Promise<unknown> =>
  failing.then(
    () => 'done',
    (error: unknown) => (error as { code?: string }).code,
  );

test('a supervisor without children starts, closes, and answers', async () => {
  const scene = createScene();
  const supervisor = scene.supervisor();
  await supervisor.start();
  expect(supervisor.whichChildren()).toEqual([]);
  expect(supervisor.countChildren()).toEqual({ specs: 0, active: 0, supervisors: 0, actors: 0 });
  await supervisor.close();
  await supervisor.ended;
  expect(await codeOf(supervisor.add(scene.actor('a')))).toBe('actor/supervisor-stopped');
  expect(() => supervisor.requireRunning()).toThrow('has stopped');
  await supervisor.close();
});

test('a restart storm ends: the last straw is named, and nothing is left running', async () => {
  const scene = createScene();
  const limits = { maxRestarts: 50, maxSeconds: 60 };
  const supervisor = scene.supervisor({ limits });
  await supervisor.add(scene.actor('quiet'));
  await supervisor.add(scene.actor('noisy', { onStart: (ref) => ref.send('crash', null) }));
  for (let turn = 0; turn < 60; turn++) await scene.settle();
  expect(scene.errors).toEqual(['actor/supervisor-gave-up']);
  expect(scene.sink.ofType('supervisor-restart')).toHaveLength(50);
  expect(scene.running).toEqual([]);
  expect(supervisor.restarts).toHaveLength(50);
});

test('the record of restarts is bounded, and holds the newest', async () => {
  const scene = createScene();
  const supervisor = scene.supervisor({ limits: { maxRestarts: 1_000, maxSeconds: 1 } });
  await supervisor.add(scene.actor('a'));
  for (let crash = 0; crash < 105; crash++) {
    await scene.clock.advance(1_000);
    scene.send('a', 'crash');
    await scene.clock.advance(0);
    await scene.clock.advance(0);
  }
  expect(supervisor.restarts).toHaveLength(100);
  expect(supervisor.restarts.at(-1)?.atMs).toBeGreaterThanOrEqual(104_000);
});

test('a clock that goes back neither stops restarts nor gives them away', async () => {
  const scene = createScene();
  let nowMs = 1_000_000;
  const clock: Clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    after: (delayMs, callback) => scene.clock.after(delayMs, callback),
  };
  const supervisor = scene.supervisor({ limits: { maxRestarts: 2, maxSeconds: 5 } }, clock);
  await supervisor.add(scene.actor('a'));
  await scene.crash('a');
  nowMs = 10_000;
  await scene.crash('a');
  expect(supervisor.restartsLeft).toBe(0);
  nowMs = 16_000;
  expect(supervisor.restartsLeft).toBe(2);
  await scene.crash('a');
  expect(scene.errors).toEqual([]);
  expect(scene.running).toEqual(['a']);
});

test('a child that never stops is killed when its time is over, and the others wait for it', async () => {
  const scene = createScene();
  scene.clinging.add('b');
  const supervisor = scene.supervisor({
    children: [scene.actor('a'), scene.actor('b', { shutdown: 2_000 }), scene.actor('c')],
  });
  await supervisor.start();
  scene.take();
  const closing = supervisor.close();
  await scene.settle();
  await scene.clock.advance(1_999);
  expect(scene.take()).toEqual(['stop c', 'stop b']);
  await scene.clock.advance(1);
  await scene.settle();
  await closing;
  expect(scene.take()).toEqual(['stop a']);
  expect(scene.running).toEqual([]);
});

test('infinity waits, brutal-kill does not ask', async () => {
  const scene = createScene();
  scene.clinging.add('patient');
  const supervisor = scene.supervisor({
    children: [
      scene.actor('patient', { shutdown: 'infinity' }),
      scene.actor('killed', { shutdown: 'brutal-kill' }),
    ],
  });
  await supervisor.start();
  scene.take();
  let isClosed = false;
  void supervisor.close().then(() => (isClosed = true));
  await scene.clock.advance(1_000_000);
  expect({ isClosed, log: scene.take(), running: scene.running }).toEqual({
    isClosed: false,
    log: ['stop patient'],
    running: ['patient'],
  });
  await scene.system.stop('patient', 'brutal-kill');
  scene.system.killWorkerOf('patient');
  scene.system.close();
  await scene.settle();
  expect(isClosed).toBe(true);
});

test('an addition while it gives up is refused, and so is one that waits', async () => {
  const scene = createScene();
  scene.clinging.add('b');
  const supervisor = scene.supervisor({
    strategy: 'one-for-all',
    limits: { maxRestarts: 0, maxSeconds: 5 },
    children: [scene.actor('a'), scene.actor('b')],
  });
  await supervisor.start();
  scene.send('a', 'crash');
  await scene.clock.advance(0);
  expect(scene.errors).toEqual(['actor/supervisor-gave-up']);
  expect(scene.running).toEqual(['b']);
  expect(await codeOf(supervisor.add(scene.actor('late')))).toBe('actor/supervisor-gave-up');
  await scene.clock.advance(5_000);
  await supervisor.ended;
  expect(scene.running).toEqual([]);
  expect(scene.log.filter((line) => line.endsWith('over'))).toEqual(['crashed a over', 'killed b over']);
});

test('a request that waits for a group to restart is answered when it is over', async () => {
  const scene = createScene();
  scene.clinging.add('b');
  const supervisor = scene.supervisor({
    strategy: 'one-for-all',
    children: [scene.actor('a'), scene.actor('b', { shutdown: 1_000 })],
  });
  await supervisor.start();
  await scene.crash('a');
  const removing = codeOf(supervisor.remove('a'));
  const adding = codeOf(supervisor.add(scene.actor('c')));
  expect(supervisor.whichChildren().map(({ status }) => status)).toEqual(['stopped', 'stopping']);
  await scene.clock.advance(1_000);
  await scene.settle();
  expect(await Promise.all([removing, adding])).toEqual(['done', 'done']);
  expect(scene.running).toEqual(['b', 'c']);
});

test('a removal during a restart cuts it short', async () => {
  const scene = createScene();
  const supervisor = scene.supervisor();
  await supervisor.add(scene.actor('a'));
  scene.stuck.add('a');
  await scene.crash('a');
  expect(supervisor.whichChildren()[0]?.status).toBe('starting');
  await supervisor.remove('a');
  expect({ children: supervisor.whichChildren(), running: scene.running }).toEqual({
    children: [],
    running: [],
  });
});

test('a removal under way when the supervisor gives up, or is closed, is over when everything has ended', async () => {
  for (const end of ['give-up', 'close'] as const) {
    const scene = createScene();
    scene.clinging.add('a');
    const children = [scene.actor('a', { shutdown: 1_000 }), scene.actor('b')];
    const supervisor = scene.supervisor({ children, limits: { maxRestarts: 0, maxSeconds: 5 } });
    await supervisor.start();
    const removing = codeOf(supervisor.remove('a'));
    if (end === 'give-up') await scene.crash('b');
    else void supervisor.close();
    await scene.settle();
    expect(scene.running).toContain('a');
    await scene.clock.advance(1_000);
    await scene.settle();
    expect(await removing).toBe('done');
    expect(scene.running).toEqual([]);
  }
});

test('a removal during its own first start fails that start', async () => {
  const scene = createScene();
  scene.stuck.add('a');
  const supervisor = scene.supervisor();
  const adding = codeOf(supervisor.add(scene.actor('a')));
  await supervisor.remove('a');
  expect(await adding).toBe('actor/start-failed');
  expect(scene.running).toEqual([]);
});

test('a start that never ends holds up its group for as long as a start may take, and no longer', async () => {
  const scene = createScene();
  const supervisor = scene.supervisor({
    strategy: 'rest-for-one',
    children: [scene.actor('a'), scene.actor('b')],
  });
  await supervisor.start();
  scene.stuck.add('b');
  await scene.crash('a');
  const stopping = codeOf(supervisor.terminateChild('a'));
  await scene.clock.advance(10_000);
  await scene.settle();
  expect(await stopping).toBe('done');
});

test('closing does not wait for a start that never ends', async () => {
  const scene = createScene();
  scene.stuck.add('b');
  const supervisor = scene.supervisor({
    strategy: 'one-for-all',
    children: [scene.actor('a'), scene.actor('b')],
  });
  const starting = codeOf(supervisor.start());
  await scene.settle();
  await supervisor.close();
  expect(await starting).toBe('actor/supervisor-stopped');
  expect(scene.running).toEqual([]);
});

test.each<Strategy>(['one-for-one', 'one-for-all', 'rest-for-one'])(
  '%s bears a thousand children, and the loss of all of them',
  async (strategy) => {
    const scene = createScene();
    const ids = Array.from({ length: 1_000 }, (_, at) => `c${at}`);
    const supervisor = scene.supervisor({ strategy, children: ids.map((id) => scene.actor(id)) });
    const starting = supervisor.start();
    while (scene.log.length < 1_000) await scene.settle();
    await starting;
    scene.take();
    scene.system.killWorkerOf('c0');
    while (supervisor.countChildren().active < 1_000) await scene.settle();
    expect(supervisor.restartsLeft).toBe(2);
    const starts = scene.take().filter((line) => line.startsWith('start'));
    expect(starts).toEqual(ids.map((id) => `start ${id}`));
    const closing = supervisor.close();
    while (scene.running.length > 0) await scene.settle();
    await closing;
    expect(scene.take()).toEqual(ids.map((id) => `stop ${id}`).toReversed());
  },
  30_000,
);

test('requests to a supervisor that is held up are bounded', async () => {
  const scene = createScene();
  scene.stuck.add('a');
  const supervisor = scene.supervisor({ strategy: 'one-for-all' });
  void codeOf(supervisor.add(scene.actor('a')));
  const waiting = Array.from({ length: 9_999 }, () => codeOf(supervisor.terminateChild('a')));
  await expect(supervisor.deleteChild('a')).rejects.toMatchObject({
    code: 'actor/mailbox-full',
    fields: { supervisor: 'top', allowed: 10_000 },
  });
  await supervisor.close();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['actor/supervisor-stopped']));
}, 30_000);

test('a listener that throws keeps nobody from work', async () => {
  const scene = createScene();
  const fail = (): never => {
    throw new Error('not my fault');
  };
  const supervisor = scene.supervisor({ limits: { maxRestarts: 1, maxSeconds: 5 }, onGiveUp: fail });
  await supervisor.add(scene.actor('a', { onExit: fail }));
  await supervisor.add({ ...scene.actor('b'), onStart: fail });
  await scene.crash('a');
  expect(scene.running).toEqual(['a', 'b']);
  await scene.crash('a');
  await supervisor.ended;
  expect(scene.running).toEqual([]);
  expect(scene.sink.ofType('note').map(({ text }) => text)).toContainEqual(
    expect.stringContaining('not my fault'),
  );
});

test('a listener may ask for more while it is told', async () => {
  const scene = createScene();
  const supervisor = scene.supervisor();
  const replace = (): void => {
    void supervisor.remove('a');
    void supervisor.add(scene.actor('b'));
  };
  await supervisor.add(scene.actor('a', { restart: 'temporary', onExit: replace }));
  await scene.crash('a');
  expect(supervisor.whichChildren().map(({ id }) => id)).toEqual(['b']);
});

test('a spec that throws when it is asked what to spawn is a failed start', async () => {
  const scene = createScene();
  const spawn = (): never => {
    throw new TypeError('no arguments');
  };
  const supervisor = scene.supervisor();
  await expect(supervisor.add({ id: 'a', spawn })).rejects.toThrow('no arguments');
  expect(supervisor.whichChildren()).toEqual([]);
});

const spawn = (): { kind: string } => ({ kind: 'actor' });
test.each<[string, string, unknown]>([
  ['id', 'an empty id', { id: '', spawn }],
  ['restart', 'an unknown restart type', { id: 'a', spawn, restart: 'always' }],
  ['shutdown', 'a negative time', { id: 'a', spawn, shutdown: -1 }],
  ['shutdown', 'no time at all', { id: 'a', spawn, shutdown: Number.NaN }],
  ['shutdown', 'an unknown way to stop', { id: 'a', spawn, shutdown: 'never' }],
  ['type', 'an unknown type', { id: 'a', spawn, type: 'worker' }],
  ['spawn', 'nothing to spawn', { id: 'a' }],
  [
    'isSignificant',
    'a significant child of a supervisor that never ends',
    { id: 'a', spawn, isSignificant: true },
  ],
  ['autoShutdown', 'an unknown way to end', { id: 'a', type: 'supervisor', autoShutdown: 'always' }],
  [
    'children[0].isSignificant',
    'a significant child that is permanent',
    {
      id: 'a',
      type: 'supervisor',
      autoShutdown: 'any-significant',
      children: [{ id: 'b', spawn, isSignificant: true }],
    },
  ],
  ['strategy', 'an unknown strategy', { id: 'a', type: 'supervisor', strategy: 'one_for_one' }],
  [
    'limits.maxRestarts',
    'half a restart',
    { id: 'a', type: 'supervisor', limits: { maxRestarts: 0.5, maxSeconds: 1 } },
  ],
  [
    'limits.maxSeconds',
    'no window',
    { id: 'a', type: 'supervisor', limits: { maxRestarts: 1, maxSeconds: 0 } },
  ],
  [
    'children[0].children[1].id',
    'the same id twice',
    {
      id: 'a',
      type: 'supervisor',
      children: [
        {
          id: 'b',
          type: 'supervisor',
          children: [
            { id: 'c', spawn },
            { id: 'c', spawn },
          ],
        },
      ],
    },
  ],
])('%s: %s is refused', async (field, _, spec) => {
  const scene = createScene();
  const refused = { code: 'actor/spec-invalid', fields: { field: `child.${field}` } };
  await expect(scene.supervisor().add(spec as ChildSpec & { type: 'actor' })).rejects.toMatchObject(refused);
  const children = [spec as ChildSpec];
  expect(() => scene.supervisor({ children })).toThrow(
    expect.objectContaining({
      code: 'actor/spec-invalid',
      fields: expect.objectContaining({ field: `children[0].${field}` }) as object,
    }) as Error,
  );
});

test.each([
  [{ strategy: 'all-for-one' as Strategy }, 'strategy'],
  [{ limits: { maxRestarts: -1, maxSeconds: 5 } as RestartLimits }, 'limits.maxRestarts'],
])('a supervisor with a wrong option is refused: %j', (options, field) => {
  expect(() => createScene().supervisor(options)).toThrow(field);
});
