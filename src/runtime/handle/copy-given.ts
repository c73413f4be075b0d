/** A copy of what a caller gave, so that it is what it was at the call. What cannot be copied is left for the port to refuse. */
export function copyGiven<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  try {
    return structuredClone(value);
  } catch {
    return value;
  }
}
