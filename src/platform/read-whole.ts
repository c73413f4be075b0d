/** Reads a stream to its end, or to the bound of whoever reads it. */

import { joinBytes } from '../base/index.ts';

/** Told of each piece before it is kept. What it throws ends the reading, and the stream. */
export type CheckSize = (wholeBytes: number, addedBytes: number) => void;

/** All bytes of a stream, none where there is no stream. Rejects as the stream fails, or with what `check` throws. */
export async function readWhole(
  stream: ReadableStream<Uint8Array> | null,
  check: CheckSize,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  const reader = stream?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    sizeBytes += part.value.length;
    try {
      check(sizeBytes, part.value.length);
    } catch (error) {
      await reader?.cancel();
      throw error;
    }
    pieces.push(part.value);
  }
  return joinBytes(pieces);
}
