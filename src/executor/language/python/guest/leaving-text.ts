/** A text as it leaves Python: a long one as its bytes, which cross at once where a text is copied character by character. */
import type { PythonBuffer } from './tool-functions.ts';

/** Bytes that Python handed over for good. */
export interface PythonBytes extends PythonBuffer {
  destroy(): void;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function read(bytes: PythonBuffer): string {
  const view = bytes.getBuffer('u8');
  try {
    return decoder.decode(view.data);
  } finally {
    view.release();
  }
}

export function isBytes(item: unknown): item is PythonBytes {
  return typeof item === 'object' && item !== null && 'getBuffer' in item;
}

/** Of an argument, which stays Python's. What is neither text nor bytes is a guest's doing, and stays what it is. */
export function readText(leaving: unknown): unknown {
  return isBytes(leaving) ? read(leaving) : leaving;
}

/** Of an answer, which is freed. */
export function takeText(leaving: string | PythonBytes): string {
  if (typeof leaving === 'string') return leaving;
  try {
    return read(leaving);
  } finally {
    leaving.destroy();
  }
}
