/** Modules and runtimes for the tests of the registry. */
import { CodedError } from '../base/index.ts';
import { sleep, systemClock } from '../platform/index.ts';
import { Module } from '../program/index.ts';
import type { Run } from '../program/index.ts';
import { Broken, Counter } from './runtime-test-modules.ts';
import type { RuntimeOptions } from './runtime-options.ts';
import { createRuntime } from './runtime.ts';
import type { Runtime } from './runtime.ts';

export class Echo extends Module<string, string> {
  static readonly version = '2.1.0';

  override forward(input: string): Promise<string> {
    return Promise.resolve(input);
  }
}

/** Does not heed its signal. */
class Stubborn extends Module<null, null> {
  override forward(): Promise<null> {
    return new Promise(() => undefined);
  }
}

/** Ends its calls when it is told to. */
class Obedient extends Module<null, null> {
  override forward(_input: null, { signal }: Run): Promise<null> {
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
    );
  }
}

let failures = 0;

/** Cannot be made as often as was asked for. */
class Flaky extends Module<null, null> {
  constructor() {
    super();
    if (failures-- > 0) throw new CodedError('runtime/asked-to-throw', 'not yet');
  }
}

export function failNext(times: number): void {
  failures = times;
}

export const registryModules = {
  echo: Echo,
  counter: Counter,
  stubborn: Stubborn,
  obedient: Obedient,
  flaky: Flaky,
  broken: Broken,
};

export type RegistryRuntime = Runtime<typeof registryModules>;
const open: RegistryRuntime[] = [];

export function createRegistryRuntime(options: RuntimeOptions<typeof registryModules> = {}): RegistryRuntime {
  const runtime = createRuntime({ modules: registryModules, ...options });
  open.push(runtime);
  return runtime;
}

export async function closeRegistryRuntimes(): Promise<void> {
  for (const runtime of open.splice(0)) await runtime.close();
}

export const settled = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);
export const turn = (): Promise<void> => sleep(systemClock, 5);
