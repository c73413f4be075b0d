/** Rewrites a module so that the engine itself keeps its memory and tables within bounds: no guest can undo it. */
import { joinBytes } from '../../../../base/index.ts';
import { sectionIds, wasmPageBytes, writeNumber } from '../../../wasm-format.ts';
import { ModuleFault } from '../../../guest/byte-reader.ts';
import { writeSection } from './byte-writer.ts';
import type { Bytes } from './byte-writer.ts';
import type { ModuleShape, Range, TableShape } from './module-shape.ts';

/** What an element of a table is counted as; together they may take an eighth of the memory's bound. */
const elementBytes = 8;
const tableShare = 8;

/** What the engine is given in the place of an imported memory, and how far tables may grow. */
export interface ModuleBounds {
  readonly memoryBytes: number;
}

/** Pages that a memory of the module may have; throws {@link ModuleFault} when it starts with more. */
export function capRange(range: Range, memoryBytes: number): { initial: number; maximum: number } {
  const allowed = Math.floor(memoryBytes / wasmPageBytes);
  if (range.initial > allowed) {
    throw new ModuleFault('memory', `it starts with ${range.initial} pages, ${allowed} are allowed`);
  }
  return { initial: range.initial, maximum: Math.min(range.maximum ?? allowed, allowed) };
}

function tableLimit(tables: readonly TableShape[], memoryBytes: number): number {
  const allowed = Math.floor(memoryBytes / tableShare / elementBytes);
  const initial = tables.reduce((sum, table) => sum + table.initial, 0);
  if (initial > allowed) {
    throw new ModuleFault('memory', `its tables start with ${initial} elements, ${allowed} are allowed`);
  }
  return Math.floor((allowed - initial) / Math.max(1, tables.length));
}

const limitsOf = (initial: number, maximum: number): readonly number[] => [
  1,
  ...writeNumber(initial),
  ...writeNumber(maximum),
];

/** A maximum below the initial size stays as it is: the engine refuses it. */
function capTables(tables: readonly TableShape[], memoryBytes: number): readonly Bytes[] {
  const growth = tableLimit(tables, memoryBytes);
  const entries = tables.map(({ element, initial, maximum }) => [
    element,
    ...limitsOf(initial, Math.min(maximum ?? initial + growth, initial + growth)),
  ]);
  return writeSection(sectionIds.table, entries.length, entries);
}

/**
 * A copy of the module in which its memory may grow to `memoryBytes`, rounded down to pages, and its tables to an eighth of that.
 * Throws {@link ModuleFault} when it starts with more.
 */
export function capModule(shape: ModuleShape, { memoryBytes }: ModuleBounds): Uint8Array<ArrayBuffer> {
  if (shape.importedMemory) capRange(shape.importedMemory, memoryBytes);
  const parts: Bytes[] = [shape.bytes.subarray(0, 8)];
  for (const { id, start, end } of shape.sections) {
    if (id === sectionIds.memory && shape.memory) {
      const { initial, maximum } = capRange(shape.memory, memoryBytes);
      parts.push(...writeSection(sectionIds.memory, 1, [limitsOf(initial, maximum)]));
    } else if (id === sectionIds.table) {
      parts.push(...capTables(shape.tables, memoryBytes));
    } else {
      parts.push(shape.bytes.subarray(start, end));
    }
  }
  return joinBytes(parts);
}
