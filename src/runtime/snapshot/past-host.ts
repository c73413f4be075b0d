/** What going back needs of its runtime. */
import { withDeadline } from '../../platform/index.ts';
import type { Random } from '../../platform/index.ts';
import type { HandleHost } from '../handle/handle.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import type { ModuleHost } from '../host/module-host.ts';
import { wholeFamily } from '../journal/whole-state.ts';

export interface PastHost extends HandleHost {
  readonly host: ModuleHost;
  readonly random: Random;
}

/** Its actor runs, or is being restarted. One that waits to start has nothing in memory yet. */
export function isLive(module: HostedModuleRecord): boolean {
  return !module.isOver && module.status !== 'starting';
}

/** What is being stopped, and what has ended, has left when it resolves. @throws `port/timeout` */
export async function left({ host, clock, limits }: PastHost): Promise<void> {
  await withDeadline(clock, { timeoutMs: limits.callTimeoutMs }, () => host.left());
}

/**
 * What only the page holds of what was acknowledged, and histories, are in the store when it resolves.
 * @throws what keeps an acknowledged value from the store; `port/timeout`
 */
export async function writeLate({ host, clock, limits }: PastHost): Promise<void> {
  // what gave up a moment ago may still have something to write
  await withDeadline(clock, { timeoutMs: limits.callTimeoutMs }, () => host.gone());
  // a part that has crashed is held by the module around it
  const modules = new Set(host.modules.flatMap(wholeFamily));
  await Promise.all([
    ...[...modules].map(({ journal }) => journal.settle()),
    ...host.shared.all.map((shared) => shared.writeOwed()),
  ]);
}
