/** Work in several steps that one instance of each module must see from its beginning to its end. */
import type { HostedModuleRecord } from './hosted.ts';

/** Waits for swaps that are under way; those that are asked for meanwhile wait for `work`. */
export async function withoutSwap<T>(
  modules: readonly HostedModuleRecord[],
  work: () => Promise<T>,
): Promise<T> {
  const swaps = (): Promise<unknown>[] => modules.flatMap(({ swapping }) => swapping ?? []);
  while (swaps().length > 0) await Promise.allSettled(swaps());
  const working = work();
  for (const module of modules) module.changing.add(working);
  try {
    return await working;
  } finally {
    for (const module of modules) module.changing.delete(working);
  }
}
