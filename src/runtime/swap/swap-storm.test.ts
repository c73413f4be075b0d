/** Swaps, writes, calls and lost workers in any order: whatever happened, page, module, store and the next page end with the same. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import type { ModuleState } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import type { StoredParameter } from '../parameter/parameter-record.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import { Critic_1_0, Critic_1_1, migratingBy } from './swap-test-modules.ts';

/** Refuses to migrate what has an odd count, and makes of a tone what no class declares. */
const Picky = class extends migratingBy((state) => {
  const { count, note, waitSeconds: _, ...others } = state.parameters;
  if (((count?.value as number) ?? 0) % 2 === 1) throw new Error('odd');
  if (!count || !note) return state;
  return { ...state, parameters: { ...others, count, note, tone: { ...note, value: 'bright' } } };
}) {
  static override readonly version: '1.1.0' = '1.2.0' as '1.1.0';
};

const modules = { critic: [Critic_1_0, Critic_1_1, Picky] };
type Critics = ModuleHandle<Critic_1_0 | Critic_1_1>;

const step = fc.record({
  what: fc.oneof(
    fc.record({ type: fc.constant('swap' as const), version: fc.constantFrom('1.0.0', '1.1.0', '1.2.0') }),
    fc.record({ type: fc.constant('rollback' as const) }),
    fc.record({ type: fc.constant('set' as const), value: fc.nat({ max: 9 }) }),
    fc.record({ type: fc.constant('set-together' as const), value: fc.nat({ max: 9 }) }),
    fc.record({ type: fc.constant('call' as const), by: fc.nat({ max: 3 }) }),
    fc.record({ type: fc.constant('kill' as const) }),
  ),
  /** Whether the next step waits for it. */
  isAwaited: fc.boolean(),
});

/** What may end a step; anything else is a fault. */
const expectedCodes = new Set([
  'resolved',
  'actor/peer-died',
  'runtime/swap-under-way',
  'runtime/version-not-found',
  'runtime/state-migration-failed',
  'runtime/swapped',
]);

function perform(
  runtime: Runtime<typeof modules>,
  critic: Critics,
  what: typeof step extends fc.Arbitrary<infer S extends { what: unknown }> ? S['what'] : never,
): Promise<unknown> {
  switch (what.type) {
    case 'swap':
      return critic.swap({ version: what.version });
    case 'rollback':
      return critic.rollback();
    case 'set':
      return critic.parameters.count.set(what.value);
    case 'set-together':
      return critic.setParameters({ count: what.value, note: `n${what.value}` });
    case 'call':
      return critic.call({ by: what.by });
    case 'kill':
      runtime.killWorkerOf('c');
      return Promise.resolve();
  }
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'resolved',
    (error: unknown) => (isCodedError(error) ? error.code : String(error)),
  );

/** What page, module and store say of one module. */
async function views(critic: Critics, store: ReturnType<typeof createMemoryStore>): Promise<object[]> {
  const { version } = await critic.call({}, { isIdempotent: true });
  const names = Object.keys(critic.parameters).toSorted();
  const values = async (read: (name: string) => unknown): Promise<unknown[]> =>
    Promise.all(names.map((name) => read(name)));
  const meta = await store.get<{ state: ModuleState }>(['module', 'c', 'meta']);
  const stored = await store.list<StoredParameter>(['module', 'c', 'parameter']);
  const storedOf = new Map(stored.map(({ key, value }) => [key.at(-1), value.state.value]));
  const inPage = await values((name) => critic.parameter(name).value);
  return [
    { version: critic.version, inModule: inPage },
    { version, inModule: await values((name) => critic.parameter(name).get()) },
    {
      // what was never written is not there at all
      version: meta ? meta.value.state.version : critic.version,
      inModule: names.map((name, at) => storedOf.get(name) ?? inPage[at]),
    },
  ];
}

/** What the next page begins with; undefined where nothing is stored. */
async function reopened(store: ReturnType<typeof createMemoryStore>): Promise<object | undefined> {
  const meta = await store.get<{ state: ModuleState }>(['module', 'c', 'meta']);
  if (!meta) return undefined;
  await using runtime = createRuntime({ modules, store, poolSize: 1 });
  const { version } = meta.value.state;
  const critic: Critics = await runtime.start('critic', { id: 'c', version });
  const names = Object.keys(critic.parameters).toSorted();
  return { version, inModule: names.map((name) => critic.parameter(name).value) };
}

test('whatever comes in whatever order, page, module and store end alike, and every step ends as it may', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.boolean(), async (steps, isStored) => {
      const store = createMemoryStore();
      const restartLimits = { maxRestarts: 1000, maxSeconds: 1 };
      const runtime = createRuntime({ modules, store, poolSize: 1, restartLimits });
      const critic = await runtime.start('critic', { id: 'c', version: '1.0.0' });
      if (isStored) await critic.parameters.count.set(0);
      const ends: Promise<string>[] = [];
      for (const { what, isAwaited } of steps) {
        const end = codeOf(perform(runtime, critic, what));
        ends.push(end);
        if (isAwaited) await end;
      }
      const codes = await Promise.all(ends);
      expect(codes.filter((code) => !expectedCodes.has(code))).toEqual([]);
      // what a module changed by itself is written behind it
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
      const [page, module, stored] = await views(critic, store);
      expect(module).toEqual(page);
      expect(stored).toEqual(page);
      await runtime.close();
      expect((await reopened(store)) ?? page).toEqual(page);
    }),
    { numRuns: 150 },
  );
}, 60_000);
