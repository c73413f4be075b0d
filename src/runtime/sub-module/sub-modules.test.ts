import { afterEach, expect, test } from 'vitest';
import { scriptedLm } from '../../lm/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { Moody, subModuleTestModules as modules } from './sub-module-test-modules.ts';
import { closeRuntimes, createTestRuntime, judge, startPipeline, turn } from './sub-module-test-scene.ts';
import type { Verdict } from './sub-module-test-scene.ts';

afterEach(closeRuntimes);

test('the forward of a declared sub-module runs in its own actor, with the context of the run around it', async () => {
  const hub = createHub();
  const sink = createMemorySink(hub);
  const runtime = createTestRuntime({ hub });
  const pipeline = await startPipeline(runtime);
  const deltas: unknown[] = [];
  const reply = (await pipeline.call(
    { ask: 'context' },
    { timeoutMs: 60_000, values: { season: 'winter' }, onDelta: (delta) => deltas.push(delta) },
  )) as { verdict: Record<string, unknown>; isPrediction: boolean };
  expect(reply.isPrediction).toBe(true);
  const [outer, inner] = sink.ofType('call-start');
  expect([outer?.actor, inner?.actor]).toEqual(['p', 'p/critic']);
  expect(reply.verdict).toMatchObject({
    path: 'critic',
    season: 'winter',
    traceId: outer?.span?.traceId,
  });
  expect(inner?.span?.traceId).toBe(outer?.span?.traceId);
  expect(reply.verdict['remainingMs']).toBeGreaterThan(50_000);
  expect(reply.verdict['remainingMs']).toBeLessThanOrEqual(60_000);
  expect(deltas).toEqual([{ path: 'critic', index: 0, text: 'piece' }]);
  expect(pipeline.subModule('critic').metrics).toMatchObject({ calls: 1, successes: 1 });
});

test('in one process the same class calls its sub-module as ever', async () => {
  const program = new modules.pipeline();
  const { verdict } = (await program.call({ ask: 'judge' })) as Verdict;
  expect(verdict.born).toBe(program.critic.born);
});

test('tokens that a part used are counted where it was called, and what it answered is a prediction there', async () => {
  const lm = scriptedLm({
    script: () => '[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\nforty-two\n\n[[ ## completed ## ]]',
  });
  const runtime = createTestRuntime({ lm });
  const author = await runtime.start('author', { actors: { think: { kind: 'thinker', whenDown: 'fail' } } });
  const reply = (await author.call({ question: 'q' })) as { answer: string; usage: object; calls: number };
  expect(reply).toMatchObject({ answer: 'forty-two', calls: 1 });
  expect(Object.keys(reply.usage)).toEqual([lm.model]);
});

test('parameters of a part are its own: read, written, checked and heard of through either handle', async () => {
  const runtime = createTestRuntime();
  const pipeline = await startPipeline(runtime);
  const critic = pipeline.subModule('critic');
  const heard: number[] = [];
  pipeline.parameters['critic.limit'].subscribe((value) => heard.push(value));
  await pipeline.parameters['critic.limit'].set(20, { level: 'memory' });
  expect(pipeline.parameters['critic.limit'].name).toBe('critic.limit');
  expect([critic.parameters.limit.value, await critic.parameters.limit.get()]).toEqual([20, 20]);
  await critic.parameters.limit.set(30, { level: 'memory' });
  expect(pipeline.parameter('critic.limit').value).toBe(30);
  expect(await pipeline.parameter('critic.limit').get()).toBe(30);
  expect(heard).toEqual([20, 30]);
  await expect(pipeline.parameters['critic.limit'].set(101)).rejects.toMatchObject({
    code: 'program/constraint-violated',
  });
  expect(await judge(pipeline)).toMatchObject({ limit: 30 });
  // the program around it reads what the owner has
  expect(await pipeline.call({ ask: 'read' })).toMatchObject({ limit: 30 });
  expect(() => pipeline.parameter('critic.none')).toThrow(
    expect.objectContaining({ code: 'program/parameter-not-found' }) as Error,
  );
});

test('a parameter that the program around it sets is set by its owner, and comes back when the owner refuses', async () => {
  const runtime = createTestRuntime();
  const pipeline = await startPipeline(runtime);
  await pipeline.call({ ask: 'tune', text: '77' });
  await turn();
  const critic = pipeline.subModule('critic');
  expect(await critic.parameters.limit.get()).toBe(77);
  expect(critic.parameters.limit.history).toMatchObject([{ oldValue: 10, newValue: 77, cause: 'tuned' }]);
  expect(await judge(pipeline)).toMatchObject({ limit: 77 });
  runtime.killWorkerOf('p/critic');
  await pipeline.call({ ask: 'tune', text: '78' });
  await turn();
  expect(await critic.parameters.limit.get()).toBe(78);
});

