/**
 * The browser builds whatever a guest posts before the page can look at it. So a message has what it needs and nothing else, in lists, too: who hides
 * something in one is ended, and cannot do it again.
 */

/** Whether all fields of one are also those of the other. */
export function hasOnly(data: object, known: object): boolean {
  return Object.keys(data).every((name) => Object.hasOwn(known, name));
}

/** Whether it is a list of at most so many items, without holes and without names. */
export function isExactList(value: unknown, maxLength: number): value is readonly unknown[] {
  if (!Array.isArray(value) || value.length > maxLength) return false;
  return Object.keys(value).length === value.length;
}
