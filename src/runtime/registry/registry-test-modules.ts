/** Modules and runtimes for the tests of the registry. */
import { CodedError } from '../../base/index.ts';
import { sleep, systemClock } from '../../platform/index.ts';
import { Module } from '../../program/index.ts';
import type { Run } from '../../program/index.ts';
import { Broken, Counter } from '../runtime-test-modules.ts';
import type { ModuleEvent } from './registry-event.ts';
import type { DependencySpec, ModuleSpec, RuntimeOptions } from '../runtime-options.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';

export class Echo extends Module<string, string> {
  static readonly version = '2.1.0';

  override forward(input: string): Promise<string> {
    return Promise.resolve(input);
  }
}

/** Answers with what the call is told besides its input. */
class Values extends Module<null, unknown> {
  override forward(_input: null, { settings }: Run): Promise<unknown> {
    return Promise.resolve(settings.values);
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
  values: Values,
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

type Kind = keyof typeof registryModules;

/** Registers modules of kind echo, by id and what they depend on; `id!` fails and `id~` degrades when it is down. */
export function registerAll(
  runtime: Pick<RegistryRuntime, 'register'>,
  graph: Readonly<Record<string, string>>,
): void {
  for (const [id, list] of Object.entries(graph)) {
    const dependencies = list.split(' ').flatMap((name): DependencySpec[] => {
      const whenDown = name.endsWith('!') ? 'fail' : name.endsWith('~') ? 'degrade' : 'wait';
      return name === '' ? [] : [{ id: name.replace(/[!~]$/u, ''), whenDown }];
    });
    runtime.register({ id, kind: 'echo', dependencies } satisfies ModuleSpec<Kind>);
  }
}

export function record(runtime: RegistryRuntime, ...types: readonly ModuleEvent['type'][]): string[] {
  const heard: string[] = [];
  runtime.registry.watch('**', (event) => {
    if (!types.includes(event.type)) return;
    heard.push(
      'dependency' in event
        ? `${event.type} ${event.module} ${event.dependency}`
        : `${event.type} ${event.module}`,
    );
  });
  return heard;
}

export const statusOf = (runtime: RegistryRuntime, id: string): string => runtime.registry.get(id).status;
export const call = (runtime: RegistryRuntime, id: string, timeoutMs = 1_000): Promise<unknown> =>
  settled(runtime.module(id).call(`to ${id}` as never, { timeoutMs }));
