/** Reads a policy by hand, field by field. */
import { CodedError, deepFreeze } from '../../base/index.ts';
import type { NetworkRule, PackageRule, Policy } from './policy.ts';

/** Longest a list may be, and a name in it; a stored policy may come from anywhere. */
const maxEntries = 10_000;
const maxNameLength = 1024;

/**
 * What would end a line, hide a part of it or turn its direction where a policy is shown to somebody who has to agree; and half characters,
 * which are none.
 */
const unshowable = /[\p{Control}\p{Format}\p{Line_Separator}\p{Paragraph_Separator}\p{Surrogate}]/u;
const everyUnshowable = new RegExp(unshowable, 'gu');

/** Text of unknown origin in quotes, with nothing in it that cannot be seen. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 100)).replaceAll(
    everyUnshowable,
    (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`,
  );
}

/** The schema that this version reads and writes. */
export const policyVersion = 1;

/** The origin of packages that the page hands over itself. */
export const handedOrigin = 'page';

type Unknown = Readonly<Record<string, unknown>>;

function invalid(field: string, expected: string, value: unknown): CodedError {
  const found = typeof value === 'string' ? quoted(value) : kindOf(value);
  return new CodedError('executor/policy-invalid', `policy.${field}: expected ${expected}, found ${found}`, {
    fields: { field, expected, found },
  });
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'number' ? String(value) : `a value of type ${typeof value}`;
}

function listOf<T>(field: string, value: unknown, read: (field: string, item: unknown) => T): readonly T[] {
  if (!Array.isArray(value) || value.length > maxEntries) {
    throw invalid(field, `a list of at most ${maxEntries} entries`, value);
  }
  return value.map((item: unknown, index) => read(`${field}[${index}]`, item));
}

function nameOf(pattern: RegExp, expected: string): (field: string, item: unknown) => string {
  return (field, item) => {
    if (
      typeof item === 'string' &&
      item.length <= maxNameLength &&
      pattern.test(item) &&
      !unshowable.test(item)
    )
      return item;
    throw invalid(field, expected, item);
  };
}

// a module of Python by its dotted name, of JavaScript by its specifier
const readModule = nameOf(/^[\p{L}\p{N}_@.][\p{L}\p{N}_@./:-]*$/u, 'the name of a module');
const readGlobal = nameOf(/^[\p{XID_Start}_$][\p{XID_Continue}$]*$/u, 'the name of a global');
const readTool = nameOf(/^(\*|[\p{XID_Start}_$][\p{XID_Continue}$]*)$/u, 'the name of a tool, or "*"');
const readVariable = nameOf(/^(\*|[A-Za-z_][A-Za-z0-9_]*)$/u, 'the name of a variable, or "*"');
const readPackage = nameOf(
  /^(\*|[a-z0-9]+(-[a-z0-9]+)*)$/u,
  'the name of a package in small letters, or "*"',
);
const readMethod = nameOf(/^[A-Z]{1,20}$/u, 'a method in capitals');

function readPath(field: string, item: unknown): string {
  const expected =
    'a path below /sandbox without "." or ".." parts or characters that cannot be seen, "folder/**", or "**"';
  if (typeof item !== 'string' || item.length > maxNameLength || unshowable.test(item)) {
    throw invalid(field, expected, item);
  }
  const parts = item.split('/');
  const isSound = parts.every(
    (part, index) =>
      part !== '' && part !== '.' && part !== '..' && (part !== '**' || index === parts.length - 1),
  );
  if (!isSound) throw invalid(field, expected, item);
  return item;
}

function readRule(field: string, item: unknown): NetworkRule {
  if (typeof item !== 'object' || item === null) {
    throw invalid(field, 'an origin and its methods', item);
  }
  const { origin, methods } = item as Unknown;
  const isOrigin = typeof origin === 'string' && isWebOrigin(origin);
  if (!isOrigin) throw invalid(`${field}.origin`, 'an origin such as "https://example.com"', origin);
  return { origin, methods: listOf(`${field}.methods`, methods, readMethod) };
}

function readPackageRule(field: string, item: unknown): PackageRule {
  if (typeof item !== 'object' || item === null) throw invalid(field, 'an origin and its names', item);
  const { origin, names } = item as Unknown;
  const isOrigin = typeof origin === 'string' && (origin === handedOrigin || isWebOrigin(origin));
  if (!isOrigin)
    throw invalid(`${field}.origin`, `an origin such as "https://example.com", or "page"`, origin);
  return { origin, names: listOf(`${field}.names`, names, readPackage) };
}

const isWebOrigin = (text: string): boolean => /^https?:\/\//u.test(text) && originOf(text) === text;

function originOf(text: string): string | undefined {
  return URL.canParse(text) ? new URL(text).origin : undefined;
}

const fields = new Set([
  'version',
  'network',
  'files',
  'environment',
  'tools',
  'packages',
  'deniedModules',
  'deniedGlobals',
]);

/** A frozen copy. Throws `executor/policy-invalid` or `executor/policy-version-unknown`. */
export function checkPolicy(value: unknown): Policy {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CodedError('executor/policy-invalid', `a policy is an object, found ${kindOf(value)}`, {
      fields: { field: '', expected: 'an object', found: kindOf(value) },
    });
  }
  const own = Object.assign(Object.create(null), value) as Unknown;
  if (own['version'] !== policyVersion) throw unknownVersion(own['version']);
  // a rule that is not understood might forbid something
  const strange = Object.keys(own).find((name) => !fields.has(name));
  if (strange !== undefined) throw invalid(quoted(strange), 'no such field', own[strange]);
  return deepFreeze({
    version: policyVersion,
    network: listOf('network', own['network'], readRule),
    files: listOf('files', own['files'], readPath),
    environment: listOf('environment', own['environment'], readVariable),
    tools: listOf('tools', own['tools'], readTool),
    packages: listOf('packages', own['packages'], readPackageRule),
    deniedModules: listOf('deniedModules', own['deniedModules'], readModule),
    deniedGlobals: listOf('deniedGlobals', own['deniedGlobals'], readGlobal),
  });
}

function unknownVersion(found: unknown): CodedError {
  const shown =
    typeof found === 'number' ? String(found) : typeof found === 'string' ? quoted(found) : kindOf(found);
  return new CodedError(
    'executor/policy-version-unknown',
    `the policy is of version ${shown.slice(0, 100)}, this release reads version ${policyVersion}`,
    { fields: { found: shown.slice(0, 100), expected: policyVersion } },
  );
}
