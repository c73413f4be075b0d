/** Writes a module's bytes. */
import { writeNumber } from '../../../wasm-format.ts';

/** A piece of a module. */
export type Bytes = readonly number[] | Uint8Array;

/** A number as signed LEB128. */
export function writeSigned(value: number): readonly number[] {
  const low = ((value % 0x80) + 0x80) % 0x80;
  const rest = (value - low) / 0x80;
  const isLast = (rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40);
  return isLast ? [low] : [low | 0x80, ...writeSigned(rest)];
}

export function lengthOf(parts: readonly Bytes[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

/** A section of so many entries. */
export function writeSection(id: number, count: number, entries: readonly Bytes[]): readonly Bytes[] {
  const body = [writeNumber(count), ...entries];
  return [[id, ...writeNumber(lengthOf(body))], ...body];
}
