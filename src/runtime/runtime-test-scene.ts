/** What tests of this layer begin with: runtimes that are closed behind each test, and how a call ended. */
import { afterEach } from 'vitest';
import { isCodedError } from '../base/index.ts';
import { sleep, systemClock } from '../platform/index.ts';
import type { RuntimeOptions } from './runtime-options.ts';
import { createRuntime } from './runtime.ts';
import type { Runtime } from './runtime.ts';
import type { Modules } from './version/module-catalog.ts';

/** What the returned function is given is closed after the test, the newest first. Hooks of the file itself run before. */
export function closedAfterEach(): <T extends AsyncDisposable>(opened: T) => T {
  const open: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const one of open.splice(0).toReversed()) await one[Symbol.asyncDispose]();
  });
  return (opened) => {
    open.push(opened);
    return opened;
  };
}

/** Creates runtimes with these options, and each with its own; they are closed after their test. */
export function runtimesOf<M extends Modules>(
  given: RuntimeOptions<M>,
): (options?: RuntimeOptions<M>) => Runtime<M> {
  const keep = closedAfterEach();
  return (options = {}) => keep(createRuntime({ ...given, ...options }));
}

export const turn = (ms: number = 10): Promise<void> => sleep(systemClock, ms);

/** How a call ended: `resolved`, or the code of its error. */
export const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'resolved',
    (error: unknown) => (isCodedError(error) ? error.code : String(error)),
  );
