/** Names of packages, and of their extras. */

/** Lower case, with a single `-` for every run of `-`, `_` and `.`; source: PEP 503, and PEP 685 for extras. */
export function normalizeName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/gu, '-');
}

/** A name as packages have it. */
export function isPackageName(name: string): boolean {
  return name.length <= 255 && /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/u.test(name);
}
