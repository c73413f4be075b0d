/** What a language does about packages, loaded when the first one is asked for. */
import type { Clock } from '../../platform/index.ts';
import type { ExecutorLimits } from '../limits.ts';
import type { PackageIndex, PackageRequest } from '../package.ts';
import type { Policy } from '../policy/policy.ts';
import type { PackageBudget } from './package-budget.ts';

/** Files for the guest, in two pieces that cross as they are. */
export interface PackedPackages {
  /** JSON in UTF-8: the packages' names, then `[path, length][]` in the order of `content`. */
  readonly header: Uint8Array<ArrayBuffer>;
  readonly content: Uint8Array<ArrayBuffer>;
  readonly packages: readonly { readonly name: string; readonly version: string }[];
}

/** Around one request. */
export interface PackageQuestion {
  readonly signal: AbortSignal;
  /** Versions of what the guest says it has, by name. */
  readonly installed: ReadonlyMap<string, string>;
  /** Of the run that asks. What it gets is taken from it. */
  readonly budget: PackageBudget;
}

/** For one executor. */
export interface PackageLoader {
  /** Rejects with one of `executor/package-*`, with `executor/denied`, or as the signal says. */
  load(requests: readonly PackageRequest[], question: PackageQuestion): Promise<PackedPackages>;
}

/** What a loader is made with. */
export interface PackageLoaderOptions {
  readonly index: PackageIndex | undefined;
  readonly limits: ExecutorLimits;
  readonly policy: Policy;
  readonly clock: Clock;
}

export type LoadPackages = (options: PackageLoaderOptions) => Promise<PackageLoader>;