test('checkpoint, restore, train and eval cover the parts', async () => {
  const runtime = createTestRuntime();
  const pipeline = await startPipeline(runtime);
  await pipeline.parameters['critic.limit'].set(1);
  await pipeline.parameters.rounds.set(2);
  await pipeline.train();
  const checkpoint = await pipeline.checkpoint();
  expect(pipeline.subModule('critic').mode).toBe('train');
  expect(await judge(pipeline)).toMatchObject({ mode: 'train' });
  await pipeline.parameters['critic.limit'].set(9);
  await pipeline.parameters.rounds.set(9);
  await pipeline.eval();
  await pipeline.restore(checkpoint);
  expect(pipeline.parameters['critic.limit'].value).toBe(1);
  expect(await pipeline.parameters['critic.limit'].get()).toBe(1);
  expect(await pipeline.parameters.rounds.get()).toBe(2);
  expect([pipeline.mode, pipeline.subModule('critic').mode]).toEqual(['train', 'train']);
  expect(await judge(pipeline)).toMatchObject({ mode: 'train', limit: 1 });
  expect(await pipeline.call({ ask: 'read' })).toEqual({ limit: 1, mode: 'train' });
  expect(pipeline.parameters['critic.limit'].history.at(-1)).toMatchObject({
    newValue: 1,
    cause: `restore ${checkpoint.id}`,
  });
});

test('state of program and parts outlives the runtime, each under its own id', async () => {
  const store = createMemoryStore();
  const first = createTestRuntime({ store });
  const pipeline = await startPipeline(first);
  await pipeline.parameters['critic.limit'].set(21);
  await pipeline.parameters.rounds.set(3);
  await first.close();
  const second = createTestRuntime({ store });
  const again = await startPipeline(second);
  expect([again.parameters['critic.limit'].value, again.parameters.rounds.value]).toEqual([21, 3]);
  expect(await judge(again)).toMatchObject({ limit: 21 });
  expect((await store.list(['module', 'p/critic'])).length).toBeGreaterThan(0);
});

test('a sub-module that becomes an actor begins with what the program had of it', async () => {
  const store = createMemoryStore();
  const first = createTestRuntime({ store });
  const plain = await first.start('pipeline', { id: 'p' });
  await plain.parameter('critic.limit').set(64);
  await first.close();
  const hosted = await startPipeline(createTestRuntime({ store }));
  expect(await hosted.parameters['critic.limit'].get()).toBe(64);
});

test('stopping a program stops its parts, last started first, after itself; inspection shows the tree', async () => {
  const hub = createHub();
  const sink = createMemorySink(hub);
  const runtime = createTestRuntime({ hub });
  const crowd = await runtime.start('crowd', {
    id: 'c',
    actors: {
      'members[0]': { kind: 'critic', whenDown: 'fail' },
      'members[1]': { kind: 'critic', whenDown: 'local' },
    },
  });
  const { modules: listed, supervisor } = runtime.inspect();
  expect(listed.find(({ id }) => id === 'c')).toMatchObject({
    parts: [
      { path: 'members[0]', id: 'c/members[0]', whenDown: 'fail' },
      { path: 'members[1]', id: 'c/members[1]', whenDown: 'local' },
    ],
  });
  // each has its own budget
  expect(supervisor.children).toMatchObject([
    { id: 'c', type: 'actor' },
    {
      id: 'c/members[0]',
      type: 'supervisor',
      supervisor: { restartsLeft: 3, children: [{ type: 'actor' }] },
    },
    {
      id: 'c/members[1]',
      type: 'supervisor',
      supervisor: { restartsLeft: 3, children: [{ type: 'actor' }] },
    },
  ]);
  expect(listed.filter(({ around }) => around === 'c').map(({ id }) => id)).toEqual([
    'c/members[0]',
    'c/members[1]',
  ]);
  expect(runtime.module('c/members[1]').kind).toBe('critic');
  expect(await crowd.call('x')).toHaveLength(40);
  await crowd.stop();
  expect(sink.ofType('actor-exit').map(({ actor }) => actor)).toEqual(['c', 'c/members[1]', 'c/members[0]']);
  expect(runtime.inspect().modules).toEqual([]);
  expect(runtime.inspect().workers.flatMap(({ actors }) => actors)).toEqual([]);
  await runtime.start('crowd', { id: 'c', actors: { 'members[0]': { kind: 'critic', whenDown: 'fail' } } });
});

