/**
 * Walks over the instructions of a function's body, so far as its loops can be found.
 * The forms are those of the WebAssembly core specification, 3.0, chapter 5.4.
 */
import { ModuleFault } from '../../../guest/byte-reader.ts';
import type { ByteReader } from '../../../guest/byte-reader.ts';

/** Of a 64-bit number in LEB128. */
const longestSignedBytes = 10;
/** A memory's number follows the alignment. */
const hasMemoryIndex = 0x40;

export const loopOpcode = 0x03;

type Skip = (reader: ByteReader) => void;

const none: Skip = () => undefined;
const index: Skip = (reader) => void reader.number();
const twoIndices: Skip = (reader) => [index, index].forEach((skip) => skip(reader));
const bytes =
  (count: number): Skip =>
  (reader) =>
    reader.skip(count);

const signed: Skip = (reader) => {
  for (let read = 0; read < longestSignedBytes; read += 1) if ((reader.byte() & 0x80) === 0) return;
  throw new ModuleFault('form', `a number is too long, before byte ${reader.at}`);
};

const valueType: Skip = (reader) => {
  const form = reader.byte();
  // a reference is followed by what it refers to
  if (form === 0x63 || form === 0x64) signed(reader);
};

/** Nothing, one value, or the number of a type. */
const blockType: Skip = (reader) => {
  const form = reader.byte();
  if (form === 0x63 || form === 0x64) return signed(reader);
  if ((form & 0x80) === 0) return;
  reader.at -= 1;
  signed(reader);
};

const memoryArgument: Skip = (reader) => {
  if ((reader.number() & hasMemoryIndex) !== 0) reader.number();
  // an offset may have 64 bits
  signed(reader);
};

const list =
  (skip: Skip): Skip =>
  (reader) => {
    for (let left = reader.number(); left > 0; left -= 1) skip(reader);
  };

const sequence =
  (...skips: readonly Skip[]): Skip =>
  (reader) => {
    for (const skip of skips) skip(reader);
  };

/** A clause of `try_table`: two of its four forms name a tag. */
const catchClause: Skip = (reader) => {
  if (reader.byte() < 2) reader.number();
  reader.number();
};

const branchOnCast = sequence(bytes(1), index, signed, signed);

const prefixed =
  (find: (code: number) => Skip | undefined): Skip =>
  (reader) => {
    const code = reader.number();
    const skip = find(code);
    if (!skip) throw unknownInstruction(code, reader.at);
    skip(reader);
  };

/** Of references; values that live outside the memory are not taken at all. */
const references = prefixed((code) => {
  if (code >= 20 && code <= 23) return signed;
  if (code === 24 || code === 25) return branchOnCast;
  return code >= 26 && code <= 30 ? none : undefined;
});

const bulk = prefixed((code) => {
  if (code < 8) return none;
  if ([8, 10, 12, 14].includes(code)) return twoIndices;
  return code <= 17 ? index : undefined;
});

const vectors = prefixed((code) => {
  if (code <= 11 || code === 92 || code === 93) return memoryArgument;
  if (code === 12 || code === 13) return bytes(16);
  if (code >= 21 && code <= 34) return bytes(1);
  if (code >= 84 && code <= 91) return sequence(memoryArgument, bytes(1));
  return none;
});

const atomics = prefixed((code) => (code === 3 ? bytes(1) : memoryArgument));

/** Those with something behind them; the others up to {@link lastPlain} have nothing. */
const skips: Readonly<Record<number, Skip>> = {
  0x02: blockType,
  [loopOpcode]: blockType,
  0x04: blockType,
  0x06: blockType,
  0x07: index,
  0x08: index,
  0x09: index,
  0x0c: index,
  0x0d: index,
  0x0e: sequence(list(index), index),
  0x10: index,
  0x11: twoIndices,
  0x12: index,
  0x13: twoIndices,
  0x14: index,
  0x15: index,
  0x18: index,
  0x1c: list(valueType),
  0x1f: sequence(blockType, list(catchClause)),
  ...Object.fromEntries(range(0x20, 0x26).map((code) => [code, index])),
  ...Object.fromEntries(range(0x28, 0x3e).map((code) => [code, memoryArgument])),
  0x3f: index,
  0x40: index,
  0x41: signed,
  0x42: signed,
  0x43: bytes(4),
  0x44: bytes(8),
  0xd0: signed,
  0xd1: none,
  0xd2: index,
  0xd3: none,
  0xd4: none,
  0xd5: index,
  0xd6: index,
  0xfb: references,
  0xfc: bulk,
  0xfd: vectors,
  0xfe: atomics,
};
const lastPlain = 0xc4;

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, offset) => from + offset);
}

function unknownInstruction(code: number, at: number): ModuleFault {
  return new ModuleFault(
    'form',
    `the instruction 0x${code.toString(16)}, before byte ${at}, is not one that fuel is counted of`,
  );
}

/** Goes behind the next instruction, and says which it is. Throws {@link ModuleFault}. */
export function skipInstruction(reader: ByteReader): number {
  const opcode = reader.byte();
  const skip = skips[opcode] ?? (opcode <= lastPlain ? none : undefined);
  if (!skip) throw unknownInstruction(opcode, reader.at);
  skip(reader);
  return opcode;
}
