/** The law of supervision: whatever happens to any tree, it does what OTP does. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { RestartType } from './restart.ts';
import type { AutoShutdown, Strategy } from './supervision-state.ts';
import { OtpWorld } from './supervision-test-otp.ts';
import type {
  Command,
  Scenario,
  ScenarioActor,
  ScenarioChild,
  ScenarioSupervisor,
  World,
} from './supervision-test-scenario.ts';

const restart = fc.constantFrom<RestartType>('permanent', 'permanent', 'transient', 'temporary');
const actorNamed = (id: string): fc.Arbitrary<ScenarioActor> =>
  fc.record({
    type: fc.constant('actor' as const),
    id: fc.constant(id),
    restart,
    isSignificant: fc.boolean(),
  });

function supervisorNamed(id: string, depth: number): fc.Arbitrary<ScenarioSupervisor> {
  const childNamed = (name: string): fc.Arbitrary<ScenarioChild> =>
    depth === 0
      ? actorNamed(name)
      : fc.oneof(
          { arbitrary: actorNamed(name), weight: 3 },
          { arbitrary: supervisorNamed(name, depth - 1), weight: 1 },
        );
  const generated = fc.record({
    type: fc.constant('supervisor' as const),
    id: fc.constant(id),
    restart,
    isSignificant: fc.boolean(),
    autoShutdown: fc.constantFrom<AutoShutdown>('never', 'never', 'any-significant', 'all-significant'),
    strategy: fc.constantFrom<Strategy>('one-for-one', 'one-for-all', 'rest-for-one'),
    maxRestarts: fc.nat(3),
    maxSeconds: fc.integer({ min: 1, max: 4 }),
    children: fc
      .subarray(['a', 'b', 'c', 'd'])
      .chain((names) => fc.tuple(...names.map((name) => childNamed(name)))),
  });
  return generated.map((spec) => ({
    ...spec,
    children: spec.children.map((child) => ({
      ...child,
      isSignificant: child.isSignificant && spec.autoShutdown !== 'never' && child.restart !== 'permanent',
    })),
  }));
}

/** The paths of actors and of supervisors of a tree. */
function pathsOf(tree: ScenarioSupervisor, path: string = tree.id): [string[], string[]] {
  const [actors, supervisors]: [string[], string[]] = [[], [path]];
  for (const child of tree.children) {
    if (child.type === 'actor') {
      actors.push(`${path}/${child.id}`);
      continue;
    }
    const [below, deeper] = pathsOf(child, `${path}/${child.id}`);
    actors.push(...below);
    supervisors.push(...deeper);
  }
  return [actors, supervisors];
}

function commandFor(tree: ScenarioSupervisor): fc.Arbitrary<Command> {
  const [initial, supervisors] = pathsOf(tree);
  const actors = [...initial, ...supervisors.flatMap((path) => [`${path}/x`, `${path}/y`])];
  const [path, above] = [fc.constantFrom(...actors), fc.constantFrom(...supervisors)];
  const id = fc.constantFrom('a', 'a', 'b', 'b', 'c', 'd', 'x', 'y');
  const crash = fc.record({
    type: fc.constant('crash' as const),
    path,
    reason: fc.constantFrom('crashed' as const, 'crashed' as const, 'crashed' as const, 'normal', 'shutdown'),
  });
  const child = fc
    .constantFrom('a', 'x', 'y')
    .chain((name) => fc.oneof(actorNamed(name), actorNamed(name), supervisorNamed(name, 0)))
    .map((one) => ({ ...one, isSignificant: false }));
  return fc.oneof(
    { arbitrary: crash, weight: 8 },
    {
      arbitrary: fc.record({
        type: fc.constant('lose' as const),
        paths: fc.subarray(actors, { minLength: 1 }),
      }),
      weight: 2,
    },
    {
      arbitrary: fc.record({
        type: fc.constant('fail-next' as const),
        path,
        count: fc.integer({ min: 1, max: 3 }),
      }),
      weight: 2,
    },
    {
      arbitrary: fc.record({
        type: fc.constant('advance' as const),
        seconds: fc.integer({ min: 1, max: 5 }),
      }),
      weight: 3,
    },
    { arbitrary: fc.record({ type: fc.constant('add' as const), path: above, child }), weight: 2 },
    {
      arbitrary: fc.record({
        type: fc.constantFrom(
          'remove' as const,
          'terminate' as const,
          'terminate' as const,
          'restart',
          'restart',
          'delete',
        ),
        path: above,
        id,
      }),
      weight: 5,
    },
  );
}

/** A tree of up to three levels, then what happens to it. A start may be made to fail before the first one. */
export const scenarios: fc.Arbitrary<Scenario> = supervisorNamed('top', 2).chain((top) => {
  const tree = { ...top, isSignificant: false };
  const command = commandFor(tree);
  const before = fc.oneof(
    { arbitrary: fc.constant<Command[]>([]), weight: 9 },
    {
      arbitrary: fc.array(
        command.filter(({ type }) => type === 'fail-next'),
        { minLength: 1, maxLength: 1 },
      ),
      weight: 1,
    },
  );
  return fc
    .tuple(before, fc.array(command, { minLength: 1, maxLength: 25, size: 'max' }))
    .map(([first, rest]) => ({ tree, commands: [...first, { type: 'start' as const }, ...rest] }));
});

const byHand: readonly string[] = ['add', 'remove', 'terminate', 'restart', 'delete'];

/** As `scenarios`, but nobody adds, stops or starts anything by hand. */
export const accidents: fc.Arbitrary<Scenario> = scenarios.map(({ tree, commands }) => ({
  tree,
  commands: commands.filter(({ type }) => !byHand.includes(type)),
}));

const above = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/** Supervisors that really run work side by side: what each of several does after one loss comes in no certain order. */
function lostBelowOne(command: Command): Command {
  if (command.type !== 'lose') return command;
  return { ...command, paths: command.paths.filter((path) => above(path) === above(command.paths[0] ?? '')) };
}

/**
 * Acts out random scenarios in a world and in the reference, and compares every step.
 * @param options.isConcurrent whether its supervisors run side by side
 */
export async function expectLikeOtp(
  createWorld: (tree: ScenarioSupervisor) => World,
  options: {
    readonly numRuns: number;
    readonly isConcurrent?: boolean;
  },
): Promise<void> {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(scenarios, async ({ tree, commands }) => {
      const [ours, theirs] = [createWorld(tree), new OtpWorld(tree)];
      try {
        for (const given of commands) {
          const command = options.isConcurrent ? lostBelowOne(given) : given;
          const expected = theirs.perform(command);
          expect({ command, ...(await ours.perform(command)) }).toEqual({ command, ...expected });
          for (const word of [expected.reply, ...expected.log.map((line) => line.split(' ', 1)[0] ?? '')])
            seen.set(word, (seen.get(word) ?? 0) + 1);
        }
      } finally {
        ours.close?.();
      }
    }),
    { numRuns: options.numRuns },
  );
  // a generator that lost its bite would pass too
  for (const word of ['start', 'stop', 'fail', 'gave-up', 'start-failed', 'already-started']) {
    expect([word, (seen.get(word) ?? 0) * 50 > options.numRuns]).toEqual([word, true]);
  }
}
