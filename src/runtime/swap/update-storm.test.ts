/** Saves, crashes, lost workers, compilations and stops in any order: a family answers with one code, and ends with the newest that it can take. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ModuleState } from '../../program/index.ts';
import type { Modules } from '../version/module-catalog.ts';
import { codeOf, turn } from '../runtime-test-scene.ts';
import { Clerk, Court, createCourt, Judge, MinuteJudge } from './update-test-scene.ts';

type Flaw = 'none' | 'judge refuses its state' | 'judge has another shape' | 'clerk throws';

/** One save: everybody says its number. */
function codeNumbered(save: number, flaw: Flaw): Modules {
  class NumberedJudge extends Judge {
    static readonly version: string = flaw === 'judge refuses its state' ? '1.0.0' : '0.0.0';
    static migrate(state: ModuleState, from: string): ModuleState {
      if (from !== this.version && flaw !== 'none') throw new Error('as asked');
      return state;
    }
    override forward(): Promise<string> {
      return Promise.resolve(`judge ${save}`);
    }
  }
  class NumberedClerk extends Clerk {
    constructor() {
      super();
      if (flaw === 'clerk throws') throw new Error('as asked');
    }
    override forward(): Promise<string> {
      return Promise.resolve(`clerk ${save}`);
    }
  }
  class NumberedCourt extends Court {
    override async forward(): Promise<string> {
      return `court ${save}, ${await this.judge.call(null)}, ${await this.clerk.call(null)}`;
    }
  }
  const judge = flaw === 'judge has another shape' ? MinuteJudge : NumberedJudge;
  return { judge, clerk: NumberedClerk, court: NumberedCourt };
}

const ids = ['c', 'c/judge', 'c/clerk'] as const;
const anyId = fc.constantFrom(...ids);
const flaws: readonly Flaw[] = [
  'none',
  'none',
  'judge refuses its state',
  'judge has another shape',
  'clerk throws',
];
const save = fc.record({
  type: fc.constant('save' as const),
  flaw: fc.constantFrom(...flaws),
  isSlow: fc.boolean(),
});
const crash = fc.record({ type: fc.constant('crash' as const), id: anyId });
const kill = fc.record({ type: fc.constant('kill' as const), id: anyId });
const compile = fc.record({ type: fc.constant('compile' as const), id: anyId });
const set = fc.record({ type: fc.constant('set' as const), value: fc.nat({ max: 9 }) });
const pause = fc.record({ type: fc.constant('pause' as const) });

const optimizers = {
  brief: { name: 'brief', compile: () => turn(3).then(() => Promise.reject(new Error('as asked'))) },
};
const restartLimits = { maxRestarts: 1000, maxSeconds: 1 };
const idempotent = { isIdempotent: true };
const isWhole = (answer: string): boolean => new Set(answer.match(/\d+/gu)).size === 1;

type Step = typeof save | typeof crash | typeof kill | typeof compile | typeof set | typeof pause;
type StepOf = Step extends fc.Arbitrary<infer S> ? S : never;

const saying = (save: number): string => `court ${save}, judge ${save}, clerk ${save}`;

/** @returns what the family says in the end, and what it should say; undefined where what was saved last cannot be taken */
async function play(
  steps: readonly StepOf[],
  isTogether: boolean,
): Promise<readonly [string, string | undefined]> {
  const scene = await createCourt({ isTogether, options: { optimizers, restartLimits } });
  const { runtime, court, crash: crashIt, catalogs, serveToNew } = scene;
  const moduleOf = (id: string): typeof court =>
    id === 'c' ? court : (court.subModule(id.slice(2)) as typeof court);
  let [saves, takable] = [0, 0];
  const serve = async (flaw: Flaw, isSlow: boolean): Promise<void> => {
    const code = codeNumbered(++saves, flaw);
    // a worker that is started anew has what can be taken
    if (flaw === 'none') {
      serveToNew(code);
      takable = saves;
    }
    for (const catalog of catalogs()) {
      catalog.update(code);
      if (isSlow) await turn(1);
    }
  };
  await serve('none', false);
  const compilations: Promise<unknown>[] = [];
  for (const step of steps) {
    if (step.type === 'save') await serve(step.flaw, step.isSlow);
    else if (step.type === 'crash') crashIt(step.id);
    else if (step.type === 'kill') runtime.killWorkerOf(step.id);
    else if (step.type === 'set') void codeOf(court.parameter('judge.seconds').set(step.value));
    else if (step.type === 'pause') await turn(5);
    else {
      const trainset = [{ q: 'q', a: 'a' }];
      compilations.push(codeOf(moduleOf(step.id).compile({ optimizer: 'brief', trainset })));
    }
  }
  // a save that meets one is taken behind it
  await Promise.all(compilations);
  await turn(40);
  const before = [
    (await court.call(null, idempotent)) as string,
    saves === takable ? saying(saves) : undefined,
  ] as const;
  await serve('none', false);
  await expect.poll(() => court.call(null, idempotent), { timeout: 5_000 }).toBe(saying(saves));
  await runtime.close();
  return before;
}

test('without lost workers a family answers with one code whenever it is at rest', async () => {
  const steps = fc.array(fc.oneof(save, save, crash, compile, set, pause), { maxLength: 8 });
  // an actor alone takes its worker with it
  const isLost = (one: StepOf): boolean => one.type === 'crash';
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (given, isTogether) => {
      const [before, wanted] = await play(
        isTogether ? given : given.filter((one) => !isLost(one)),
        isTogether,
      );
      expect(isWhole(before) ? 'whole' : before).toBe('whole');
      // what meets a crash may be refused, which is told
      expect(before).toBe(given.some(isLost) ? before : (wanted ?? before));
    }),
    { numRuns: 30 },
  );
}, 120_000);

test('with lost workers it ends with the newest that it can take', async () => {
  const steps = fc.array(fc.oneof(save, kill, crash, compile, set, pause), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), (given, isTogether) =>
      play(given, isTogether).then(() => undefined),
    ),
    { numRuns: 30 },
  );
}, 120_000);
