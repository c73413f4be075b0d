/** A file that an index offers. */
import type { TakeBytes } from './file-store.ts';
import { isPackageName, normalizeName } from './package-name.ts';
import { rankTags } from './python-target.ts';
import { allowsPython, expandTag } from './read-wheel.ts';
import { parsePythonVersion } from './version.ts';
import type { PythonVersion } from './version.ts';

/** A wheel for this Python. */
export interface Candidate {
  readonly name: string;
  readonly version: PythonVersion;
  readonly fileName: string;
  readonly url: string;
  /** As lower-case hex; `undefined` when the index names none. */
  readonly sha256: string | undefined;
  readonly isYanked: boolean;
  /** 0 is the best; see `rankTags`. */
  readonly rank: number;
  /** What the index itself says that it needs, instead of the wheel's own words. */
  readonly dependsOn?: readonly string[];
}

/** What an index says of a file. */
export interface OfferedFile {
  readonly fileName: string;
  readonly url: string;
  readonly sha256: string | undefined;
  readonly requiresPython: string;
  readonly isYanked: boolean;
}

/** No system of files takes a longer name. */
const maxFileNameLength = 255;

/** Source distributions, other platforms and other Pythons are no candidates. */
export function toCandidate(file: OfferedFile): Candidate | undefined {
  if (file.fileName.length > maxFileNameLength) return undefined;
  const match = /^([^-]+)-([^-]+)(?:-\d[^-]*)?-([^-]+-[^-]+-[^-]+)\.whl$/u.exec(file.fileName);
  const [, name = '', versionText = '', tag = ''] = match ?? [];
  if (!isPackageName(name)) return undefined;
  const version = parsePythonVersion(versionText.replaceAll('_', '-'));
  const rank = version && rankTags(expandTag(tag));
  if (!version || rank === undefined || !allowsPython(file.requiresPython)) return undefined;
  const { fileName, url, sha256, isYanked } = file;
  return { name: normalizeName(name), version, fileName, url, sha256, isYanked, rank };
}

/** An index, as the resolver asks it. */
export interface IndexReader {
  /** The origin that a policy speaks of. */
  readonly origin: string;
  /** Every candidate under this name, in any order; none when the index does not know it. @param take for the pages that are read */
  find(name: string, signal: AbortSignal, take: TakeBytes): Promise<readonly Candidate[]>;
  /** The wheel, checked against its hash. */
  fetch(candidate: Candidate, signal: AbortSignal, take: TakeBytes): Promise<Uint8Array<ArrayBuffer>>;
}
