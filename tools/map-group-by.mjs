// Vitest 5 reports failures with Map.groupBy, which Node 20 does not have.
/** @type {any} */ (Map).groupBy ??= (
  /** @type {Iterable<unknown>} */ items,
  /** @type {(item: unknown, index: number) => unknown} */ keyOf,
) => {
  const groups = new Map();
  let index = 0;
  for (const item of items) {
    const key = keyOf(item, index++);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
};
