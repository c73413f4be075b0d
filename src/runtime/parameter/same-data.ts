/** Whether two pieces of plain data hold the same. */

const isBinary = (value: object): value is ArrayBufferView => ArrayBuffer.isView(value);

function sameBytes(a: ArrayBufferView, b: ArrayBufferView): boolean {
  if (a.byteLength !== b.byteLength || a.constructor !== b.constructor) return false;
  const [left, right] = [a, b].map((view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return left?.every((byte, index) => byte === right?.[index]) ?? false;
}

function sameMembers(a: object, b: object): boolean {
  const [left, right] = [Object.entries(a), b as Readonly<Record<string, unknown>>];
  if (left.length !== Object.keys(b).length) return false;
  return left.every(([name, value]) => Object.hasOwn(right, name) && sameData(value, right[name]));
}

/** Lists, plain objects and numbers in typed arrays by content; what is anything else must be the same thing. */
export function sameData(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (isBinary(a) || isBinary(b)) return isBinary(a) && isBinary(b) && sameBytes(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  return sameMembers(a, b);
}
