/** What a guest may ask for, as data: it can be shown, stored and narrowed, never widened by a guest. */
import { CodedError, deepFreeze } from '../base/index.ts';

/** The default denies everything that can be denied. */
export interface Policy {
  /** Origins the guest may reach. Must be empty: the frame's rules allow no connection at all. */
  readonly network: readonly string[];
  /**
   * Modules whose `import` is refused before anything runs, their parts included. It gives an early, clear answer;
   * it is not the wall, which is the frame: an import computed at run time is not seen here.
   */
  readonly deniedModules: readonly string[];
}

/** No network; none of the modules that lead out of Python into the worker. */
export const denyByDefault: Policy = deepFreeze({
  network: [],
  deniedModules: ['js', 'pyodide_js', 'pyodide', '_pyodide', '_pyodide_core', 'ctypes', '_ctypes'],
});

/** Checks and freezes a policy; throws `executor/policy-invalid`. */
export function resolvePolicy(policy: Policy = denyByDefault): Policy {
  if (policy.network.length > 0) {
    throw new CodedError(
      'executor/policy-invalid',
      'network must be empty: a guest cannot be given a network',
      {
        fields: { field: 'network', value: [...policy.network], expected: [] },
      },
    );
  }
  for (const name of policy.deniedModules) {
    if (typeof name === 'string' && /^\w+(\.\w+)*$/u.test(name)) continue;
    throw new CodedError('executor/policy-invalid', `deniedModules has "${name}", expected a module name`, {
      fields: { field: 'deniedModules', value: String(name) },
    });
  }
  return deepFreeze({ network: [], deniedModules: [...policy.deniedModules] });
}

/** What both allow. */
export function narrowPolicy(policy: Policy, other: Policy): Policy {
  return deepFreeze({
    network: policy.network.filter((origin) => other.network.includes(origin)),
    deniedModules: [...new Set([...policy.deniedModules, ...other.deniedModules])],
  });
}
