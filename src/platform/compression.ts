/** Compression by the platform. What is inflated is bounded: a small file may claim to be a large one. */
import { CodedError, joinBytes } from '../base/index.ts';

/** `deflate` is zlib's format (RFC 1950), `deflate-raw` the same without its frame (RFC 1951), `gzip` that of RFC 1952. */
export type Compression = 'gzip' | 'deflate' | 'deflate-raw';

/** A byte inflates to 1,032 at most (RFC 1951). */
const mostInflation = 1032;
const leastPieceBytes = 4096;
const mostPieceBytes = 65_536;

/** What goes in at once: large, because each piece is a turn of the event loop, and no larger than what inflates to the bound, or to 4 MiB. */
const pieceBytesFor = (maxBytes: number): number =>
  Math.min(mostPieceBytes, Math.max(leastPieceBytes, Math.floor(maxBytes / mostInflation)));

/** Compresses with the platform's own level. */
export async function deflateBytes(bytes: Uint8Array, to: Compression): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new CompressionStream(to);
  return pump(bytes, stream, Infinity);
}

/**
 * Reverses {@link deflateBytes}, and stops as soon as there is more than `maxBytes`: at no time does it hold more than twice that and 4 MiB.
 * @throws `platform/inflate-failed` for what is damaged or cut short, `platform/inflated-too-large` (field limit)
 */
export async function inflateBytes(
  bytes: Uint8Array,
  from: Compression,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new DecompressionStream(from);
  try {
    return await pump(bytes, stream, maxBytes);
  } catch (error) {
    if (error !== tooLarge) {
      throw new CodedError('platform/inflate-failed', `the ${from} data is damaged`, { cause: error });
    }
    throw new CodedError(
      'platform/inflated-too-large',
      `the ${from} data holds more than ${maxBytes} bytes`,
      {
        fields: { limit: maxBytes },
      },
    );
  }
}

/** Thrown and caught in this file only. */
const tooLarge: unique symbol = Symbol('too large');

async function pump(
  bytes: Uint8Array,
  stream: CompressionStream | DecompressionStream,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const writer = stream.writable.getWriter();
  const reader = (stream.readable as ReadableStream<Uint8Array>).getReader();
  const feeding = feed(bytes, writer, pieceBytesFor(maxBytes));
  // what goes wrong there is seen by the reader too
  feeding.catch(() => undefined);
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > maxBytes) {
      await Promise.allSettled([reader.cancel(), writer.abort()]);
      throw tooLarge;
    }
    parts.push(part.value);
  }
  await feeding;
  return joinBytes(parts);
}

async function feed(
  bytes: Uint8Array,
  writer: WritableStreamDefaultWriter<BufferSource>,
  pieceBytes: number,
): Promise<void> {
  writer.closed.catch(() => undefined);
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    await writer.ready;
    await writer.write(bytes.slice(from, from + pieceBytes));
  }
  await writer.close();
}
