/**
 * The interpreter tells whoever put a function into its table of promises that are rejected while nobody handles them. The package's build has
 * the call, and keeps the table to itself: here it is exported too, as `table`. Nothing else of the module changes.
 */
const exportSection = 7;
const tableKind = 1;

/** @param {Uint8Array} bytes @param {number} at */
function readNumber(bytes, at) {
  let value = 0;
  let end = at;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[end] ?? 0;
    end += 1;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return { value, end };
  }
}

/** @param {number} number */
function writeNumber(number) {
  const bytes = [];
  let left = number;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return [...bytes, left];
}

/** @param {Uint8Array} bytes a module with one table and a section of exports @returns {Uint8Array<ArrayBuffer>} */
export function exportTable(bytes) {
  for (let at = 8; at < bytes.length;) {
    const size = readNumber(bytes, at + 1);
    const end = size.end + size.value;
    if (bytes[at] === exportSection) {
      const count = readNumber(bytes, size.end);
      const name = new TextEncoder().encode('table');
      const entry = [name.length, ...name, tableKind, 0];
      const content = [...writeNumber(count.value + 1), ...bytes.subarray(count.end, end), ...entry];
      const section = [exportSection, ...writeNumber(content.length), ...content];
      const made = new Uint8Array(at + section.length + bytes.length - end);
      made.set(bytes.subarray(0, at));
      made.set(section, at);
      made.set(bytes.subarray(end), at + section.length);
      return made;
    }
    at = end;
  }
  throw new Error('the module exports nothing');
}
