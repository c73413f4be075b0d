/** What stands around guests. The real walls are here; those of the escape suite's controls are in `escape/`. */
import { systemClock } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { ExecutorLimits } from '../limits.ts';
import { createFrame } from './frame.ts';
import type { FrameKind } from './frame.ts';
import { fetchScript } from './guest-files.ts';
import type { AssetLocation } from './guest-files.ts';
import { PortSandboxHost } from './sandbox-host.ts';
import type { CreateHost } from './trust-domain.ts';

/** The parts that differ between the real executor and the controls of the escape suite. */
export interface Walls {
  readonly createHost: CreateHost;
  /** Whether guests' workers lose every global that they do not need. */
  readonly isStripped: boolean;
}

export interface WallOptions {
  readonly assets: AssetLocation;
  readonly frame: FrameKind;
  readonly clock?: Clock;
}

export type BuildWalls = (options: WallOptions, limits: Pick<ExecutorLimits, 'frameAnswerMs'>) => Walls;

/** A realm that serves sandboxes on its port. */
interface RealmPort {
  readonly port: MessagePort;
  readonly remove: () => void;
}

/** Waits for a realm to speak; takes it away when `signal` aborts first. */
export async function connectHost(
  { port, remove }: RealmPort,
  options: { readonly clock: Clock; readonly answerMs: number; readonly signal: AbortSignal },
): Promise<PortSandboxHost> {
  const { clock, answerMs, signal } = options;
  const host = new PortSandboxHost(port, { clock, answerMs, remove });
  const giveUp = (): void => host[Symbol.dispose]();
  signal.addEventListener('abort', giveUp, { once: true });
  await host.ready.finally(() => signal.removeEventListener('abort', giveUp));
  return host;
}

/** The frame. */
export const frameWalls: BuildWalls = (options, limits) => {
  const { assets, frame: kind, clock = systemClock } = options;
  return {
    isStripped: true,
    async createHost(signal) {
      const frame = await createFrame(kind, () => fetchScript(assets, 'frame.js', signal), signal);
      const realm = { port: frame.port, remove: () => frame.remove() };
      const host = await connectHost(realm, { clock, answerMs: limits.frameAnswerMs, signal });
      frame.onRemove(() => host[Symbol.dispose]());
      return host;
    },
  };
};
