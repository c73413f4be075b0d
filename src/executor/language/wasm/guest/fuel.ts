/**
 * Rewrites a module so that it counts what it does and stops when that is used up: the same module with the same input stops at the same
 * place on every machine. Each call of a function, and each round of a loop, pays for the instructions that are written in it; one that fills or
 * copies costs no more than another, however long it is.
 */
import { joinBytes } from '../../../../base/index.ts';
import { sectionIds, writeNumber } from '../../../wasm-format.ts';
import { ModuleFault } from '../../../guest/byte-reader.ts';
import type { ByteReader } from '../../../guest/byte-reader.ts';
import { lengthOf, writeSection, writeSigned } from './byte-writer.ts';
import type { Bytes } from './byte-writer.ts';
import { loopOpcode, skipInstruction } from './instructions.ts';
import type { ModuleShape, Section } from './module-shape.ts';

/** A module that pays. */
export interface FuelledModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The exported global that says what is left; below 0 the module has stopped for it. */
  readonly fuelName: string;
  /** The exported function that was its start: nobody could see what is left of a module that stops while it is instantiated. */
  readonly startName: string | undefined;
}

/** Behind these a section of globals comes. */
const beforeGlobals: ReadonlySet<number> = new Set([0, 1, 2, 3, 4, 5, 13]);
const replaced: ReadonlySet<number> = new Set([sectionIds.global, sectionIds.export, sectionIds.start]);
const mutableI64 = [0x7e, 0x01] as const;
const functionExport = 0;
const globalExport = 3;

/** Takes `cost` from the global, and traps when less than nothing is left. The stack stays as it was. */
function payment(global: number, cost: number): readonly number[] {
  const at = writeNumber(global);
  const take = [0x23, ...at, 0x42, ...writeSigned(cost), 0x7d, 0x24, ...at];
  const trapBelowZero = [0x23, ...at, 0x42, 0x00, 0x53, 0x04, 0x40, 0x00, 0x0b];
  return take.concat(trapBelowZero);
}

/** Where something is paid, and for how many instructions. */
interface Toll {
  readonly at: number;
  cost: number;
}

/** One toll at the start, and one in each loop. */
function tollsOf(body: ByteReader): readonly Toll[] {
  const start: Toll = { at: body.at, cost: 0 };
  const tolls = [start];
  // one per block that is open; a block that is no loop shares its outer toll
  const open: Toll[] = [start];
  while (!body.isAtEnd) {
    const opcode = skipInstruction(body);
    const current = open.at(-1);
    if (!current) throw new ModuleFault('form', `a function goes on behind its end, at byte ${body.at}`);
    current.cost += 1;
    if (opcode === loopOpcode) {
      const toll: Toll = { at: body.at, cost: 0 };
      tolls.push(toll);
      open.push(toll);
    } else if (opensBlock(opcode)) open.push(current);
    else if (endsBlock(opcode)) open.pop();
  }
  return tolls;
}

/** `block`, `if`, `try`, `try_table`. */
const opensBlock = (opcode: number): boolean => [0x02, 0x04, 0x06, 0x1f].includes(opcode);
/** `end`, `delegate`. */
const endsBlock = (opcode: number): boolean => opcode === 0x0b || opcode === 0x18;

function skipLocals(reader: ByteReader): void {
  for (let left = reader.number(); left > 0; left -= 1) {
    reader.number();
    const form = reader.byte();
    if (form === 0x63 || form === 0x64) reader.number();
  }
}

function payingBody(body: ByteReader, global: number): readonly Bytes[] {
  const parts: Bytes[] = [];
  let copied = body.at;
  skipLocals(body);
  for (const { at, cost } of tollsOf(body)) {
    parts.push(body.bytes.subarray(copied, at), payment(global, cost));
    copied = at;
  }
  parts.push(body.bytes.subarray(copied, body.end));
  return [writeNumber(lengthOf(parts)), ...parts];
}

function payingCode(section: Section, global: number): readonly Bytes[] {
  const reader = section.open();
  const count = reader.number();
  const bodies = Array.from({ length: count }, () => payingBody(reader.part(reader.number()), global));
  return writeSection(sectionIds.code, count, bodies.flat());
}

/** The section with these at its end. */
function longer(id: number, section: Section | undefined, entries: readonly Bytes[]): readonly Bytes[] {
  if (!section) return writeSection(id, entries.length, entries);
  const reader = section.open();
  const count = reader.number();
  return writeSection(id, count + entries.length, [reader.bytes.subarray(reader.at, reader.end), ...entries]);
}

function exportOf(name: string, kind: number, index: number): Bytes {
  const bytes = new TextEncoder().encode(name);
  return [...writeNumber(bytes.length), ...bytes, kind, ...writeNumber(index)];
}

/** As it is: a module that names the counter, which it has not got yet, would be valid once it has. */
function requireValid(bytes: Uint8Array): void {
  void new WebAssembly.Module(Uint8Array.from(bytes));
}

/** A name that the module exports nothing by. */
function unusedName({ exportNames }: ModuleShape, wanted: string): string {
  let name = wanted;
  while (exportNames.has(name)) name += '_';
  return name;
}

/** @param fuel an integer; what the module begins with. Throws {@link ModuleFault}, and what the engine has against the module. */
export function fuelModule(shape: ModuleShape, fuel: number): FuelledModule {
  requireValid(shape.bytes);
  const fuelName = unusedName(shape, 'fuel');
  const startName = shape.start === undefined ? undefined : unusedName(shape, 'start');
  const exports = [exportOf(fuelName, globalExport, shape.globals)];
  if (startName !== undefined) exports.push(exportOf(startName, functionExport, shape.start as number));
  const find = (id: number): Section | undefined => shape.sections.find((section) => section.id === id);
  const added = [
    ...longer(sectionIds.global, find(sectionIds.global), [
      [...mutableI64, 0x42, ...writeSigned(fuel), 0x0b],
    ]),
    ...longer(sectionIds.export, find(sectionIds.export), exports),
  ];
  const isBefore = ({ id }: Section): boolean => beforeGlobals.has(id);
  const split = shape.sections.findIndex((section) => !isBefore(section));
  const before = split < 0 ? shape.sections : shape.sections.slice(0, split);
  const behind = shape.sections.slice(before.length).filter(({ id }) => !replaced.has(id));
  const copy = ({ start, end }: Section): Bytes => shape.bytes.subarray(start, end);
  const bytes = joinBytes([
    shape.bytes.subarray(0, 8),
    ...before.map(copy),
    ...added,
    ...behind.flatMap((section) =>
      section.id === sectionIds.code ? payingCode(section, shape.globals) : [copy(section)],
    ),
  ]);
  return { bytes, fuelName, startName };
}