test.each([
  [
    'a path that the class does not have',
    { critics: { kind: 'critic', whenDown: 'fail' } },
    'program/sub-module-not-found',
  ],
  ['a kind that nobody serves', { critic: { kind: 'cynic', whenDown: 'fail' } }, 'actor/kind-not-found'],
  [
    'a kind of another shape',
    { critic: { kind: 'pipeline', whenDown: 'fail' } },
    'runtime/sub-module-mismatch',
  ],
  ['no word of what happens when it is down', { critic: { kind: 'critic' } }, 'runtime/sub-module-invalid'],
  [
    'an unknown restart type',
    { critic: { kind: 'critic', whenDown: 'fail', restart: 'often' } },
    'runtime/sub-module-invalid',
  ],
  [
    'an unknown isolation',
    { critic: { kind: 'critic', whenDown: 'fail', isolation: 'far' } },
    'runtime/sub-module-invalid',
  ],
  [
    'a time that is none',
    { critic: { kind: 'critic', whenDown: 'fail', shutdownMs: -1 } },
    'runtime/sub-module-invalid',
  ],
  ['no actor at all', { critic: undefined }, 'runtime/sub-module-invalid'],
])('%s is refused, and nothing is left', async (_, actors, code) => {
  const runtime = createTestRuntime();
  const starting = runtime.start('pipeline', { id: 'p', actors: actors as never });
  await expect(starting).rejects.toMatchObject({ code });
  expect(runtime.inspect().modules).toEqual([]);
  expect(runtime.inspect().workers.flatMap(({ actors: running }) => running)).toEqual([]);
  await runtime.start('pipeline', { id: 'p' });
});

test('a part that leads back to the module around it, and one whose parameter another part has, are refused', async () => {
  const runtime = createTestRuntime();
  const circle = runtime.start('circle', {
    actors: { 'part.owner': { kind: 'circle', whenDown: 'fail' } } as never,
  });
  await expect(circle).rejects.toMatchObject({
    code: 'runtime/sub-module-cycle',
    fields: { path: 'part.owner' },
  });
  const sharers = runtime.start('sharers', {
    actors: { one: { kind: 'sharer', whenDown: 'fail' }, two: { kind: 'sharer', whenDown: 'fail' } },
  });
  await expect(sharers).rejects.toMatchObject({ code: 'runtime/sub-module-mismatch' });
  expect(runtime.inspect().modules).toEqual([]);
});

test('more actors than the bound are refused', async () => {
  const runtime = createTestRuntime({ limits: { maxSubModuleActors: 1 } });
  const actors = {
    'members[0]': { kind: 'critic', whenDown: 'fail' },
    'members[1]': { kind: 'critic', whenDown: 'fail' },
  } as const;
  await expect(runtime.start('crowd', { actors })).rejects.toMatchObject({
    code: 'runtime/sub-module-invalid',
    fields: { field: 'actors' },
  });
});

test('actors inside actors: paths, parameters, state and calls go all the way', async () => {
  const runtime = createTestRuntime();
  const outer = await runtime.start('outer', {
    id: 'o',
    actors: {
      next: { kind: 'middle', whenDown: 'fail' },
      'next.next': { kind: 'inner', isolation: 'dedicated', whenDown: 'fail' },
    },
  });
  const ids = runtime.inspect().modules.map(({ id }) => id);
  expect(ids).toEqual(['o', 'o/next', 'o/next/next']);
  expect(await outer.call(0)).toMatchObject([2, expect.any(Number)]);
  await outer.parameters['next.step'].set(10, { level: 'memory' });
  expect(await outer.call(0)).toMatchObject([11, expect.any(Number)]);
  expect(outer.subModule('next.next').id).toBe('o/next/next');
  expect(outer.subModule('next').subModule('next').id).toBe('o/next/next');
  expect(() => outer.subModule('none' as 'next')).toThrow(
    expect.objectContaining({ code: 'runtime/sub-module-not-found' }) as Error,
  );
  // one further inside is named, whoever asks
  runtime.killWorkerOf('o/next/next');
  const down = await outer.call(0).catch((error: unknown) => error);
  expect(down).toMatchObject({ code: 'runtime/sub-module-down', fields: { subModule: 'o/next/next' } });
  await outer.stop();
  expect(runtime.inspect().modules).toEqual([]);
});

