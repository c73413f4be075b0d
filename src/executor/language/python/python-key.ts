/** Which keys Python takes for one and the same. */

/**
 * The same text for keys that are equal in Python (`1`, `True` and `1.0`; lists and bytes by what is in them), or nothing for what cannot be a key
 * there: dicts, sets and arrays of numbers.
 */
export function pythonKey(key: unknown): string | undefined {
  if (typeof key === 'string') return `s${JSON.stringify(key)}`;
  if (typeof key === 'boolean') return `n${Number(key)}`;
  if (typeof key === 'number') return `n${Number.isInteger(key) ? BigInt(key) : key}`;
  if (typeof key !== 'object' || key === null) return `n${String(key)}`;
  if (key instanceof Date) return `d${key.getTime()}`;
  if (key instanceof Uint8Array) return `b${key.join()}`;
  if (!Array.isArray(key)) return undefined;
  const parts = Array.from(key, pythonKey);
  return parts.includes(undefined) ? undefined : `[${parts.join()}]`;
}
