/** Whether a policy allows something, and which of its rules says so. */
import { containsModule } from './contains-module.ts';
import type { Policy } from './policy.ts';

/** What a policy speaks of. */
export type Permission = 'network' | 'file' | 'environment' | 'tool' | 'package' | 'module' | 'global';

/** Something that is asked of a policy. */
export type PolicyRequest =
  | { readonly permission: 'network'; readonly origin: string; readonly method: string }
  | {
      readonly permission: 'package';
      /** Of the index, or `page`. */
      readonly origin: string;
      readonly name: string;
    }
  | { readonly permission: Exclude<Permission, 'network' | 'package'>; readonly name: string };

/** An answer of {@link decide}. */
export interface Decision {
  /** What no list allows is not; a module or global that no list denies is. */
  readonly isAllowed: boolean;
  /** The rule that allows or denies: `deniedModules["ctypes"]`, `network["https://example.com"]`; a bare `tools` when no entry of that list matches. */
  readonly rule: string;
}

/** Whether everything that `narrow` matches is matched by `wide`; both are paths or patterns of a policy's `files`. */
export function coversPath(wide: string, narrow: string): boolean {
  if (wide === narrow || wide === '**') return true;
  return wide.endsWith('/**') && narrow.startsWith(wide.slice(0, -2));
}

const entry = (list: string, name: string): string => `${list}[${JSON.stringify(name)}]`;

function allowed(list: string, names: readonly string[], matches: (name: string) => boolean): Decision {
  const match = names.find(matches);
  return match === undefined
    ? { isAllowed: false, rule: list }
    : { isAllowed: true, rule: entry(list, match) };
}

function notDenied(list: string, names: readonly string[], matches: (name: string) => boolean): Decision {
  const match = names.find(matches);
  return match === undefined
    ? { isAllowed: true, rule: list }
    : { isAllowed: false, rule: entry(list, match) };
}

const covers =
  (wanted: string) =>
  (name: string): boolean =>
    name === '*' || name === wanted;

/** Pure: the same answer for the same question. */
export function decide(policy: Policy, request: PolicyRequest): Decision {
  switch (request.permission) {
    case 'network':
      return decideNetwork(policy, request.origin, request.method);
    case 'package':
      return decidePackage(policy, request.origin, request.name);
    case 'file':
      return allowed('files', policy.files, (pattern) => coversPath(pattern, request.name));
    case 'environment':
      return allowed('environment', policy.environment, covers(request.name));
    case 'tool':
      return allowed('tools', policy.tools, covers(request.name));
    case 'module':
      return notDenied('deniedModules', policy.deniedModules, (rule) => containsModule(rule, request.name));
    case 'global':
      return notDenied('deniedGlobals', policy.deniedGlobals, (name) => name === request.name);
  }
}

function decideNetwork({ network }: Policy, origin: string, method: string): Decision {
  const rules = network.filter((rule) => rule.origin === origin);
  const [first] = rules;
  if (!first) return { isAllowed: false, rule: 'network' };
  const isAllowed = rules.some(({ methods }) => methods.includes(method));
  return { isAllowed, rule: entry('network', first.origin) };
}

function decidePackage({ packages }: Policy, origin: string, name: string): Decision {
  const rules = packages.filter((rule) => rule.origin === origin);
  const [first] = rules;
  if (!first) return { isAllowed: false, rule: 'packages' };
  const isAllowed = rules.some(({ names }) => names.some(covers(name)));
  return { isAllowed, rule: entry('packages', first.origin) };
}
