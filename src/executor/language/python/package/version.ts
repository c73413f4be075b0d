/** Versions of Python packages, and what a specifier says of them. Source: the version specifiers specification of packaging.python.org (PEP 440). */

/** A version as it is compared. */
export interface PythonVersion {
  readonly text: string;
  readonly epoch: number;
  readonly release: readonly number[];
  /** `a`, `b` or `rc`, and its number. */
  readonly pre: readonly [letter: 'a' | 'b' | 'rc', number: number] | undefined;
  readonly post: number | undefined;
  readonly dev: number | undefined;
  readonly local: readonly (number | string)[] | undefined;
}

/** No version that means something is longer. */
const maxLength = 128;
const pattern =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|beta|preview|pre|a|b|c|rc)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/u;
const letters = {
  alpha: 'a',
  a: 'a',
  beta: 'b',
  b: 'b',
  c: 'rc',
  rc: 'rc',
  pre: 'rc',
  preview: 'rc',
} as const;

function readPre(letter: string | undefined, number: string | undefined): PythonVersion['pre'] {
  return letter === undefined ? undefined : [letters[letter as keyof typeof letters], Number(number)];
}

function readPost(match: RegExpExecArray): number | undefined {
  if (match[5] !== undefined) return Number(match[5]);
  return match[6] === undefined ? undefined : Number(match[7]);
}

function readLocal(text: string | undefined): PythonVersion['local'] {
  return text?.split(/[-_.]/u).map((part) => (/^\d+$/u.test(part) ? Number(part) : part));
}

/** `undefined` for a text that is no version. */
export function parsePythonVersion(text: string): PythonVersion | undefined {
  const plain = text.trim().toLowerCase();
  const match = plain.length <= maxLength ? pattern.exec(plain) : null;
  if (!match) return undefined;
  return {
    text: plain,
    epoch: Number(match[1] ?? 0),
    release: (match[2] as string).split('.').map(Number),
    pre: readPre(match[3], match[4]),
    post: readPost(match),
    dev: match[8] === undefined ? undefined : Number(match[9]),
    local: readLocal(match[10]),
  };
}

type Key = readonly (number | string)[];

/** Trailing zeros do not count. */
function trimmed(release: readonly number[]): readonly number[] {
  const last = release.findLastIndex((part) => part !== 0);
  return release.slice(0, last + 1);
}

function compareKeys(one: Key, other: Key): number {
  for (let index = 0; index < Math.max(one.length, other.length); index += 1) {
    const [left, right] = [one[index], other[index]];
    if (left === right) continue;
    if (left === undefined) return -1;
    if (right === undefined) return 1;
    // in a local part numbers stand above words
    if (typeof left !== typeof right) return typeof left === 'number' ? 1 : -1;
    return left < right ? -1 : 1;
  }
  return 0;
}

const preRank = { a: 0, b: 1, rc: 2 } as const;

/** What comes after the release, as numbers that compare: a `.dev` of nothing stands before every `a`, a final one after every `rc`. */
function suffix({ pre, post, dev }: PythonVersion): Key {
  const isBareDev = pre === undefined && post === undefined && dev !== undefined;
  const stage = pre ? preRank[pre[0]] : isBareDev ? -1 : 3;
  return [stage, pre?.[1] ?? 0, post ?? -1, dev ?? Infinity];
}

/** Below 0 when `one` comes first, 0 when they are the same version. */
export function comparePythonVersions(one: PythonVersion, other: PythonVersion): number {
  return (
    one.epoch - other.epoch ||
    compareKeys(trimmed(one.release), trimmed(other.release)) ||
    compareKeys(suffix(one), suffix(other)) ||
    compareKeys(one.local ?? [], other.local ?? [])
  );
}

/** An alpha, beta, candidate or development version. */
export function isPreRelease({ pre, dev }: PythonVersion): boolean {
  return pre !== undefined || dev !== undefined;
}

const operators = ['===', '~=', '==', '!=', '<=', '>=', '<', '>'] as const;
type Operator = (typeof operators)[number];

/** One clause of a specifier. */
export interface VersionClause {
  readonly operator: Operator;
  readonly text: string;
  /** `undefined` only after `===`. */
  readonly version: PythonVersion | undefined;
  /** `== 1.2.*` */
  readonly isPrefix: boolean;
}

