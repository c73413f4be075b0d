/** A thin name for the language that most people come for. */
import { createExecutor } from '../../create-executor.ts';
import type { ExecutorOptions } from '../../create-executor.ts';
import type { Executor } from '../../executor.ts';

type WithoutLanguage<T> = T extends unknown ? Omit<T, 'language'> : never;

/** As for `createExecutor`, without the language. */
export type PythonExecutorOptions = WithoutLanguage<ExecutorOptions>;

/** `createExecutor` with `language: 'python'`, which see. */
export function createPythonExecutor(options: PythonExecutorOptions): Executor {
  return createExecutor({ ...options, language: 'python' });
}
