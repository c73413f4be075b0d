import { expect, test } from 'vitest';
import type { ActorSpec, ChildSpec, SupervisorSpec } from './child-spec.ts';
import { supervisorScenes } from './supervisor-test-scene.ts';

const createScene = supervisorScenes();

const nest = (
  id: string,
  children: readonly ChildSpec[],
  more: Partial<SupervisorSpec> = {},
): SupervisorSpec => ({
  type: 'supervisor',
  id,
  children,
  ...more,
});

test('a first start that fails names the child at every level, and leaves nothing running', async () => {
  const scene = createScene();
  scene.broken.add('c');
  const supervisor = scene.supervisor({
    children: [scene.actor('a'), nest('below', [scene.actor('b'), scene.actor('c')]), scene.actor('d')],
  });
  await expect(supervisor.start()).rejects.toMatchObject({
    code: 'actor/child-start-failed',
    fields: { supervisor: 'top', child: 'below' },
    cause: {
      code: 'actor/child-start-failed',
      fields: { supervisor: 'top/below', child: 'c' },
      cause: { code: 'runtime/asked-to-throw' },
    },
  });
  expect(scene.take()).toEqual(['start a', 'start b', 'start c', 'stop b', 'stop a']);
  expect(scene.running).toEqual([]);
  await supervisor.ended;
  expect(scene.errors).toEqual([]);
});

test('an addition that fails is forgotten, reports its own failure, and harms nobody', async () => {
  const scene = createScene();
  const supervisor = scene.supervisor({ children: [scene.actor('a')] });
  await supervisor.start();
  scene.broken.add('c');
  await expect(supervisor.add(nest('below', [scene.actor('b'), scene.actor('c')]))).rejects.toMatchObject({
    code: 'actor/child-start-failed',
    fields: { supervisor: 'top/below', child: 'c' },
  });
  await expect(supervisor.add(scene.actor('c'))).rejects.toMatchObject({ code: 'runtime/asked-to-throw' });
  expect(scene.running).toEqual(['a']);
  expect(supervisor.whichChildren().map(({ id }) => id)).toEqual(['a']);
});

test('a supervisor that gives up ends with shutdown: permanent is restarted with its first children, transient is not', async () => {
  for (const restart of ['permanent', 'transient'] as const) {
    const scene = createScene();
    const limits = { maxRestarts: 0, maxSeconds: 5 };
    const supervisor = scene.supervisor({
      children: [nest('below', [scene.actor('a')], { limits, restart })],
    });
    await supervisor.start();
    const first = supervisor.supervisor('below');
    await first?.add(scene.actor('extra'));
    scene.take();
    await scene.crash('a');
    const isAgain = restart === 'permanent';
    expect(scene.running).toEqual(isAgain ? ['a'] : []);
    expect(scene.take()).toEqual([
      'stop extra',
      isAgain ? 'crashed a again' : 'crashed a over',
      'shutdown extra over',
      ...(isAgain ? ['start a'] : []),
    ]);
    expect(supervisor.restartsLeft).toBe(isAgain ? 2 : 3);
    expect(supervisor.supervisor('below') === first).toBe(false);
    expect(supervisor.whichChildren()).toMatchObject([
      { id: 'below', status: isAgain ? 'running' : 'stopped' },
    ]);
    await first?.ended;
  }
});

test('what gives up again and again takes the top with it, and everybody is told once that it is over', async () => {
  const scene = createScene();
  const limits = { maxRestarts: 1, maxSeconds: 60 };
  const below = nest('below', [scene.actor('a'), scene.actor('b')], { limits });
  const supervisor = scene.supervisor({ limits, children: [below, scene.actor('c')] });
  await supervisor.start();
  for (let crash = 0; crash < 4; crash++) await scene.crash('a');
  await supervisor.ended;
  expect(scene.errors).toEqual(['actor/supervisor-gave-up']);
  expect(scene.sink.ofType('supervisor-give-up').map((event) => event.supervisor)).toEqual([
    'top/below',
    'top/below',
    'top',
  ]);
  expect(scene.running).toEqual([]);
  const over = scene.log.filter((line) => line.endsWith('over')).map((line) => line.split(' ')[1]);
  expect(over).toHaveLength(3);
  expect(new Set(over)).toEqual(new Set(['a', 'b', 'c']));
});

test('a supervisor that cannot be restarted is tried again, counted above; its actors are told when it is over', async () => {
  const scene = createScene();
  const below = nest('below', [scene.actor('a'), scene.actor('b')], {
    limits: { maxRestarts: 0, maxSeconds: 5 },
  });
  const supervisor = scene.supervisor({ children: [below] });
  await supervisor.start();
  scene.broken.add('b');
  await scene.crash('a');
  await scene.settle();
  await supervisor.ended;
  expect(scene.log.filter((line) => line === 'start b')).toHaveLength(4);
  const told = scene.log.filter((line) => /again|over/.test(line));
  expect(told.filter((line) => line.endsWith('a over'))).toHaveLength(1);
  expect(told.filter((line) => line.endsWith('b over'))).toHaveLength(1);
});

