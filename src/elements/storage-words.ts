/** What is said of storage: how much, how safe, and what to do when it is short. */

/** Room as the page's store sees it; `full`: the last write did not fit. */
export type StorageLevel = 'unknown' | 'ample' | 'low' | 'full';

const units = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes as people read them: 1,000 to the next unit. */
export function shownBytes(count: number): string {
  const power = Math.min(units.length - 1, count > 0 ? Math.floor(Math.log10(count) / 3) : 0);
  const maximumFractionDigits = power > 1 ? 1 : 0;
  return `${(count / 1000 ** power).toLocaleString(undefined, { maximumFractionDigits })} ${units[power]}`;
}

/** How much is used, in one line. */
export function usageWords(usageBytes: number | undefined, quotaBytes: number | undefined): string {
  if (usageBytes === undefined) return 'This browser does not say how much is used.';
  if (!quotaBytes) return `${shownBytes(usageBytes)} used.`;
  const percent = (100 * usageBytes) / quotaBytes;
  const shown = percent > 0 && percent < 1 ? 'less than 1 %' : `${Math.round(percent)} %`;
  return `${shownBytes(usageBytes)} of ${shownBytes(quotaBytes)} used, ${shown}.`;
}

/** What to do when there is little room, or none. */
export const levelAdvice: Readonly<Record<StorageLevel, string | undefined>> = {
  unknown: undefined,
  ample: undefined,
  low: 'Room is running out. Delete snapshots that you do not need, export what you want to keep, or free space in this browser’s settings.',
  full: 'There is no room left: what you change now is not kept over a reload. Delete snapshots, or free space in this browser’s settings, then repeat the change. What was kept before is safe.',
};

/** A moment for an input of date and time, in the reader's own time zone. */
export function toLocalInput(atMs: number): string {
  const date = new Date(atMs);
  const local = new Date(atMs - date.getTimezoneOffset() * 60_000);
  return Number.isNaN(local.getTime()) ? '' : local.toISOString().slice(0, 19);
}
