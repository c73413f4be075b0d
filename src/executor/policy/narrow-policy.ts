/** What several policies allow together: never more than each of them. */
import { deepFreeze } from '../../base/index.ts';
import { policyVersion } from './check-policy.ts';
import { coversPath } from './decide.ts';
import type { NetworkRule, PackageRule, Policy } from './policy.ts';

const unique = (names: readonly string[]): readonly string[] => [...new Set(names)];

/** The more special of two patterns where one covers the other; else nothing is in both. */
function meet(
  ones: readonly string[],
  others: readonly string[],
  covers: (wide: string, narrow: string) => boolean,
): readonly string[] {
  const pairs = ones.flatMap((one) => others.map((other) => [one, other] as const));
  return unique(
    pairs.flatMap(([one, other]) => {
      if (covers(one, other)) return [other];
      return covers(other, one) ? [one] : [];
    }),
  );
}

const coversName = (wide: string, narrow: string): boolean => wide === '*' || wide === narrow;

function meetNetwork(ones: readonly NetworkRule[], others: readonly NetworkRule[]): readonly NetworkRule[] {
  const methodsOf = (rules: readonly NetworkRule[], origin: string): readonly string[] =>
    rules.filter((rule) => rule.origin === origin).flatMap(({ methods }) => methods);
  return unique(ones.map(({ origin }) => origin)).flatMap((origin) => {
    const theirs = methodsOf(others, origin);
    const methods = unique(methodsOf(ones, origin)).filter((method) => theirs.includes(method));
    return methods.length > 0 ? [{ origin, methods }] : [];
  });
}

function meetPackages(ones: readonly PackageRule[], others: readonly PackageRule[]): readonly PackageRule[] {
  const namesOf = (rules: readonly PackageRule[], origin: string): readonly string[] =>
    rules.filter((rule) => rule.origin === origin).flatMap(({ names }) => names);
  return unique(ones.map(({ origin }) => origin)).flatMap((origin) => {
    const names = meet(namesOf(ones, origin), namesOf(others, origin), coversName);
    return names.length > 0 ? [{ origin, names }] : [];
  });
}

/** What both allow. It can only take away: whatever the result allows, `policy` and `other` allow, each by itself. */
export function narrowPolicy(policy: Policy, other: Policy): Policy {
  return deepFreeze({
    version: policyVersion,
    network: meetNetwork(policy.network, other.network),
    files: meet(policy.files, other.files, coversPath),
    environment: meet(policy.environment, other.environment, coversName),
    tools: meet(policy.tools, other.tools, coversName),
    packages: meetPackages(policy.packages, other.packages),
    deniedModules: unique([...policy.deniedModules, ...other.deniedModules]),
    deniedGlobals: unique([...policy.deniedGlobals, ...other.deniedGlobals]),
  });
}
