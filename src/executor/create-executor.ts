/** Makes executors, and the domains that several of them may share. */
import { CodedError } from '../base/index.ts';
import { systemClock } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import { silentHub } from '../telemetry/index.ts';
import type { Hub } from '../telemetry/index.ts';
import type { Executor } from './executor.ts';
import type { LanguageName } from './language/language.ts';
import { languages } from './language/languages.ts';
import { resolveLimits } from './limits.ts';
import type { ExecutorLimits } from './limits.ts';
import type { PackageIndex } from './package.ts';
import { resolvePolicy } from './policy/policy.ts';
import type { PolicyInput } from './policy/policy.ts';
import type { FrameKind } from './sandbox/frame.ts';
import { checkOptions } from './sandbox/check-options.ts';
import { fetchGuestFiles } from './sandbox/guest-files.ts';
import type { AssetLocation } from './sandbox/guest-files.ts';
import { SandboxExecutor } from './sandbox/sandbox-executor.ts';
import { SnapshotShelf } from './sandbox/snapshot-shelf.ts';
import { TrustDomain } from './sandbox/trust-domain.ts';
import { frameWalls } from './sandbox/walls.ts';
import type { BuildWalls } from './sandbox/walls.ts';
import { openSnapshotCache } from './snapshot-cache.ts';
import type { SnapshotCache } from './snapshot-cache.ts';

/** Where guests live. */
export interface TrustDomainOptions {
  readonly assets: AssetLocation;
  readonly frame: FrameKind;
  /** Of these, a domain knows `bootTimeoutMs`, `frameAnswerMs` and those of snapshots. */
  readonly limits?: Partial<ExecutorLimits>;
  readonly clock?: Clock;
  /** Hears `snapshot-make` and `snapshot-drop`. Default: nobody. */
  readonly hub?: Hub;
  /**
   * Where snapshots of interpreters are kept, from which later ones start. Default `openSnapshotCache()`: IndexedDB. `off`: none is made or used,
   * every interpreter boots.
   */
  readonly snapshots?: SnapshotCache | 'off';
}

interface SharedOptions {
  readonly language: LanguageName;
  /** Default {@link defaultLimits}. */
  readonly limits?: Partial<ExecutorLimits>;
  /**
   * What it leaves out is that of {@link denyByDefault}. SQL and WebAssembly refuse one that denies further modules, or globals: nothing looks for
   * names in their programs.
   */
  readonly policy?: PolicyInput;
  /**
   * Where `context.packages` and `micropip` find packages by their names; only for Python. Default: nowhere. The policy's `packages` say which of them a
   * guest may have.
   */
  readonly packageIndex?: PackageIndex;
  /** Hears `sandbox-start`, `sandbox-fail`, `sandbox-kill`, `execution-start`, `execution-end`. Default: nobody. */
  readonly hub?: Hub;
  readonly clock?: Clock;
}

/** With a frame of its own, or in a domain that it shares with other executors. */
export type ExecutorOptions = SharedOptions &
  (
    | {
        readonly assets: AssetLocation;
        readonly frame: FrameKind;
        /** As for a trust domain. */
        readonly snapshots?: SnapshotCache | 'off';
        readonly domain?: never;
      }
    | {
        readonly domain: TrustDomain;
        readonly assets?: never;
        readonly frame?: never;
        readonly snapshots?: never;
      }
  );

interface WalledDomain {
  readonly domain: TrustDomain;
  /** As its walls say. */
  readonly isStripped: boolean;
}

function createDomain(options: TrustDomainOptions, buildWalls: BuildWalls): WalledDomain {
  const limits = resolveLimits(options.limits, 1);
  const { bootTimeoutMs, frameAnswerMs } = limits;
  const { assets, clock = systemClock, hub = silentHub } = options;
  const { createHost, isStripped } = buildWalls(options, { frameAnswerMs });
  const cache = isStripped ? cacheOf(options.snapshots) : undefined;
  const domain = new TrustDomain({
    createHost,
    fetchFiles: (language, memoryBytes, signal) => fetchGuestFiles(language, assets, memoryBytes, signal),
    clock,
    hub,
    shelf: cache ? new SnapshotShelf({ cache, limits, clock, hub }) : undefined,
    bootTimeoutMs,
  });
  return { domain, isStripped };
}

function cacheOf(snapshots: SnapshotCache | 'off' = openSnapshotCache()): SnapshotCache | undefined {
  return snapshots === 'off' ? undefined : snapshots;
}

/**
 * A frame that several executors share, of any languages: one trust domain. What runs in one domain is kept apart by workers and interpreters
 * alone; guests that must not know of each other get domains of their own. Nothing is started before the first executor asks for it. The
 * caller disposes it. Throws `executor/limit-invalid`.
 */
export function createTrustDomain(options: TrustDomainOptions): TrustDomain {
  return createDomain(options, frameWalls).domain;
}

/** @param buildWalls what stands around an executor's own frame */
export function assembleExecutor(options: ExecutorOptions, buildWalls: BuildWalls): Executor {
  const { language: name, clock = systemClock, hub = silentHub } = options;
  if (!Object.hasOwn(languages, name)) throw unknownLanguage(name);
  const language = languages[name];
  const limits = resolveLimits(options.limits, language.leastMemoryBytes);
  const policy = resolvePolicy(options.policy);
  checkOptions(language, policy, options.packageIndex);
  const walled = options.domain
    ? { domain: options.domain, isStripped: true }
    : createDomain({ ...options, limits }, buildWalls);
  const ownsDomain = options.domain === undefined;
  return new SandboxExecutor({
    language,
    ...walled,
    ownsDomain,
    limits,
    policy,
    clock,
    hub,
    packageIndex: options.packageIndex,
  });
}

function unknownLanguage(name: string): CodedError {
  const expected = Object.keys(languages).join(', ');
  return new CodedError(
    'executor/option-invalid',
    `language: expected one of ${expected}, found ${String(name)}`,
    { fields: { field: 'language', expected, found: String(name) } },
  );
}

/**
 * An executor for code that nobody trusts. It begins to start an interpreter at once; whether that works is told by the first run
 * (`failed` with `executor/boot-failed` or `executor/frame-unavailable`). Throws `executor/limit-invalid`, `executor/policy-invalid`,
 * `executor/policy-version-unknown` or `executor/option-invalid`. The caller disposes it.
 */
export function createExecutor(options: ExecutorOptions): Executor {
  return assembleExecutor(options, frameWalls);
}
