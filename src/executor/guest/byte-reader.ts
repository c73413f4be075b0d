/** Reads a module's bytes. Everything in them is a guest's: whatever does not fit is {@link ModuleFault}. */

/** Why a module is not run. */
export class ModuleFault extends Error {
  /** `memory`: it asks for more than it may have. `form`: it is broken, or of a kind that is not taken. */
  readonly kind: 'memory' | 'form';

  constructor(kind: 'memory' | 'form', message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Of a 32-bit number in LEB128. */
const longestNumberBytes = 5;

export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, start: number = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get isAtEnd(): boolean {
    return this.at >= this.end;
  }

  byte(): number {
    const byte = this.at < this.end ? this.bytes[this.at] : undefined;
    if (byte === undefined) throw new ModuleFault('form', `the module ends early, at byte ${this.at}`);
    this.at += 1;
    return byte;
  }

  /** An unsigned 32-bit number in LEB128. */
  number(): number {
    let value = 0;
    for (let index = 0; index < longestNumberBytes; index += 1) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** (7 * index);
      if ((byte & 0x80) === 0) {
        if (value < 2 ** 32) return value;
        break;
      }
    }
    throw new ModuleFault('form', `a number is too long, before byte ${this.at}`);
  }

  skip(count: number): void {
    if (count > this.end - this.at)
      throw new ModuleFault('form', `the module ends early, at byte ${this.end}`);
    this.at += count;
  }

  name(): string {
    const length = this.number();
    const start = this.at;
    this.skip(length);
    return new TextDecoder().decode(this.bytes.subarray(start, this.at));
  }

  /** A reader of the next `count` bytes, which are skipped here. */
  part(count: number): ByteReader {
    const start = this.at;
    this.skip(count);
    return new ByteReader(this.bytes, start, this.at);
  }
}
