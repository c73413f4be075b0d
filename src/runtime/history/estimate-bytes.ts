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

const bytesOf = (value: unknown): number => (typeof value === 'string' ? 2 * value.length : bytesPerSlot);

/** Of a few named texts and numbers, as most inputs and answers are; undefined for anything else. */
function estimateFlat(value: object): number | undefined {
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  let bytes = bytesPerSlot;
  for (const key of Object.keys(value)) {
    const held: unknown = Reflect.get(value, key);
    if (typeof held === 'object' && held !== null) return undefined;
    bytes += 2 * key.length + bytesOf(held);
  }
  return bytes;
}

/** 8 for each value, 2 for each character, the bytes of buffers; what is shared or cyclic counts once. */
export function estimateBytes(value: unknown): number {
  if (typeof value !== 'object' || value === null) return bytesOf(value);
  const flat = estimateFlat(value);
  if (flat !== undefined) return flat;
  const rest: unknown[] = [value];
  const seen = new Set<object>();
  let bytes = 0;
  while (rest.length > 0) {
    const next = rest.pop();
    bytes += bytesOf(next);
    if (typeof next !== 'object' || next === null || seen.has(next)) continue;
    seen.add(next);
    if (isBinary(next)) bytes += next.byteLength;
    else if (typeof Blob !== 'undefined' && next instanceof Blob) bytes += next.size;
    else for (const held of heldBy(next)) rest.push(held);
  }
  return bytes;
}
