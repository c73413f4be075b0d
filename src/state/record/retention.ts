/** Which versions are let go. */
import { CodedError } from '../../base/index.ts';

/**
 * Bounds on what is kept of one record. The oldest versions go, each as soon as one of the bounds is exceeded. Pinned
 * versions are not counted and never go; neither does the latest, whatever the bounds say. Without a bound everything is kept.
 */
export interface Retention {
  /** Versions at most, the latest included. */
  readonly maxVersions?: number;
  /** Milliseconds since it was saved, by the clock of whoever saves. An older one goes when the next is saved, or by `prune`. */
  readonly maxAgeMs?: number;
  /** Bytes of all states together, as `sizeBytes` says, the latest included. */
  readonly maxBytes?: number;
}

/** What may be let go, or must. */
export interface Candidate {
  readonly atMs: number;
  readonly sizeBytes: number;
}

export interface Totals {
  readonly count: number;
  readonly sizeBytes: number;
}

/** @throws `state/option-invalid` */
export function checkRetention(retention: Retention): void {
  for (const option of ['maxVersions', 'maxAgeMs', 'maxBytes'] as const) {
    const value = retention[option];
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue;
    throw new CodedError('state/option-invalid', `${option} is ${value}, expected a positive integer`, {
      fields: { option, value: String(value) },
    });
  }
}

/** Whether anything can have to go, as far as the totals tell. */
export function mayExceed({ maxVersions, maxAgeMs, maxBytes }: Retention, totals: Totals): boolean {
  return (
    maxAgeMs !== undefined ||
    totals.count > (maxVersions ?? Infinity) ||
    totals.sizeBytes > (maxBytes ?? Infinity)
  );
}

/**
 * How many of the candidates go.
 * @param candidates the oldest first, without what is pinned and without the latest
 * @param totals of all that counts, the candidates and the latest included
 */
export function countExceeding(
  candidates: readonly Candidate[],
  totals: Totals,
  retention: Retention,
  nowMs: number,
): number {
  const { maxVersions = Infinity, maxAgeMs = Infinity, maxBytes = Infinity } = retention;
  let { count, sizeBytes } = totals;
  let dropped = 0;
  for (const candidate of candidates) {
    const isWithin = count <= maxVersions && sizeBytes <= maxBytes && nowMs - candidate.atMs <= maxAgeMs;
    if (isWithin) break;
    count--;
    sizeBytes -= candidate.sizeBytes;
    dropped++;
  }
  return dropped;
}
