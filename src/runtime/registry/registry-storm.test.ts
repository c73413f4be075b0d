import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import type { ModuleEvent, ModuleEventType } from './registry-event.ts';
import { registryModules, settled, turn } from './registry-test-modules.ts';
import type { RegistryRuntime } from './registry-test-modules.ts';
import type { DependencySpec } from '../runtime-options.ts';
import { createRuntime } from '../runtime.ts';

const names = ['a', 'b', 'c', 'd', 'e'];

type Command =
  | { readonly type: 'register'; readonly id: string; readonly dependencies: readonly DependencySpec[] }
  | {
      readonly type: 'start' | 'launch' | 'stop' | 'kill' | 'unregister' | 'call' | 'wait';
      readonly id: string;
    };

const whenDown = fc.constantFrom('wait' as const, 'fail' as const, 'degrade' as const);
/** Any names, also in cycles: those are refused. */
const registration = fc.record({
  type: fc.constant('register' as const),
  id: fc.constantFrom(...names),
  dependencies: fc
    .subarray(names, { maxLength: 2 })
    .chain((ids) =>
      fc.tuple(...ids.map((id) => whenDown.map((how): DependencySpec => ({ id, whenDown: how })))),
    ),
});
const other = fc.record({
  type: fc.constantFrom(
    ...([
      'start',
      'start',
      'start',
      'launch',
      'stop',
      'kill',
      'unregister',
      'call',
      'wait',
      'wait',
      'wait',
    ] as const),
  ),
  id: fc.constantFrom(...names),
});
const commands = fc
  .tuple(
    fc.array(registration, { minLength: 3, maxLength: 6 }),
    fc.array(fc.oneof({ weight: 5, arbitrary: other }, registration), { minLength: 15, maxLength: 40 }),
  )
  .map(([first, then]): readonly Command[] => [...first, ...then]);

async function perform(runtime: RegistryRuntime, command: Command): Promise<unknown> {
  const { registry } = runtime;
  const { id } = command;
  switch (command.type) {
    case 'register':
      return runtime.register({ id, kind: 'echo', dependencies: command.dependencies });
    case 'start':
      return registry.start(id);
    case 'launch':
      return runtime.start('echo', { id });
    case 'stop':
      return registry.stop(id);
    case 'kill':
      return runtime.killWorkerOf(id);
    case 'unregister':
      return registry.unregister(id);
    case 'call':
      return runtime.module(id).call('x' as never, { timeoutMs: 30 });
    case 'wait':
      return turn();
  }
}

/** What may come after what, for one module. */
const after: Readonly<Record<string, readonly ModuleEventType[]>> = {
  none: ['module-register'],
  'module-register': ['module-start', 'module-crash', 'module-stop', 'module-unregister'],
  'module-start': ['module-crash', 'module-stop'],
  'module-restart': ['module-crash', 'module-stop'],
  'module-crash': ['module-restart', 'module-start', 'module-crash', 'module-stop', 'module-unregister'],
  'module-stop': ['module-start', 'module-crash', 'module-stop', 'module-unregister'],
  'module-unregister': ['module-register'],
};

function illegalSteps(events: readonly ModuleEvent[]): readonly string[] {
  const last = new Map<string, string>();
  return events.flatMap(({ type, module }) => {
    if (!type.startsWith('module-')) return [];
    const before = last.get(module) ?? 'none';
    last.set(module, type);
    return after[before]?.includes(type) ? [] : [`${module}: ${before}, then ${type}`];
  });
}

/** What each module is, by its dependencies and the statuses of the others. */
function misjudged(runtime: RegistryRuntime): readonly string[] {
  const modules = new Map(runtime.registry.list().map((module) => [module.id, module]));
  const isUp = (id: string): boolean => ['running', 'degraded'].includes(modules.get(id)?.status ?? '');
  const serves = (id: string): boolean =>
    isUp(id) &&
    (modules.get(id)?.dependencies ?? []).every((one) => one.whenDown === 'degrade' || serves(one.id));
  return [...modules.values()].flatMap(({ id, status, dependencies, downDependencies, dependents }) => {
    const users = [...modules.values()].filter((one) =>
      one.dependencies.some((dependency) => dependency.id === id),
    );
    const down = dependencies.filter((one) => !serves(one.id)).map((one) => one.id);
    const expected = isUp(id) ? (down.length > 0 ? 'degraded' : 'running') : status;
    const isKnown =
      users
        .map((one) => one.id)
        .toSorted()
        .join() === dependents.toSorted().join();
    const isRight =
      isKnown && status === expected && JSON.stringify(down) === JSON.stringify(downDependencies);
    return isRight
      ? []
      : [
          `${id} is ${status} without ${downDependencies.join()}; it should be ${expected} without ${down.join()}`,
        ];
  });
}

test('whatever is asked in whatever order and at once: every answer comes, events are in order, and nothing is left', async () => {
  const counts: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(commands, async (list) => {
      const runtime = createRuntime({
        modules: registryModules,
        restartLimits: { maxRestarts: 5, maxSeconds: 60 },
      });
      const events: ModuleEvent[] = [];
      runtime.registry.watch('**', (event) => events.push(event));
      const answers: Promise<unknown>[] = [];
      for (const command of list) {
        const answer = settled(perform(runtime, command));
        answers.push(answer);
        if (command.type === 'wait') await answer;
      }
      const outcomes = await Promise.all(answers);
      expect(outcomes.filter((outcome) => outcome instanceof Error && !isCodedError(outcome))).toEqual([]);
      await turn();
      expect(misjudged(runtime)).toEqual([]);
      const running = runtime.registry
        .list()
        .filter(({ status }) => ['running', 'degraded'].includes(status));
      const actors = runtime.inspect().workers.flatMap((worker) => worker.actors);
      expect(actors.toSorted()).toEqual(running.map(({ id }) => id).toSorted());
      await runtime.close();
      expect(illegalSteps(events)).toEqual([]);
      expect(runtime.inspect()).toMatchObject({ modules: [], workers: [] });
      for (const { type } of events) counts[type] = (counts[type] ?? 0) + 1;
    }),
    { numRuns: 60 },
  );
  for (const type of Object.keys(after).filter((type) => type !== 'none'))
    expect(counts[type] ?? 0).toBeGreaterThan(5);
}, 120_000);
