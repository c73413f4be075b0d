/** An answer to a tool's call as one block of bytes: how many buffers, their lengths, the JSON text's length; then the text, then the buffers. */
import { joinBytes } from '../../base/index.ts';

/** As the guest reads it. */
export interface ToolAnswer {
  /** JSON in UTF-8: `{ "value": tree }`, written as `value-codec.ts` says, or `{ "code": …, "message": … }`. */
  readonly text: Uint8Array<ArrayBuffer>;
  /** What the tree names. */
  readonly buffers: readonly Uint8Array<ArrayBuffer>[];
}

const cellBytes = Uint32Array.BYTES_PER_ELEMENT;

/** One block, so that it crosses shared memory and ports alike. */
export function packAnswer(json: string, buffers: readonly ArrayBuffer[]): Uint8Array<ArrayBuffer> {
  const parts = [new TextEncoder().encode(json), ...buffers.map((buffer) => new Uint8Array(buffer))];
  const header = new Uint32Array([parts.length, ...parts.map((part) => part.length)]);
  return joinBytes([new Uint8Array(header.buffer), ...parts]);
}

/** The inverse of {@link packAnswer}. */
export function unpackAnswer(block: Uint8Array<ArrayBuffer>): ToolAnswer {
  const count = new Uint32Array(block.slice(0, cellBytes).buffer)[0] ?? 0;
  const lengths = new Uint32Array(block.slice(cellBytes, cellBytes * (count + 1)).buffer);
  let offset = cellBytes * (count + 1);
  const [text = new Uint8Array(), ...buffers] = [...lengths].map((length) => {
    const part = block.slice(offset, offset + length);
    offset += length;
    return part;
  });
  return { text, buffers };
}
