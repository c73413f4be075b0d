/** What is around the code: variables of the environment and the folder that relative paths begin in, as Node's `process` has them. */
import type { GuestFiles, GuestProcess } from './harness-types.ts';

/** Runs in the interpreter. */
export function installProcess(files: GuestFiles): GuestProcess {
  const { assign, create, defineProperty } = Object;
  const env = create(null) as Record<string, string>;
  const process = {
    env,
    cwd: (): string => files.directory(),
    chdir: (path: unknown): void => files.enter(path),
  };
  defineProperty(globalThis, 'process', { value: process, writable: true, configurable: true });
  defineProperty(globalThis, Symbol.for('vivarium.process'), { value: process });
  return {
    begin({ environment, workingDirectory }): void {
      assign(env, environment);
      if (workingDirectory === null) return;
      const folder = `/sandbox/${workingDirectory}`;
      files.make(folder);
      files.enter(folder);
    },
  };
}
