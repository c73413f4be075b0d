/** Caps the memory and the tables of functions of a wasm module before it is compiled: the engine enforces it and no guest can undo it. */
import { CodedError, joinBytes } from '../../base/index.ts';
import { sectionIds, wasmHeaderBytes, wasmPageBytes, writeNumber } from '../wasm-format.ts';

/** The type of an element of a table of functions. */
const functionReference = 0x70;
/** What such an element takes, roughly, outside the memory; together they may take an eighth of its bound. */
const elementBytes = 32;
const tableShare = 8;

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

/** A section: where it starts (its id), where its content does, and where it ends. */
interface Section {
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

function findSection(bytes: Uint8Array, id: number): Section | undefined {
  for (let start = wasmHeaderBytes; start < bytes.length;) {
    const [size, content] = readNumber(bytes, start + 1);
    if (bytes[start] === id) return { start, content, end: content + size };
    start = content + size;
  }
  return undefined;
}

/** In exactly so many bytes: a number may have zeros that it does not need. */
function writePadded(value: number, width: number): readonly number[] | undefined {
  const shortest = writeNumber(value);
  const missing = width - shortest.length;
  if (missing <= 0) return missing === 0 ? shortest : undefined;
  const open = shortest.map((byte) => byte | 0x80);
  return [...open, ...Array.from({ length: missing - 1 }, () => 0x80), 0];
}

/** Bytes that are put in the place of others. */
interface Change {
  readonly start: number;
  readonly end: number;
  readonly bytes: readonly number[];
}

const sectionOf = (id: number, body: readonly number[]): readonly number[] => [
  id,
  ...writeNumber(body.length),
  ...body,
];

/** The memory may grow to so many pages; where the section is as long with that, only the number is written. */
function boundMemory(bytes: Uint8Array, { start, content, end }: Section, maxBytes: number): Change {
  const [count, flagsAt] = readNumber(bytes, content);
  const flags = bytes[flagsAt] ?? -1;
  if (count !== 1 || flags < 0 || flags > 1) throw invalid('expected one memory of the plain kind');
  const [initialPages, initialEnd] = readNumber(bytes, flagsAt + 1);
  const pages = Math.floor(maxBytes / wasmPageBytes);
  if (initialPages > pages) throw invalid(`it starts with ${initialPages} pages, ${pages} are allowed`);
  const padded = flags === 1 ? writePadded(pages, end - initialEnd) : undefined;
  if (padded) return { start: initialEnd, end, bytes: padded };
  const body = [1, 1, ...writeNumber(initialPages), ...writeNumber(pages)];
  return { start, end, bytes: sectionOf(sectionIds.memory, body) };
}

interface Table {
  readonly type: number;
  readonly initial: number;
  readonly maximum: number | undefined;
  readonly end: number;
}

function readTable(bytes: Uint8Array, start: number): Table {
  const [type, flags] = [bytes[start], bytes[start + 1]];
  if (type === undefined || flags === undefined || flags > 1) {
    throw invalid('its tables are not of the plain kind');
  }
  const [initial, initialEnd] = readNumber(bytes, start + 2);
  const [maximum, end] = flags === 1 ? readNumber(bytes, initialEnd) : [undefined, initialEnd];
  return { type, initial, maximum, end };
}

/** A table of functions without a bound gets one: a library that an interpreter loads could grow it as it likes. */
function boundTables(bytes: Uint8Array, { start, content, end }: Section, maxBytes: number): Change {
  const room = Math.floor(maxBytes / tableShare / elementBytes);
  let [left, at] = readNumber(bytes, content);
  const body = [...writeNumber(left)];
  for (; left > 0 && at < end; left -= 1) {
    const table = readTable(bytes, at);
    const { type, initial } = table;
    const maximum = table.maximum ?? (type === functionReference ? initial + room : undefined);
    body.push(type, maximum === undefined ? 0 : 1, ...writeNumber(initial));
    if (maximum !== undefined) body.push(...writeNumber(maximum));
    at = table.end;
  }
  return { start, end, bytes: sectionOf(sectionIds.table, body) };
}

/** `wasm` itself where nothing changes its length. @param changes in the order of their places */
function apply(wasm: ArrayBuffer, changes: readonly Change[]): ArrayBuffer {
  const bytes = new Uint8Array(wasm);
  if (changes.every(({ start, end, bytes: { length } }) => length === end - start)) {
    for (const { start, bytes: changed } of changes) bytes.set(changed, start);
    return wasm;
  }
  const parts = changes.flatMap(({ start, bytes: changed }, index) => [
    bytes.subarray(changes[index - 1]?.end ?? 0, start),
    Uint8Array.from(changed),
  ]);
  return joinBytes([...parts, bytes.subarray(changes.at(-1)?.end)]).buffer;
}

/**
 * `wasm` with its only memory bound: it may not grow beyond `maxBytes`, rounded down to pages of 64 KiB. Its tables of functions get a bound where
 * they have none: what they grow by takes about an eighth of that. Where all of it is as long as before, `wasm` itself is changed, and the answer;
 * otherwise the answer is a copy.
 * Throws `executor/wasm-invalid` for anything else than one unshared 32-bit memory, or when it starts larger than that.
 */
export function capWasmMemory(wasm: ArrayBuffer, maxBytes: number): ArrayBuffer {
  const bytes = new Uint8Array(wasm);
  if (bytes.length < wasmHeaderBytes || String.fromCharCode(...bytes.subarray(0, 4)) !== '\0asm') {
    throw invalid('it is not wasm');
  }
  const memory = findSection(bytes, sectionIds.memory);
  if (!memory) throw invalid('it defines no memory');
  const tables = findSection(bytes, sectionIds.table);
  const changes = tables ? [boundTables(bytes, tables, maxBytes)] : [];
  return apply(wasm, [...changes, boundMemory(bytes, memory, maxBytes)]);
}
