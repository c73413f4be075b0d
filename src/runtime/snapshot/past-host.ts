/** What going back needs of its runtime. */
import type { Random } from '../../platform/index.ts';
import type { HandleHost } from '../handle/handle.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import type { ModuleHost } from '../host/module-host.ts';

export interface PastHost extends HandleHost {
  readonly host: ModuleHost;
  readonly random: Random;
}

/** Its actor runs, or is being restarted. One that waits to start has nothing in memory yet. */
export function isLive(module: HostedModuleRecord): boolean {
  return !module.isOver && module.status !== 'starting';
}

/** What only the page holds of what was acknowledged, and histories, are in the store when it resolves. */
export async function writeLate({ host }: PastHost): Promise<void> {
  await Promise.all(
    host.modules.map(async ({ journal }) => {
      await journal.late.writeOwed();
      await journal.settle();
    }),
  );
}
