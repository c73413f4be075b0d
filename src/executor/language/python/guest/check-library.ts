/** Reads a library of machine code before the engine sees it. */
import { ByteReader, ModuleFault } from '../../../guest/byte-reader.ts';
import { wasmHeaderBytes } from '../../../wasm-format.ts';

/** What a library may say. */
export interface LibraryRules {
  /** JavaScript that it carries for the loader, which would evaluate it. */
  readonly allowsScripts: boolean;
}

const functionForm = 0x60;
/** A reference that says to what. */
const typedReferences = { nullable: 0x63, plain: 0x64 } as const;
const bytesOf = (text: string): readonly number[] => Array.from(text, (sign) => sign.charCodeAt(0));
/** Names under which the loader looks for JavaScript. */
const scriptNames = ['__em_js__', '__start_em_js', '__start_em_asm', '__stop_em_asm'].map(bytesOf);

const refused = (what: string): ModuleFault => new ModuleFault('form', `the library is not taken: ${what}`);

// A guest may have changed every method of the language's own objects: below nothing is called but what is ours, and nothing iterated.

function skipName(reader: ByteReader): void {
  reader.skip(reader.number());
}

function skipValueType(reader: ByteReader): void {
  const type = reader.byte();
  if (type === typedReferences.nullable || type === typedReferences.plain) reader.number();
}

/** Objects of other types live outside the memory. */
function checkTypes(reader: ByteReader): void {
  for (let left = reader.number(); left > 0; left -= 1) {
    if (reader.byte() !== functionForm) throw refused('it has types other than functions');
    for (let values = reader.number(); values > 0; values -= 1) skipValueType(reader);
    for (let values = reader.number(); values > 0; values -= 1) skipValueType(reader);
  }
}

function skipRange(reader: ByteReader): void {
  const flags = reader.byte();
  if (flags > 1) throw refused('it wants a memory or table that is shared, or of 64 bits');
  reader.number();
  if (flags === 1) reader.number();
}

/** What it is given is the interpreter's, which has its bounds. */
function checkImports(reader: ByteReader): void {
  for (let left = reader.number(); left > 0; left -= 1) {
    skipName(reader);
    skipName(reader);
    const kind = reader.byte();
    // a function, a table, a memory, a global, an exception
    if (kind === 0) reader.number();
    else if (kind === 1) {
      skipValueType(reader);
      skipRange(reader);
    } else if (kind === 2) skipRange(reader);
    else if (kind === 3) {
      skipValueType(reader);
      reader.byte();
    } else if (kind === 4) {
      reader.byte();
      reader.number();
    } else throw refused('it wants something of a kind that is not known');
  }
}

function startsWith(bytes: Uint8Array, at: number, name: readonly number[]): boolean {
  for (let index = 0; index < name.length; index += 1) if (bytes[at + index] !== name[index]) return false;
  return true;
}

function checkExports(reader: ByteReader): void {
  for (let left = reader.number(); left > 0; left -= 1) {
    const length = reader.number();
    for (let index = 0; index < scriptNames.length; index += 1) {
      const name = scriptNames[index] as readonly number[];
      if (length >= name.length && startsWith(reader.bytes, reader.at, name)) {
        throw refused('it carries JavaScript');
      }
    }
    reader.skip(length);
    reader.byte();
    reader.number();
  }
}

function checkNone(reader: ByteReader, what: string): void {
  if (reader.number() > 0) throw refused(`it has ${what} of its own`);
}

/**
 * Throws {@link ModuleFault} for a module with a memory, a table, objects or exceptions of its own: the bound on the interpreter's memory would not
 * hold for them. What compilers make uses the interpreter's.
 * @param bytes which nobody else can change
 * @param sizeBytes of all of them
 */
export function checkLibrary(bytes: Uint8Array, sizeBytes: number, rules: LibraryRules): void {
  const reader = new ByteReader(bytes, 0, sizeBytes);
  reader.skip(wasmHeaderBytes);
  while (!reader.isAtEnd) {
    const section = reader.byte();
    const content = reader.part(reader.number());
    if (section === 1) checkTypes(content);
    else if (section === 2) checkImports(content);
    else if (section === 4) checkNone(content, 'a table');
    else if (section === 5) checkNone(content, 'a memory');
    else if (section === 7 && !rules.allowsScripts) checkExports(content);
    else if (section === 13) checkNone(content, 'exceptions');
  }
}
