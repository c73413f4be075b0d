/** Facts of the binary format of WebAssembly that both sides need. Source: the WebAssembly specification, "Binary Format". */

/** One page of a memory. */
export const wasmPageBytes: number = 65_536;
/** The magic number and the version, before the first section. */
export const wasmHeaderBytes: number = 8;

/** The first byte of a section, by what is in it. */
export const sectionIds: Readonly<
  Record<'table' | 'memory' | 'global' | 'export' | 'start' | 'code', number>
> = { table: 4, memory: 5, global: 6, export: 7, start: 8, code: 10 };

/** A number as unsigned LEB128. */
export function writeNumber(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...writeNumber(Math.floor(value / 0x80))];
}