test('siblings that stop with a failed one are told that they start again; a temporary one that it does not', async () => {
  const scene = createScene();
  const supervisor = scene.supervisor({
    strategy: 'one-for-all',
    children: [
      scene.actor('a'),
      scene.actor('t', { restart: 'temporary' }),
      nest('below', [scene.actor('b')]),
    ],
  });
  await supervisor.start();
  scene.take();
  await scene.crash('a');
  expect(scene.take()).toEqual([
    'crashed a again',
    'stop b',
    'shutdown b again',
    'stop t',
    'shutdown t over',
    'start a',
    'start b',
  ]);
});

test('who asks for a stop is not told of it', async () => {
  const scene = createScene();
  const supervisor = scene.supervisor({
    children: [scene.actor('a'), scene.actor('b'), nest('below', [scene.actor('c')])],
  });
  await supervisor.start();
  await supervisor.terminateChild('a');
  await supervisor.remove('b');
  await supervisor.terminateChild('below');
  await supervisor.restartChild('below');
  await supervisor.close();
  expect(scene.log.filter((line) => /again|over/.test(line))).toEqual([]);
});

test('a supervisor below that does not stop in its time is killed with everything below it', async () => {
  const scene = createScene();
  scene.clinging.add('a').add('b');
  const supervisor = scene.supervisor({
    children: [
      scene.actor('c'),
      nest('below', [scene.actor('a', { shutdown: 'infinity' }), nest('deep', [scene.actor('b')])], {
        shutdown: 1_000,
      }),
    ],
  });
  await supervisor.start();
  const closing = supervisor.close();
  await scene.settle();
  await scene.clock.advance(999);
  expect(scene.running).toEqual(['a', 'b', 'c']);
  await scene.clock.advance(1);
  await scene.settle();
  await closing;
  expect(scene.running).toEqual([]);
});

test('a lost worker is one failure for each supervisor that it affects', async () => {
  const scene = createScene();
  const supervisor = scene.supervisor({
    children: [scene.actor('a'), scene.actor('b'), nest('below', [scene.actor('c'), scene.actor('d')])],
  });
  await supervisor.start();
  scene.take();
  scene.system.killWorkerOf('a');
  await scene.settle();
  expect(scene.running).toEqual(['a', 'b', 'c', 'd']);
  expect(supervisor.restartsLeft).toBe(2);
  expect(supervisor.supervisor('below')?.restartsLeft).toBe(2);
});

test('a supervisor that is stopped with its group does not judge what the same worker took from it', async () => {
  const scene = createScene();
  const below = nest('below', [scene.actor('b'), scene.actor('c')], {
    limits: { maxRestarts: 0, maxSeconds: 5 },
  });
  const supervisor = scene.supervisor({ strategy: 'one-for-all', children: [scene.actor('a'), below] });
  await supervisor.start();
  scene.take();
  scene.system.killWorkerOf('a');
  await scene.settle();
  expect(scene.sink.ofType('supervisor-give-up')).toEqual([]);
  expect(scene.take()).toEqual([
    'worker-lost a again',
    'worker-lost b again',
    'worker-lost c again',
    'start a',
    'start b',
    'start c',
  ]);
  expect(supervisor.restartsLeft).toBe(2);
});

test('losses are remembered though the supervisor above starts another anew', async () => {
  const scene = createScene();
  const limits = { maxRestarts: 0, maxSeconds: 5 };
  const supervisor = scene.supervisor({
    limits: { maxRestarts: 10, maxSeconds: 5 },
    children: [nest('below', [scene.actor('a')], { limits })],
  });
  await supervisor.start();
  for (const expected of [0, 1]) {
    scene.system.killWorkerOf('a');
    await scene.settle();
    expect(scene.system.dedicatedWorkers).toBe(expected);
  }
});

test('the tree as data: strategy, limits, budget and history of every supervisor, also of earlier runs', async () => {
  const scene = createScene();
  const limits = { maxRestarts: 1, maxSeconds: 5 };
  const below = nest('below', [scene.actor('b')], { limits, strategy: 'one-for-all', restart: 'permanent' });
  const supervisor = scene.supervisor({ strategy: 'rest-for-one', children: [scene.actor('a'), below] });
  await supervisor.start();
  await scene.crash('b');
  await scene.clock.advance(1_000);
  await scene.crash('b');
  expect(supervisor.inspect()).toEqual({
    id: 'top',
    strategy: 'rest-for-one',
    maxRestarts: 3,
    maxSeconds: 5,
    restartsLeft: 2,
    restarts: [{ child: 'below', reason: 'shutdown: gave up', atMs: 1_000 }],
    children: [
      { id: 'a', type: 'actor', restart: 'permanent', status: 'running' },
      {
        id: 'below',
        type: 'supervisor',
        restart: 'permanent',
        status: 'running',
        supervisor: {
          id: 'top/below',
          strategy: 'one-for-all',
          maxRestarts: 1,
          maxSeconds: 5,
          restartsLeft: 1,
          restarts: [{ child: 'b', reason: 'crashed', atMs: 0 }],
          children: [{ id: 'b', type: 'actor', restart: 'permanent', status: 'running' }],
        },
      },
    ],
  });
  expect(structuredClone(supervisor.inspect())).toEqual(supervisor.inspect());
  expect(supervisor.countChildren()).toEqual({ specs: 2, active: 2, supervisors: 1, actors: 1 });
});

