/** Caps the memory of a wasm module before it is compiled: the engine enforces it and no guest can undo it. */
import { CodedError, joinBytes } from '../../base/index.ts';
import { sectionIds, wasmHeaderBytes, wasmPageBytes, writeNumber } from '../wasm-format.ts';

function invalid(why: string): CodedError {
  return new CodedError('executor/wasm-invalid', `the interpreter's wasm cannot be capped: ${why}`, {
    fields: { why },
  });
}

/** An unsigned LEB128 number and the position after it. */
function readNumber(bytes: Uint8Array, start: number): readonly [value: number, end: number] {
  let value = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = bytes[start + index];
    if (byte === undefined) throw invalid('it ends early');
    value += (byte & 0x7f) * 2 ** (7 * index);
    if ((byte & 0x80) === 0) return [value, start + index + 1];
  }
  throw invalid('a number is too long');
}

/** Where the memory section starts (its id) and ends, and where its content starts. */
function findMemorySection(bytes: Uint8Array): { start: number; content: number; end: number } {
  for (let start = wasmHeaderBytes; start < bytes.length;) {
    const [size, content] = readNumber(bytes, start + 1);
    if (bytes[start] === sectionIds.memory) return { start, content, end: content + size };
    start = content + size;
  }
  throw invalid('it defines no memory');
}

/** In exactly so many bytes: a number may have zeros that it does not need. */
function writePadded(value: number, width: number): readonly number[] | undefined {
  const shortest = writeNumber(value);
  const missing = width - shortest.length;
  if (missing <= 0) return missing === 0 ? shortest : undefined;
  const open = shortest.map((byte) => byte | 0x80);
  return [...open, ...Array.from({ length: missing - 1 }, () => 0x80), 0];
}

/**
 * `wasm` with its only memory bound: it may not grow beyond `maxBytes`, rounded down to pages of 64 KiB. Where the module has a bound of its own
 * that is as long, `wasm` itself is changed, and the answer; otherwise the answer is a copy.
 * Throws `executor/wasm-invalid` for anything else than one unshared 32-bit memory, or when it starts larger than that.
 */
export function capWasmMemory(wasm: ArrayBuffer, maxBytes: number): ArrayBuffer {
  const bytes = new Uint8Array(wasm);
  if (bytes.length < wasmHeaderBytes || String.fromCharCode(...bytes.subarray(0, 4)) !== '\0asm') {
    throw invalid('it is not wasm');
  }
  const { start, content, end } = findMemorySection(bytes);
  const [count, flagsAt] = readNumber(bytes, content);
  const flags = bytes[flagsAt] ?? -1;
  if (count !== 1 || flags < 0 || flags > 1) throw invalid('expected one memory of the plain kind');
  const [initialPages, initialEnd] = readNumber(bytes, flagsAt + 1);
  const pages = Math.floor(maxBytes / wasmPageBytes);
  if (initialPages > pages) throw invalid(`it starts with ${initialPages} pages, ${pages} are allowed`);
  const padded = flags === 1 ? writePadded(pages, end - initialEnd) : undefined;
  if (padded) {
    bytes.set(padded, initialEnd);
    return wasm;
  }
  const body = [1, 1, ...writeNumber(initialPages), ...writeNumber(pages)];
  const section = [sectionIds.memory, ...writeNumber(body.length), ...body];
  return joinBytes([bytes.subarray(0, start), section, bytes.subarray(end)]).buffer;
}
