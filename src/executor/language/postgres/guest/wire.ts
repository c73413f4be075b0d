/** Messages of Postgres' own protocol, version 3.0: those that are sent, and a reader of those that come. */
import { joinBytes } from '../../../../base/index.ts';

const encoder = new TextEncoder();

function bytesOf(sizeBytes: 2 | 4, value: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  const view = new DataView(bytes.buffer);
  if (sizeBytes === 2) view.setUint16(0, value);
  else view.setInt32(0, value);
  return bytes;
}

const text = (value: string): Uint8Array => encoder.encode(`${value}\0`);

function message(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = joinBytes(parts);
  return joinBytes([encoder.encode(type), bytesOf(4, body.length + 4), body]);
}

/** A parameter: its type as Postgres numbers it, 0 where Postgres is to find out, and its value as text. */
export interface Parameter {
  readonly type: number;
  readonly value: string | null;
}

/** One statement or several, without parameters. */
export const simpleQuery = (script: string): Uint8Array => message('Q', text(script));

/** One statement with its parameters, all its rows. Whoever sends it sends {@link sync} after it. */
export function extendedQuery(statement: string, parameters: readonly Parameter[]): Uint8Array {
  const count = bytesOf(2, parameters.length);
  const types = parameters.map(({ type }) => bytesOf(4, type));
  const values = parameters.flatMap(({ value }) => {
    if (value === null) return [bytesOf(4, -1)];
    const bytes = encoder.encode(value);
    return [bytesOf(4, bytes.length), bytes];
  });
  const [unnamed, allAsText] = [text(''), bytesOf(2, 0)];
  return joinBytes([
    message('P', unnamed, text(statement), count, ...types),
    message('B', unnamed, unnamed, allAsText, count, ...values, allAsText),
    message('D', encoder.encode('P'), unnamed),
    message('E', unnamed, bytesOf(4, 0)),
  ]);
}

/** Ends what an extended query began, failed or not. */
export const sync: Uint8Array = message('S');

/** What `COPY … FROM STDIN` reads. */
export const copyData = (rows: string): Uint8Array =>
  joinBytes([message('d', encoder.encode(rows)), message('c')]);

/** Nothing comes that could be copied. */
export const copyFail = (why: string): Uint8Array => message('f', text(why));

export const joinMessages: (parts: readonly Uint8Array[]) => Uint8Array = joinBytes;

const headerBytes = 5;

/** Takes messages apart that arrive in pieces. Of a message that is too long only its beginning is kept. */
export class MessageReader {
  readonly #receive: (type: string, body: Uint8Array, sizeBytes: number) => void;
  /** The most that is kept of one message. */
  maxBytes = 0;
  readonly #header = new Uint8Array(headerBytes);
  #headerFilled = 0;
  /** Of a message that has begun. */
  #body: Uint8Array | undefined;
  #bodyFilled = 0;
  #sizeBytes = 0;
  /** Of a message whose beginning was handed over: what is still to come. */
  #skipBytes = 0;

  /** @param receive gets the body, or its beginning, and how long the body is; it keeps no view of it */
  constructor(receive: (type: string, body: Uint8Array, sizeBytes: number) => void) {
    this.#receive = receive;
  }

