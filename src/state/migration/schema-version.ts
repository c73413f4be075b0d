/** Versions of what a state looks like: whole numbers, or semantic versions. */
import { compareVersions, isSemanticVersion } from '../../base/index.ts';

/** A whole number from 0, or a semantic version such as `1.2.0`, of which build metadata does not count. */
export type SchemaVersion = number | string;

export function isSchemaVersion(value: unknown): value is SchemaVersion {
  return typeof value === 'number' ? Number.isSafeInteger(value) && value >= 0 : isSemanticVersion(value);
}

/** The same for versions that are the same. */
export function keyOfVersion(version: SchemaVersion): string {
  return typeof version === 'number' ? String(version) : (version.split('+')[0] as string);
}

/** Below 0 when `a` comes before `b`. Both are numbers, or both are texts. */
export function compareSchemaVersions(a: SchemaVersion, b: SchemaVersion): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : compareVersions(String(a), String(b));
}
