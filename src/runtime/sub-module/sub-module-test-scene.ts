/** What the tests of sub-modules start with. */
import { isCodedError } from '../../base/index.ts';
import { sleep, systemClock } from '../../platform/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import type { SubModuleWhenDown } from '../module-protocol.ts';
import type { RuntimeOptions } from '../runtime-options.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import { subModuleTestModules as modules } from './sub-module-test-modules.ts';
import type { Pipeline } from './sub-module-test-modules.ts';

export type TestRuntime = Runtime<typeof modules>;
const open: TestRuntime[] = [];

/** After each test. */
export async function closeRuntimes(): Promise<void> {
  for (const runtime of open.splice(0)) await runtime.close();
}

/** On the page itself; closed by `closeRuntimes`. */
export function createTestRuntime(options: RuntimeOptions<typeof modules> = {}): TestRuntime {
  const runtime = createRuntime({ modules, ...options });
  open.push(runtime);
  return runtime;
}

export const turn = (ms: number = 5): Promise<void> => sleep(systemClock, ms);

/** How a call ended. */
export const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'answered',
    (error: unknown) => (isCodedError(error) ? error.code : error),
  );

export interface Verdict {
  readonly verdict: {
    readonly born: number;
    readonly limit: number;
    readonly mode: string;
    readonly text: string;
  };
}

/** A pipeline `p` whose critic has a worker of its own. */
export const startPipeline = (
  runtime: TestRuntime,
  whenDown: SubModuleWhenDown = 'fail',
): Promise<ModuleHandle<Pipeline>> =>
  runtime.start('pipeline', {
    id: 'p',
    actors: { critic: { kind: 'critic', isolation: 'dedicated', whenDown } },
  });

export const judge = async (pipeline: ModuleHandle<Pipeline>): Promise<Verdict['verdict']> =>
  ((await pipeline.call({ ask: 'judge' })) as Verdict).verdict;
