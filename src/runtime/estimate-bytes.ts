/** A cheap stand-in for the size of a value, to bound histories with. */

const withoutJson = 1024;

/** 8 for a number, 2 for each character, the bytes of a typed array; of objects what their JSON would take. */
export function estimateBytes(value: unknown): number {
  if (typeof value === 'string') return 2 * value.length;
  if (typeof value !== 'object' || value === null) return 8;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  try {
    return 2 * (JSON.stringify(value)?.length ?? 0);
  } catch {
    return withoutJson;
  }
}