  push(piece: Uint8Array): void {
    let rest = piece;
    while (rest.length > 0) rest = rest.subarray(this.#take(rest));
  }

  /** What was begun is forgotten. */
  reset(): void {
    this.#headerFilled = this.#skipBytes = 0;
    this.#body = undefined;
  }

  /** How many bytes were taken. */
  #take(bytes: Uint8Array): number {
    if (this.#skipBytes > 0) {
      const skipped = Math.min(this.#skipBytes, bytes.length);
      this.#skipBytes -= skipped;
      return skipped;
    }
    return this.#body ? this.#takeBody(this.#body, bytes) : this.#takeHeader(bytes);
  }

  #takeHeader(bytes: Uint8Array): number {
    const part = bytes.subarray(0, headerBytes - this.#headerFilled);
    this.#header.set(part, this.#headerFilled);
    this.#headerFilled += part.length;
    if (this.#headerFilled < headerBytes) return part.length;
    this.#sizeBytes = Math.max(0, new DataView(this.#header.buffer).getInt32(1) - 4);
    const keptBytes = Math.min(this.#sizeBytes, this.maxBytes);
    const rest = bytes.subarray(part.length);
    if (rest.length >= keptBytes) {
      this.#deliver(rest.subarray(0, keptBytes));
      return part.length + keptBytes;
    }
    this.#body = new Uint8Array(keptBytes);
    this.#bodyFilled = 0;
    return part.length;
  }

  #takeBody(body: Uint8Array, bytes: Uint8Array): number {
    const part = bytes.subarray(0, body.length - this.#bodyFilled);
    body.set(part, this.#bodyFilled);
    this.#bodyFilled += part.length;
    if (this.#bodyFilled === body.length) this.#deliver(body);
    return part.length;
  }

  #deliver(body: Uint8Array): void {
    this.#headerFilled = 0;
    this.#body = undefined;
    this.#skipBytes = this.#sizeBytes - body.length;
    this.#receive(String.fromCharCode(this.#header[0] as number), body, this.#sizeBytes);
  }
}

/** Reads a body from its beginning; what was cut off reads as nothing. */
export class BodyReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  integer(sizeBytes: 2 | 4): number {
    const at = this.#at;
    this.#at += sizeBytes;
    if (this.#at > this.#bytes.length) return 0;
    return sizeBytes === 2 ? this.#view.getInt16(at) : this.#view.getInt32(at);
  }

  bytes(sizeBytes: number): Uint8Array {
    const at = this.#at;
    this.#at += sizeBytes;
    return this.#bytes.subarray(at, at + sizeBytes);
  }

  /** Up to the next zero. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const bytes = this.#bytes.subarray(this.#at, end < 0 ? undefined : end);
    this.#at += bytes.length + 1;
    return new TextDecoder().decode(bytes);
  }
}

/** What Postgres says of an error or a notice; field codes as the protocol has them. */
export interface Report {
  readonly severity: string;
  /** SQLSTATE, five characters. */
  readonly code: string;
  readonly message: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  /** In characters from 1, in the text that was sent. */
  readonly position: number | undefined;
  /** Where it happened, in Postgres' words. */
  readonly where: string | undefined;
}

export function readReport(body: Uint8Array): Report {
  const reader = new BodyReader(body);
  const fields = new Map<string, string>();
  while (reader.hasMore) {
    const [field = 0] = reader.bytes(1);
    if (field === 0) break;
    fields.set(String.fromCharCode(field), reader.text());
  }
  const position = fields.get('P');
  return {
    // the second one is never translated
    severity: fields.get('V') ?? fields.get('S') ?? '',
    code: fields.get('C') ?? '',
    message: fields.get('M') ?? '',
    detail: fields.get('D'),
    hint: fields.get('H'),
    position: position === undefined ? undefined : Number(position),
    where: fields.get('W'),
  };
}

/** A column of a result. */
export interface Field {
  readonly name: string;
  readonly type: number;
}

export function readFields(body: Uint8Array): readonly Field[] {
  const reader = new BodyReader(body);
  return Array.from({ length: reader.integer(2) }, (): Field => {
    const name = reader.text();
    // table and column that it comes from
    reader.bytes(6);
    const type = reader.integer(4);
    // size, modifier, format
    reader.bytes(8);
    return { name, type };
  });
}

/** Cells of a row, as Postgres writes them. */
export function readRow(body: Uint8Array): readonly (string | null)[] {
  const reader = new BodyReader(body);
  return Array.from({ length: reader.integer(2) }, () => {
    const sizeBytes = reader.integer(4);
    return sizeBytes < 0 ? null : new TextDecoder().decode(reader.bytes(sizeBytes));
  });
}