test('two children that want one address: the second cannot start, and the error says why', async () => {
  const scene = createScene();
  const supervisor = scene.supervisor({ children: [scene.actor('a'), nest('below', [scene.actor('a')])] });
  await expect(supervisor.start()).rejects.toMatchObject({
    cause: { cause: { code: 'actor/already-started' } },
  });
});

test('children are stopped, started and deleted by hand as OTP has it', async () => {
  const scene = createScene();
  const supervisor = scene.supervisor({
    children: [scene.actor('a'), scene.actor('t', { restart: 'temporary' })],
  });
  await supervisor.start();
  const refused = (code: string): object => ({ code, fields: { supervisor: 'top' } });
  await expect(supervisor.add(scene.actor('a'))).rejects.toMatchObject(refused('actor/already-started'));
  await expect(supervisor.deleteChild('a')).rejects.toMatchObject(refused('actor/child-running'));
  await expect(supervisor.restartChild('a')).rejects.toMatchObject(refused('actor/child-running'));
  await expect(supervisor.restartChild('x')).rejects.toMatchObject(refused('actor/child-not-found'));
  await expect(supervisor.terminateChild('x')).rejects.toMatchObject(refused('actor/child-not-found'));
  await supervisor.terminateChild('t');
  await supervisor.terminateChild('a');
  expect(supervisor.whichChildren()).toEqual([
    { id: 'a', type: 'actor', restart: 'permanent', status: 'stopped' },
  ]);
  await expect(supervisor.add(scene.actor('a'))).rejects.toMatchObject(refused('actor/already-present'));
  await supervisor.restartChild('a');
  expect(supervisor.restartsLeft).toBe(3);
  await supervisor.terminateChild('a');
  await supervisor.deleteChild('a');
  await expect(supervisor.deleteChild('a')).rejects.toMatchObject(refused('actor/child-not-found'));
  await supervisor.remove('a');
});

test('a supervisor whose significant children are done ends, and did not give up', async () => {
  const scene = createScene();
  const job = (id: string): ChildSpec => scene.actor(id, { restart: 'transient', isSignificant: true });
  const supervisor = scene.supervisor({
    autoShutdown: 'all-significant',
    children: [job('a'), scene.actor('helper'), job('b')],
  });
  await supervisor.start();
  scene.send('a', 'leave');
  await scene.settle();
  expect(scene.running).toEqual(['b', 'helper']);
  await scene.crash('b');
  expect(scene.running).toEqual(['b', 'helper']);
  scene.take();
  scene.send('b', 'leave');
  await scene.settle();
  await supervisor.ended;
  expect(scene.errors).toEqual([]);
  expect(scene.running).toEqual([]);
  expect(scene.take()).toEqual(['normal b over', 'stop helper', 'shutdown helper over']);
  await expect(supervisor.add(scene.actor('late'))).rejects.toMatchObject({
    code: 'actor/supervisor-stopped',
  });
});

test('many children of one kind come and go: each starts again alone, and the temporary are forgotten', async () => {
  const scene = createScene();
  const visitor = (id: number, restart: 'temporary' | 'transient'): ActorSpec =>
    scene.actor(`visitor-${id}`, { restart });
  const supervisor = scene.supervisor({ limits: { maxRestarts: 100, maxSeconds: 5 } });
  const count = 200;
  for (let id = 0; id < count; id++) await supervisor.add(visitor(id, id % 2 ? 'transient' : 'temporary'));
  scene.take();
  scene.send('visitor-0', 'crash');
  scene.send('visitor-1', 'crash');
  scene.send('visitor-3', 'leave');
  await scene.settle();
  await supervisor.remove('visitor-5');
  expect(scene.take().toSorted()).toEqual([
    'crashed visitor-0 over',
    'crashed visitor-1 again',
    'normal visitor-3 over',
    'start visitor-1',
    'stop visitor-5',
  ]);
  // one was forgotten, one removed, and one rests
  expect(supervisor.countChildren()).toMatchObject({ specs: count - 2, active: count - 3 });
  await supervisor.close();
  expect(scene.running).toEqual([]);
});
