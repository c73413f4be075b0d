/** Python in a frame. */
import { systemClock } from '../../../platform/index.ts';
import type { Clock } from '../../../platform/index.ts';
import { silentHub } from '../../../telemetry/index.ts';
import type { Hub } from '../../../telemetry/index.ts';
import type { Executor } from '../../executor.ts';
import { createFrame } from '../../sandbox/frame.ts';
import type { FrameKind } from '../../sandbox/frame.ts';
import { resolveLimits } from '../../limits.ts';
import type { ExecutorLimits } from '../../limits.ts';
import { resolvePolicy } from '../../policy.ts';
import type { Policy } from '../../policy.ts';
import { SandboxExecutor } from '../../sandbox/sandbox-executor.ts';
import type { CreateHost } from '../../sandbox/sandbox-factory.ts';
import { PortSandboxHost } from '../../sandbox/sandbox-host.ts';
import type { SandboxFiles } from '../../sandbox/sandbox-host.ts';
import { fetchSandboxFiles, fetchScript } from './python-assets.ts';
import type { AssetLocation } from './python-assets.ts';
import { refusePythonName } from './python-name.ts';

export interface PythonExecutorOptions {
  readonly assets: AssetLocation;
  readonly frame: FrameKind;
  /** Default {@link defaultLimits}. */
  readonly limits?: Partial<ExecutorLimits>;
  /** Default {@link denyByDefault}. */
  readonly policy?: Policy;
  /** Hears `sandbox-start`, `sandbox-fail`, `sandbox-kill`, `execution-start`, `execution-end`. Default: nobody. */
  readonly hub?: Hub;
  readonly clock?: Clock;
}

/** The parts that differ between the real executor and the controls of the escape suite. */
export interface PythonWalls {
  readonly createHost: CreateHost;
  readonly isStripped: boolean;
}

/** A realm that serves sandboxes on its port. */
interface Realm {
  readonly port: MessagePort;
  readonly remove: () => void;
}

/** Boots a realm with its files; takes the realm away when that fails. */
export async function bootHost(
  { port, remove }: Realm,
  files: Promise<SandboxFiles>,
  options: { readonly clock: Clock; readonly answerMs: number; readonly signal: AbortSignal },
): Promise<PortSandboxHost> {
  const { clock, answerMs, signal } = options;
  const host = new PortSandboxHost(port, { clock, answerMs, remove });
  signal.addEventListener('abort', () => host.isBooted || host[Symbol.dispose](), { once: true });
  try {
    await host.boot(await files);
    return host;
  } catch (error) {
    host[Symbol.dispose]();
    throw error;
  }
}

/** A frame with its files, fetched while the frame loads. */
export function frameWalls(options: PythonExecutorOptions, limits: ExecutorLimits): PythonWalls {
  const { assets, frame: kind, clock = systemClock } = options;
  return {
    isStripped: true,
    async createHost(signal) {
      const files = fetchSandboxFiles(assets, limits.memoryBytes, signal);
      // awaited below; until then a failure is not "unhandled"
      files.catch(() => undefined);
      const frame = await createFrame(kind, () => fetchScript(assets, 'frame.js', signal), signal);
      const realm = { port: frame.port, remove: () => frame.remove() };
      const host = await bootHost(realm, files, { clock, answerMs: limits.frameAnswerMs, signal });
      frame.onRemove(() => host[Symbol.dispose]());
      return host;
    },
  };
}

/** @param build the walls around the interpreter */
export function assemblePythonExecutor(
  options: PythonExecutorOptions,
  build: (options: PythonExecutorOptions, limits: ExecutorLimits) => PythonWalls,
): Executor {
  const limits = resolveLimits(options.limits);
  return new SandboxExecutor({
    language: 'python',
    ...build(options, limits),
    refuseName: refusePythonName,
    limits,
    policy: resolvePolicy(options.policy),
    clock: options.clock ?? systemClock,
    hub: options.hub ?? silentHub,
  });
}

/**
 * Python for code that nobody trusts. It begins to start an interpreter at once; whether that works is told by the first run
 * (`failed` with `executor/boot-failed` or `executor/frame-unavailable`). Throws `executor/limit-invalid` or `executor/policy-invalid`.
 * The caller disposes it.
 */
export function createPythonExecutor(options: PythonExecutorOptions): Executor {
  return assemblePythonExecutor(options, frameWalls);
}
