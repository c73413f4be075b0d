/** A cheap stand-in for the size of a value, to bound histories with. */

const bytesPerSlot = 8;

const isBinary = (value: object): value is ArrayBuffer | ArrayBufferView =>
  ArrayBuffer.isView(value) || value instanceof ArrayBuffer;

/** What an object holds, names included. */
function heldBy(value: object): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value instanceof Map) return [...value].flat(1);
  if (value instanceof Set) return [...value];
  return Object.entries(value).flat(1);
}

/** 8 for each value, 2 for each character, the bytes of buffers; what is shared or cyclic counts once. */
export function estimateBytes(value: unknown): number {
  if (typeof value === 'number') return bytesPerSlot;
  const rest: unknown[] = [value];
  const seen = new Set<object>();
  let bytes = 0;
  while (rest.length > 0) {
    const next = rest.pop();
    bytes += typeof next === 'string' ? 2 * next.length : bytesPerSlot;
    if (typeof next !== 'object' || next === null || seen.has(next)) continue;
    seen.add(next);
    if (isBinary(next)) bytes += next.byteLength;
    else if (typeof Blob !== 'undefined' && next instanceof Blob) bytes += next.size;
    else for (const held of heldBy(next)) rest.push(held);
  }
  return bytes;
}
