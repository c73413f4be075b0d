/** What versions are called: four strategies. The sequence number orders them, whatever they are called. */
import { CodedError } from '../../base/index.ts';
import { recordLimits } from '../limits.ts';
import type { RecordHead } from './head.ts';

/**
 * How versions are named.
 *
 * - `incremental`: the sequence number, `1`, `2`, …
 * - `timestamp`: the time of the save in ISO 8601, UTC, with milliseconds; later than every one before, even when the clock
 *   goes backwards or stands still
 * - `semantic`: `major.minor.patch` (https://semver.org), raised by `bump` or given as `version`
 * - `content-hash`: SHA-256 in hex of the state's canonical bytes; saving what a kept version holds makes no second
 *   record, and makes that version the latest again, with the metadata of this save if it has any, and pinned if it says so
 */
export type Versioning = 'incremental' | 'timestamp' | 'semantic' | 'content-hash';

/** Which number of a semantic version is raised. */
export type VersionBump = 'major' | 'minor' | 'patch';

export interface VersionRequest {
  /** For `semantic`: what is raised; default `patch`. The first version is raised from 0.0.0. */
  readonly bump?: VersionBump;
  /** For `semantic`: the version itself; one that is not taken. */
  readonly version?: string;
}

/** The last moment that ISO 8601 writes with four digits for the year: with more, texts are not in order of time. */
const maxStampMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const number = '(0|[1-9]\\d*)';
const preReleasePart = '(?:0|[1-9]\\d*|\\d*[a-zA-Z-][\\da-zA-Z-]*)';
const semantic = new RegExp(
  `^${number}\\.${number}\\.${number}(-${preReleasePart}(?:\\.${preReleasePart})*)?(?:\\+[\\da-zA-Z-]+(?:\\.[\\da-zA-Z-]+)*)?$`,
);

interface SemanticVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly isPreRelease: boolean;
}

function versionInvalid(version: string, expected: string): CodedError {
  const shown = version.slice(0, recordLimits.maxVersionLength);
  return new CodedError('state/version-invalid', `the version "${shown}" is not ${expected}`, {
    fields: { version: shown, expected },
  });
}

function parseSemantic(version: string): SemanticVersion {
  // callers without types
  const text: unknown = version;
  const expected = `a semantic version of at most ${recordLimits.maxVersionLength} characters`;
  if (typeof text !== 'string' || text.length > recordLimits.maxVersionLength) {
    throw versionInvalid(String(text), expected);
  }
  const match = semantic.exec(text);
  const [major, minor, patch] = [1, 2, 3].map((group) => Number(match?.[group] ?? Number.NaN));
  if (![major, minor, patch].every(Number.isSafeInteger)) throw versionInvalid(text, expected);
  return { major, minor, patch, isPreRelease: match?.[4] !== undefined } as SemanticVersion;
}

/** A pre-release comes before the version that it prepares: raising it drops what marks it as one. */
function bumped({ major, minor, patch, isPreRelease }: SemanticVersion, bump: VersionBump): string {
  switch (bump) {
    case 'major':
      return `${major + (isPreRelease && minor === 0 && patch === 0 ? 0 : 1)}.0.0`;
    case 'minor':
      return `${major}.${minor + (isPreRelease && patch === 0 ? 0 : 1)}.0`;
    case 'patch':
      return `${major}.${minor}.${patch + (isPreRelease ? 0 : 1)}`;
    default:
      throw versionInvalid(String(bump), 'raised by major, minor or patch');
  }
}

function nextStampMs(head: RecordHead, nowMs: number): number {
  const stampMs = Math.max(nowMs, head.stampMs + 1);
  // also for a clock that is no number
  if (stampMs >= 0 && stampMs <= maxStampMs) return stampMs;
  throw versionInvalid(String(stampMs), 'a time between the years 1970 and 9999');
}

export interface NamedVersion {
  readonly version: string;
  readonly stampMs: number;
}

/**
 * What the next version is called.
 * @throws `state/version-invalid`
 */
export function nameVersion(
  versioning: Versioning,
  head: RecordHead,
  saved: { readonly nowMs: number; readonly stateChecksum: string; readonly request: VersionRequest },
): NamedVersion {
  const { nowMs, stateChecksum, request } = saved;
  const { stampMs } = head;
  if (versioning !== 'semantic' && (request.version !== undefined || request.bump !== undefined)) {
    throw versionInvalid(request.version ?? String(request.bump), `for a record with ${versioning} versions`);
  }
  switch (versioning) {
    case 'incremental':
      return { version: String(head.sequence + 1), stampMs };
    case 'timestamp': {
      const next = nextStampMs(head, nowMs);
      return { version: new Date(next).toISOString(), stampMs: next };
    }
    case 'content-hash':
      return { version: stateChecksum, stampMs };
    case 'semantic': {
      if (request.version !== undefined) parseSemantic(request.version);
      const latest = parseSemantic(head.latest?.version ?? '0.0.0');
      return { version: request.version ?? bumped(latest, request.bump ?? 'patch'), stampMs };
    }
    default:
      throw new CodedError('state/option-invalid', `there is no versioning "${String(versioning)}"`, {
        fields: { option: 'versioning', value: String(versioning) },
      });
  }
}

/** The sequence number that a version is; undefined when it is a name that must be looked up. */
export function sequenceOf(version: string | number): number | undefined {
  if (typeof version === 'number') return version;
  return /^[1-9]\d{0,11}$/.test(version) ? Number(version) : undefined;
}