/** Clauses that must all hold. */
export type VersionSpecifier = readonly VersionClause[];

function parseClause(text: string): VersionClause | undefined {
  const operator = operators.find((candidate) => text.startsWith(candidate));
  if (!operator) return undefined;
  const operand = text.slice(operator.length).trim();
  const isPrefix = operand.endsWith('.*');
  const version = parsePythonVersion(isPrefix ? operand.slice(0, -2) : operand);
  if (operator === '===')
    return operand === '' ? undefined : { operator, text: operand, version, isPrefix: false };
  const mayBePrefix = operator === '==' || operator === '!=';
  const isSound = version && (!isPrefix || mayBePrefix) && (operator !== '~=' || version.release.length > 1);
  return isSound ? { operator, text: operand, version, isPrefix } : undefined;
}

/** No specifier that somebody wrote has more: an index may have one for each of 100,000 files. */
const maxSpecifierLength = 1000;
const maxClauses = 64;

/** `undefined` for what is no specifier; an empty text is one that every version fits. */
export function parseSpecifier(text: string): VersionSpecifier | undefined {
  if (text.length > maxSpecifierLength) return undefined;
  const parts = text.split(',').map((part) => part.trim());
  const given = parts.filter((part) => part !== '');
  if (given.length > maxClauses) return undefined;
  const clauses = given.map(parseClause);
  return clauses.includes(undefined) ? undefined : (clauses as VersionSpecifier);
}

const withoutLocal = (version: PythonVersion): PythonVersion => ({ ...version, local: undefined });

function hasPrefix(version: PythonVersion, prefix: PythonVersion): boolean {
  const padded = [...version.release, ...Array<number>(prefix.release.length).fill(0)];
  const isSame = prefix.release.every((part, index) => part === padded[index]);
  return version.epoch === prefix.epoch && isSame;
}

function isSame(version: PythonVersion, wanted: PythonVersion, isPrefix: boolean): boolean {
  if (isPrefix) return hasPrefix(version, wanted);
  return comparePythonVersions(wanted.local ? version : withoutLocal(version), wanted) === 0;
}

/** `> 1.7` does not mean 1.7.post1, nor a local build of 1.7. */
function isAfter(version: PythonVersion, wanted: PythonVersion): boolean {
  if (comparePythonVersions(version, wanted) <= 0) return false;
  const isPostOfIt = version.post !== undefined && wanted.post === undefined && sameBase(version, wanted);
  return !isPostOfIt && comparePythonVersions(withoutLocal(version), wanted) !== 0;
}

/** `< 2.0` does not mean 2.0rc1. */
function isBefore(version: PythonVersion, wanted: PythonVersion): boolean {
  if (comparePythonVersions(version, wanted) >= 0) return false;
  return !(isPreRelease(version) && !isPreRelease(wanted) && sameBase(version, wanted));
}

function sameBase(one: PythonVersion, other: PythonVersion): boolean {
  return one.epoch === other.epoch && compareKeys(trimmed(one.release), trimmed(other.release)) === 0;
}

function fits(version: PythonVersion, { operator, text, version: wanted, isPrefix }: VersionClause): boolean {
  if (operator === '===' || !wanted) return version.text === text.toLowerCase();
  const order = comparePythonVersions(withoutLocal(version), wanted);
  switch (operator) {
    case '==':
      return isSame(version, wanted, isPrefix);
    case '!=':
      return !isSame(version, wanted, isPrefix);
    case '<=':
      return order <= 0;
    case '>=':
      return order >= 0;
    case '<':
      return isBefore(version, wanted);
    case '>':
      return isAfter(version, wanted);
    case '~=':
      return order >= 0 && hasPrefix(version, { ...wanted, release: wanted.release.slice(0, -1) });
  }
}

/** Whether every clause holds. Whether a pre-release is wanted at all is the caller's to ask. */
export function fitsSpecifier(version: PythonVersion, specifier: VersionSpecifier): boolean {
  return specifier.every((clause) => fits(version, clause));
}

/** A specifier that names a pre-release wants pre-releases. */
export function wantsPreReleases(specifier: VersionSpecifier): boolean {
  return specifier.some(({ operator, version }) => operator !== '!=' && version && isPreRelease(version));
}
