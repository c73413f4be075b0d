/** What several policies allow together: never more than each of them. */
import { deepFreeze } from '../../base/index.ts';
import { policyVersion } from './check-policy.ts';
import type { NetworkRule, PackageRule, Policy } from './policy.ts';

const unique = (names: readonly string[]): readonly string[] => [...new Set(names)];

/**
 * The more special of two patterns where one covers the other; else nothing is in both.
 * @param above every pattern that covers this one; few, so that two long lists are no square of work
 */
function meet(
  ones: readonly string[],
  others: readonly string[],
  above: (name: string) => readonly string[],
): readonly string[] {
  const coveredBy = (wide: readonly string[]): ((name: string) => boolean) => {
    const patterns = new Set(wide);
    return (name) => above(name).some((pattern) => patterns.has(pattern));
  };
  return unique([...ones.filter(coveredBy(others)), ...others.filter(coveredBy(ones))]);
}

const namesAbove = (name: string): readonly string[] => [name, '*'];

/** As `coversPath` has it: the path itself, its folders with all that is in them, and everything. */
function pathsAbove(path: string): readonly string[] {
  const above = [path, '**'];
  for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
    above.push(`${path.slice(0, end)}/**`);
  }
  return above;
}

/** Several rules of one origin are one. */
function byOrigin(
  rules: readonly (readonly [origin: string, names: readonly string[]])[],
): Map<string, string[]> {
  const origins = new Map<string, string[]>();
  for (const [origin, names] of rules) {
    const known = origins.get(origin) ?? [];
    for (const name of names) known.push(name);
    origins.set(origin, known);
  }
  return origins;
}

function meetNetwork(ones: readonly NetworkRule[], others: readonly NetworkRule[]): readonly NetworkRule[] {
  const methodsOf = ({ origin, methods }: NetworkRule) => [origin, methods] as const;
  const theirs = byOrigin(others.map(methodsOf));
  return [...byOrigin(ones.map(methodsOf))].flatMap(([origin, known]) => {
    const allowed = new Set(theirs.get(origin));
    const methods = unique(known).filter((method) => allowed.has(method));
    return methods.length > 0 ? [{ origin, methods }] : [];
  });
}

function meetPackages(ones: readonly PackageRule[], others: readonly PackageRule[]): readonly PackageRule[] {
  const namesOf = ({ origin, names }: PackageRule) => [origin, names] as const;
  const theirs = byOrigin(others.map(namesOf));
  return [...byOrigin(ones.map(namesOf))].flatMap(([origin, known]) => {
    const names = meet(known, theirs.get(origin) ?? [], namesAbove);
    return names.length > 0 ? [{ origin, names }] : [];
  });
}

/** What both allow. It can only take away: whatever the result allows, `policy` and `other` allow, each by itself. */
export function narrowPolicy(policy: Policy, other: Policy): Policy {
  return deepFreeze({
    version: policyVersion,
    network: meetNetwork(policy.network, other.network),
    files: meet(policy.files, other.files, pathsAbove),
    environment: meet(policy.environment, other.environment, namesAbove),
    tools: meet(policy.tools, other.tools, namesAbove),
    packages: meetPackages(policy.packages, other.packages),
    deniedModules: unique([...policy.deniedModules, ...other.deniedModules]),
    deniedGlobals: unique([...policy.deniedGlobals, ...other.deniedGlobals]),
  });
}
