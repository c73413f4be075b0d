/** What a guest may have, as data: it can be shown, stored, compared and narrowed, never widened by a guest. */
import { deepFreeze } from '../../base/index.ts';
import { checkPolicy, handedOrigin, policyVersion } from './check-policy.ts';

/** What may be asked of one origin. */
export interface NetworkRule {
  /** Scheme, host and port, as `URL.origin` writes it: `https://api.example.com`. */
  readonly origin: string;
  /** In capitals: `GET`, `POST`. */
  readonly methods: readonly string[];
}

/** Which packages of Python may be installed from one place. */
export interface PackageRule {
  /** Scheme, host and port of the index; or `page` for what the page hands over as bytes. */
  readonly origin: string;
  /** Names of packages, in small letters with `-`; `*` for all. What they need is named too. */
  readonly names: readonly string[];
}

/** Lists of what is allowed, then lists of what is not. What no list allows is denied. */
export interface Policy {
  readonly version: typeof policyVersion;
  /** Origins that a tool of `createFetchTool` may reach for the guest. The guest's own realm has no connection at all, whatever stands here. */
  readonly network: readonly NetworkRule[];
  /** Which of the files that a context hands over: a path below `/sandbox`, `folder/**` for what is in it, `**` for all. */
  readonly files: readonly string[];
  /** Which variables of the environment that a context hands over, by name; `*` for all. */
  readonly environment: readonly string[];
  /** Which of the tools that a context hands over, by name; `*` for all. */
  readonly tools: readonly string[];
  /** Packages that may be installed for the guest, by the place that they come from. */
  readonly packages: readonly PackageRule[];
  /**
   * Modules whose `import` is refused before anything runs, their parts included. It gives an early, clear answer;
   * it is not the wall, which is the frame: an import computed at run time is not seen here.
   */
  readonly deniedModules: readonly string[];
  /** Globals and functions that the code may not name, such as `eval`; guidance as `deniedModules`: access that is computed is not seen. */
  readonly deniedGlobals: readonly string[];
}

/** A policy as a caller writes it; a list that is left out is that of {@link denyByDefault}, one that is given stands in its place: further denials begin with `...denyByDefault.deniedModules`. */
export type PolicyInput = Partial<Policy>;

/**
 * No network, no package by its name, and none of the modules that lead out of Python into the worker. Files, environment, tools and wheels are there only when the page hands
 * them over with a run, so they are not denied a second time; a policy with lists of names says which of them may be handed over.
 */
export const denyByDefault: Policy = deepFreeze({
  version: policyVersion,
  network: [],
  files: ['**'],
  environment: ['*'],
  tools: ['*'],
  packages: [{ origin: handedOrigin, names: ['*'] }],
  deniedModules: ['js', 'pyodide_js', 'pyodide', '_pyodide', '_pyodide_core', 'ctypes', '_ctypes'],
  deniedGlobals: [],
});

/** Checks, completes and freezes a policy; throws `executor/policy-invalid` naming the field, or `executor/policy-version-unknown`. */
export function resolvePolicy(policy: PolicyInput = denyByDefault): Policy {
  return checkPolicy({ ...denyByDefault, ...policy });
}

/** Reads a policy that was stored, whoever stored it. Every list must be there. Throws as {@link resolvePolicy}. */
export function parsePolicy(stored: unknown): Policy {
  return checkPolicy(stored);
}
