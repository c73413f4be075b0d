/** What a module says of itself, read before the engine sees it; and which kinds of modules are not taken. */
import { sectionIds, wasmHeaderBytes } from '../../../wasm-format.ts';
import { ByteReader, ModuleFault } from '../../../guest/byte-reader.ts';

/** Parameters and results, by the names of the text format; `ref` for any reference. */
export interface Signature {
  readonly parameters: readonly string[];
  readonly results: readonly string[];
}

/** Pages of a memory, or elements of a table. */
export interface Range {
  readonly initial: number;
  readonly maximum: number | undefined;
}

export interface TableShape extends Range {
  /** The byte of its element type. */
  readonly element: number;
}

export interface Section {
  readonly id: number;
  /** Where it begins, its id included, and where it ends. */
  readonly start: number;
  readonly end: number;
  /** Reads its content. */
  open(): ByteReader;
}

export interface ModuleShape {
  readonly bytes: Uint8Array;
  readonly sections: readonly Section[];
  /** The memory that it wants to be given. */
  readonly importedMemory: (Range & { readonly module: string; readonly name: string }) | undefined;
  readonly memory: Range | undefined;
  readonly tables: readonly TableShape[];
  /** Of its functions, the imported ones first. */
  readonly functions: readonly Signature[];
  /** Exported functions by name, as indices of `functions`. */
  readonly exports: ReadonlyMap<string, number>;
  /** Of everything that is exported. */
  readonly exportNames: ReadonlySet<string>;
  /** How many globals it has, imported ones included. */
  readonly globals: number;
  /** The index of the function that runs when it is instantiated. */
  readonly start: number | undefined;
}

const functionForm = 0x60;
const plainReferences: ReadonlySet<number> = new Set([0x70, 0x6f]);
/** An exception lives outside the memory: it must stay small. Compilers throw one pointer. */
const mostTagParameters = 8;

const typeNames: Readonly<Record<number, string>> = {
  0x7f: 'i32',
  0x7e: 'i64',
  0x7d: 'f32',
  0x7c: 'f64',
  0x7b: 'v128',
};

const refused = (what: string): ModuleFault => new ModuleFault('form', what);

/** Gathers while the sections pass by. */
class ShapeReader {
  readonly types: Signature[] = [];
  readonly functions: Signature[] = [];
  readonly tables: TableShape[] = [];
  readonly exports = new Map<string, number>();
  readonly exportNames = new Set<string>();
  globals = 0;
  start: number | undefined;
  memories = 0;
  memory: Range | undefined;
  importedMemory: ModuleShape['importedMemory'];

  read(id: number, reader: ByteReader): void {
    if (id === sectionIds.global) this.globals += reader.number();
    else if (id === sectionIds.start) this.start = reader.number();
    else this.#readEntries(id, reader);
  }

  #readEntries(id: number, reader: ByteReader): void {
    const readers: Readonly<Record<number, () => void>> = {
      1: () => this.#type(reader),
      2: () => this.#import(reader),
      3: () => this.functions.push(this.#signature(reader.number())),
      4: () => this.tables.push(this.#table(reader)),
      5: () => {
        this.memory = this.#range(reader, 'memory');
        this.#countMemory();
      },
      7: () => this.#export(reader),
      13: () => this.#tag(reader),
    };
    const readEntry = readers[id];
    if (!readEntry) return;
    for (let left = reader.number(); left > 0; left -= 1) readEntry();
    if (!reader.isAtEnd) throw refused(`section ${id} is longer than its entries`);
  }

  #type(reader: ByteReader): void {
    if (reader.byte() !== functionForm) {
      throw refused('types other than functions are not taken: such values live outside the memory');
    }
    const parameters = this.#valueTypes(reader);
    this.types.push({ parameters, results: this.#valueTypes(reader) });
  }

  #valueTypes(reader: ByteReader): readonly string[] {
    const names: string[] = [];
    for (let left = reader.number(); left > 0; left -= 1) names.push(this.#valueType(reader));
    return names;
  }

  #valueType(reader: ByteReader): string {
    const type = reader.byte();
    // a typed reference is followed by what it refers to
    if (type === 0x63 || type === 0x64) reader.number();
    return typeNames[type] ?? 'ref';
  }

  #signature(index: number): Signature {
    const signature = this.types[index];
    if (!signature) throw refused(`type ${index} does not exist`);
    return signature;
  }

  #import(reader: ByteReader): void {
    const module = reader.name();
    const name = reader.name();
    const kind = reader.byte();
    switch (kind) {
      case 0:
        this.functions.push(this.#signature(reader.number()));
        return;
      case 1:
        throw refused(`the table "${module}.${name}" cannot be imported: none is given`);
      case 2:
        this.importedMemory = { module, name, ...this.#range(reader, 'memory') };
        return this.#countMemory();
      case 3:
        this.#valueType(reader);
        reader.byte();
        this.globals += 1;
        return;
      default:
        throw refused(`"${module}.${name}" cannot be imported: nothing of its kind is given`);
    }
  }

  #countMemory(): void {
    this.memories += 1;
    if (this.memories > 1) throw refused('more than one memory is not taken');
  }

  #table(reader: ByteReader): TableShape {
    const element = reader.byte();
    if (!plainReferences.has(element)) throw refused('tables of other than plain references are not taken');
    return { element, ...this.#range(reader, 'table') };
  }

  #range(reader: ByteReader, what: 'memory' | 'table'): Range {
    const flags = reader.byte();
    if (flags > 1) throw refused(`a ${what} that is shared, of 64 bits, or of other pages is not taken`);
    const initial = reader.number();
    return { initial, maximum: flags === 1 ? reader.number() : undefined };
  }

  #export(reader: ByteReader): void {
    const name = reader.name();
    const kind = reader.byte();
    const index = reader.number();
    this.exportNames.add(name);
    if (kind === 0) this.exports.set(name, index);
  }

  #tag(reader: ByteReader): void {
    reader.byte();
    const { parameters } = this.#signature(reader.number());
    if (parameters.length > mostTagParameters) {
      throw refused(`an exception carries at most ${mostTagParameters} values`);
    }
  }
}

/** @param bytes a binary module; throws {@link ModuleFault} */
export function readModule(bytes: Uint8Array): ModuleShape {
  const magic = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  if (magic.some((byte, index) => bytes[index] !== byte)) {
    throw refused('the code is no WebAssembly module of version 1');
  }
  const shape = new ShapeReader();
  const sections: Section[] = [];
  const reader = new ByteReader(bytes, wasmHeaderBytes);
  while (!reader.isAtEnd) {
    const start = reader.at;
    const id = reader.byte();
    const content = reader.part(reader.number());
    const { at } = content;
    shape.read(id, content);
    sections.push({
      id,
      start,
      end: content.end,
      open: () => new ByteReader(bytes, at, content.end),
    });
  }
  const { functions, exports, exportNames, globals, start, tables, memory, importedMemory } = shape;
  return {
    bytes,
    sections,
    functions,
    exports,
    exportNames,
    globals,
    start,
    tables,
    memory,
    importedMemory,
  };
}
