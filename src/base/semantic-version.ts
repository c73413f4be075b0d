/** Semantic versions and their order, as https://semver.org/spec/v2.0.0.html defines them (items 9 to 11). */

const number = '(?:0|[1-9]\\d*)';
const identifier = '(?:0|[1-9]\\d*|\\d*[A-Za-z-][\\dA-Za-z-]*)';
const wellFormed = new RegExp(
  `^(${number})\\.(${number})\\.(${number})(?:-(${identifier}(?:\\.${identifier})*))?(?:\\+[\\dA-Za-z-]+(?:\\.[\\dA-Za-z-]+)*)?$`,
  'u',
);
/** Longer texts are no versions: reading them would cost what nobody meant to spend. */
const maxLength = 256;

interface Parts {
  readonly core: readonly string[];
  /** Empty for a release. */
  readonly preRelease: readonly string[];
}

/** Whether a text is a semantic version, such as `1.0.0` or `2.1.0-beta.1`; at most 256 characters. */
export function isSemanticVersion(text: unknown): text is string {
  return typeof text === 'string' && text.length <= maxLength && wellFormed.test(text);
}

function partsOf(version: string): Parts {
  const [, major = '0', minor = '0', patch = '0', preRelease] = wellFormed.exec(version) ?? [];
  return { core: [major, minor, patch], preRelease: preRelease?.split('.') ?? [] };
}

/** Numbers of any length, without leading zeros: the longer one is the larger one. */
function compareNumbers(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a === b ? 0 : a < b ? -1 : 1;
}

function compareIdentifiers(a: string, b: string): number {
  const [isNumberA, isNumberB] = [/^\d+$/u.test(a), /^\d+$/u.test(b)];
  if (isNumberA && isNumberB) return compareNumbers(a, b);
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}

function compareLists(
  a: readonly string[],
  b: readonly string[],
  compare: (one: string, other: string) => number,
): number {
  for (const [at, one] of a.entries()) {
    const other = b[at];
    const order = other === undefined ? 1 : compare(one, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Below 0 when `a` comes before `b`, 0 when neither does: build metadata does not count. Both must be semantic versions. */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [partsOf(a), partsOf(b)];
  const order = compareLists(one.core, other.core, compareNumbers);
  if (order !== 0) return order;
  // a release comes after its pre-releases
  if (one.preRelease.length === 0 || other.preRelease.length === 0)
    return other.preRelease.length - one.preRelease.length;
  return compareLists(one.preRelease, other.preRelease, compareIdentifiers);
}

/** The newest release; the newest pre-release when there is no release; undefined for an empty list. */
export function newestVersion(versions: readonly string[]): string | undefined {
  const releases = versions.filter((version) => partsOf(version).preRelease.length === 0);
  return (releases.length > 0 ? releases : versions).toSorted(compareVersions).at(-1);
}
