/** A worker that is lost at any message of a restore: everything is as it was, or as it is to be, and whoever restarts agrees. */
import { expect, test, vi } from 'vitest';
import { createMemoryStore, takeSnapshot, withJournal } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import type { Port } from '../../port/index.ts';
import { codeOf, runtimesOf, turn } from '../runtime-test-scene.ts';
import { subModuleTestModules } from '../sub-module/sub-module-test-modules.ts';

/** Hears of every message between the page and its workers, before it is sent. */
const wire = vi.hoisted(() => ({ onPost: (): void => undefined }));

vi.mock(import('../../port/port.ts'), async (original) => {
  const real = await original();
  const heard = (port: Port): Port => ({
    ...port,
    post: (...given) => {
      wire.onPost();
      port.post(...given);
    },
  });
  return {
    ...real,
    createLoopback: () => {
      const [page, inside] = real.createLoopback();
      return [heard(page), heard(inside)];
    },
  };
});

const createRuntime = runtimesOf({ modules: subModuleTestModules });

async function start(store: Store) {
  const runtime = createRuntime({ store, restartLimits: { maxRestarts: 9, maxSeconds: 5 } });
  const shared = await runtime.shared('bar', { type: 'number', value: 1 });
  const program = await runtime.start('pipeline', {
    id: 'p',
    isolation: 'dedicated',
    shared: { 'critic.limit': 'bar' },
    actors: { critic: { kind: 'critic', isolation: 'dedicated', whenDown: 'fail' } },
  });
  const other = await runtime.start('critic', {
    id: 'other',
    isolation: 'dedicated',
    shared: { limit: 'bar' },
  });
  return { runtime, shared, program, part: program.subModule('critic'), other };
}

type Scene = Awaited<ReturnType<typeof start>>;

/** What the page has, what the owners have, and what is stored. */
async function everywhere({ shared, program, part, other }: Scene, store: Store): Promise<unknown> {
  const { rounds, 'critic.limit': limit } = program.parameters;
  const stored = async (module: string, name: string): Promise<unknown> => {
    const found = await store.get<{ state: { value: unknown } }>(['module', module, 'parameter', name]);
    return found?.value.state.value;
  };
  const storedMode = async (module: string): Promise<unknown> =>
    (await store.get<{ state: { mode: unknown } }>(['module', module, 'meta']))?.value.state.mode;
  const { verdict } = (await program.call({ ask: 'judge' }, { isIdempotent: true })) as { verdict: object };
  return {
    page: [rounds.value, limit.value, other.parameters.limit.value, shared.value, program.mode, part.mode],
    owners: [await rounds.get(), await limit.get(), await other.parameters.limit.get()],
    copy: await program.call({ ask: 'read' }, { isIdempotent: true }),
    verdict,
    store: [
      await stored('p', 'rounds'),
      await stored('p/critic', 'limit'),
      await stored('other', 'limit'),
      (await store.get<{ value: unknown }>(['shared', 'bar']))?.value.value,
      await storedMode('p'),
      await storedMode('p/critic'),
    ],
  };
}

const asIt = (rounds: number, limit: number, mode: string): unknown => ({
  page: [rounds, limit, limit, limit, mode, mode],
  owners: [rounds, limit, limit],
  copy: { limit, mode },
  verdict: expect.objectContaining({ limit, mode }) as unknown,
  store: [rounds, limit, limit, limit, mode, mode],
});

const changes = {
  restore: async ({ program }: Scene, checkpoint: string) => program.restore(checkpoint),
  restoreTo: async ({ program }: Scene) => program.restoreTo('then'),
  train: async ({ program }: Scene) => program.train(),
} as const;

const victims = ['p', 'p/critic', 'other'] as const;
const cases = Object.keys(changes).flatMap((how) =>
  victims.map((victim) => [how as keyof typeof changes, victim] as const),
);

test.each(cases)(
  '%s, and the worker of %s is lost at any message: old or new, everywhere',
  { timeout: 30_000 },
  async (how, victim) => {
    const [before, after] = [asIt(9, 9, 'eval'), how === 'train' ? asIt(9, 9, 'train') : asIt(2, 3, 'train')];
    let isOver = false;
    const outcomes = new Set<string>();
    for (let message = 1; !isOver; message++) {
      const store = await withJournal(createMemoryStore());
      const scene = await start(store);
      const { runtime, program } = scene;
      await program.setParameters({ rounds: 2, 'critic.limit': 3 });
      await program.train();
      await takeSnapshot(store, 'then', { prefixes: [['module']] });
      const { id } = await program.checkpoint();
      await program.eval();
      await program.setParameters({ rounds: 9, 'critic.limit': 9 });
      expect(await everywhere(scene, store)).toEqual(before);

      let seen = 0;
      wire.onPost = () => {
        // nobody hears of it in the middle of a turn; the message itself is lost with its worker
        if (++seen === message) queueMicrotask(() => runtime.killWorkerOf(victim));
      };
      const outcome = await codeOf(changes[how](scene, id));
      await turn(0);
      wire.onPost = () => undefined;
      isOver = seen < message;
      outcomes.add(outcome);
      const expected = outcome === 'resolved' ? after : before;
      expect({ message, outcome, found: await everywhere(scene, store) }).toEqual({
        message,
        outcome,
        found: expected,
      });
      for (const each of victims) runtime.killWorkerOf(each);
      expect({ message, found: await everywhere(scene, store) }).toEqual({ message, found: expected });
      await runtime.close();
    }
    expect(outcomes).toContain('resolved');
  },
);