test('a crowd of parts is asked at once', async () => {
  const runtime = createTestRuntime();
  const actors = Object.fromEntries(
    Array.from({ length: 40 }, (_, at) => [`members[${at}]`, { kind: 'critic', whenDown: 'fail' }] as const),
  );
  const crowd = await runtime.start('crowd', { id: 'c', actors });
  const replies = (await crowd.call('x')) as readonly { born: number }[];
  expect(new Set(replies.map((reply) => reply.born)).size).toBe(40);
  expect(crowd.subModule('members[39]').metrics.calls).toBe(1);
});

test('parameters of several owners are set together, or not at all; one listener hears of all', async () => {
  const runtime = createTestRuntime();
  const pipeline = await startPipeline(runtime);
  const heard: unknown[] = [];
  const leave = pipeline.subscribe(({ name, newValue }) => heard.push([name, newValue]));
  await pipeline.setParameters({ rounds: 5, 'critic.limit': 6 });
  expect([await pipeline.parameters.rounds.get(), await pipeline.parameters['critic.limit'].get()]).toEqual([
    5, 6,
  ]);
  expect(await pipeline.call({ ask: 'read' })).toMatchObject({ limit: 6 });
  await expect(pipeline.setParameters({ rounds: 7, 'critic.limit': 700 })).rejects.toMatchObject({
    code: 'program/constraint-violated',
  });
  expect([pipeline.parameters.rounds.value, pipeline.parameters['critic.limit'].value]).toEqual([5, 6]);
  expect(heard).toEqual([
    ['rounds', 5],
    ['critic.limit', 6],
  ]);
  leave();
});

test('a parameter of a part is bound to a shared one where it lives', async () => {
  const runtime = createTestRuntime();
  const shared = await runtime.shared('bar', { type: 'number', value: 50 });
  const pipeline = await runtime.start('pipeline', {
    shared: { 'critic.limit': 'bar' },
    actors: { critic: { kind: 'critic', whenDown: 'fail' } },
  });
  expect(await pipeline.parameters['critic.limit'].get()).toBe(50);
  await shared.set(51);
  expect(await judge(pipeline)).toMatchObject({ limit: 51 });
});

test('compiling a program changes its parts where they live', async () => {
  const lm = scriptedLm({
    script: ({ messages }) =>
      `[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\n${messages.length}\n\n[[ ## completed ## ]]`,
  });
  const runtime = createTestRuntime({ lm });
  const author = await runtime.start('author', {
    id: 'a',
    actors: { think: { kind: 'thinker', whenDown: 'local', isolation: 'dedicated' } },
  });
  const answer = async (): Promise<unknown> =>
    ((await author.call({ question: 'q' })) as { answer: string }).answer;
  const bare = await answer();
  const trainset = [{ question: 'a', answer: 'b', reasoning: 'c' }];
  await author.compile({ optimizer: 'labeled-few-shot', trainset, options: { k: 1 } });
  const compiled = await answer();
  expect(Number(compiled)).toBe(Number(bare) + 2);
  // the copy has it too, and so has the actor when it comes back
  runtime.killWorkerOf('a/think');
  expect(await answer()).toBe(compiled);
  await turn();
  expect(await answer()).toBe(compiled);
  expect(author.subModule('think').metrics.restarts).toBe(1);
});

test('a restore that a part refuses leaves everything as it was; a copy that cannot follow is told of', async () => {
  const hub = createHub();
  const sink = createMemorySink(hub);
  const runtime = createTestRuntime({ hub });
  const pipeline = await runtime.start('moodyPipeline', {
    id: 'p',
    actors: { critic: { kind: 'moody', whenDown: 'fail' } },
  });
  await pipeline.parameters.rounds.set(2);
  await pipeline.parameters['critic.limit'].set(2);
  const checkpoint = await pipeline.checkpoint();
  await pipeline.parameters.rounds.set(3);
  await pipeline.parameters['critic.limit'].set(3);
  Moody.refuses = true;
  try {
    await expect(pipeline.restore(checkpoint)).rejects.toMatchObject({ code: 'program/state-invalid' });
    await pipeline.subModule('critic').train('memory');
    await turn();
  } finally {
    Moody.refuses = false;
  }
  expect(sink.ofType('note').map(({ text }) => text)).toEqual([
    expect.stringContaining('could not follow its owner: as asked'),
  ]);
  expect([await pipeline.parameters.rounds.get(), pipeline.parameters.rounds.value]).toEqual([3, 3]);
  expect(await pipeline.parameters['critic.limit'].get()).toBe(3);
  expect(await pipeline.call({ ask: 'read' })).toMatchObject({ limit: 3 });
  runtime.killWorkerOf('p');
  expect(await pipeline.parameters.rounds.get()).toBe(3);
});
