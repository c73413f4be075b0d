/** DSPy's `save` and `load` where there are no paths: a program goes to a sink and comes from text, bytes, a blob or a stream. */
import { CodedError, isCodedError } from '../base/index.ts';
import type { DspyLoadOptions, DspyVersions } from './dspy-state.ts';
import { loadDspyState, toDspyState } from './dspy-state.ts';
import { programLimits } from './limits.ts';
import type { Module } from './module.ts';

/** A stream, such as that of a file handle, or a function that takes the bytes. */
export type SaveTarget =
  | WritableStream<Uint8Array<ArrayBuffer>>
  | ((bytes: Uint8Array<ArrayBuffer>) => unknown);

/** Text, bytes, a file that somebody picked, or the body of a response. */
export type LoadSource = string | ArrayBuffer | ArrayBufferView | Blob | ReadableStream<Uint8Array>;

/** @throws as {@link toDspyState}, and `program/save-failed` with what the sink threw as cause */
export async function saveProgram(
  module: Module,
  to: SaveTarget | undefined,
  versions: DspyVersions | undefined,
): Promise<string> {
  const text = toDspyState(module, versions);
  if (to === undefined) return text;
  const bytes = new TextEncoder().encode(text);
  try {
    if (typeof to === 'function') await to(bytes);
    else await writeAll(to, bytes);
  } catch (error) {
    if (isCodedError(error)) throw error;
    throw new CodedError('program/save-failed', 'the program could not be written', { cause: error });
  }
  return text;
}

async function writeAll(
  to: WritableStream<Uint8Array<ArrayBuffer>>,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const writer = to.getWriter();
  try {
    await writer.write(bytes);
    await writer.close();
  } finally {
    writer.releaseLock();
  }
}

/** @throws as {@link loadDspyState}, `program/state-pickled`, and `program/load-failed` with what the source threw as cause */
export async function loadProgram(
  module: Module,
  from: LoadSource,
  options: DspyLoadOptions | undefined,
): Promise<readonly string[]> {
  return loadDspyState(module, typeof from === 'string' ? from : textOf(await bytesOf(from)), options);
}

async function bytesOf(from: Exclude<LoadSource, string>): Promise<Uint8Array> {
  if (from instanceof ArrayBuffer) return new Uint8Array(from);
  if (ArrayBuffer.isView(from)) return new Uint8Array(from.buffer, from.byteOffset, from.byteLength);
  try {
    return await readAll(streamOf(from));
  } catch (error) {
    if (isCodedError(error)) throw error;
    throw new CodedError('program/load-failed', 'the program could not be read', { cause: error });
  }
}

function streamOf(from: unknown): ReadableStream<Uint8Array> {
  if (from instanceof Blob) return from.stream();
  // streams of other realms too
  if (typeof from === 'object' && from !== null && 'getReader' in from) {
    return from as ReadableStream<Uint8Array>;
  }
  throw invalid('text, bytes, a blob or a stream of bytes');
}

/** Stops at the bound, not at the end of a stream that may have none. */
async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (!(part.value instanceof Uint8Array)) throw invalid('a stream of bytes');
      sizeBytes += part.value.byteLength;
      assertSize(sizeBytes);
      chunks.push(part.value);
    }
  } catch (error) {
    await reader.cancel(error).catch(() => undefined);
    throw error;
  }
  const bytes = new Uint8Array(sizeBytes);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

function textOf(bytes: Uint8Array): string {
  assertSize(bytes.byteLength);
  assertNotPickled(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid('UTF-8 text');
  }
}

function assertSize(sizeBytes: number): void {
  const { stateCharacters } = programLimits;
  // a character of text is at least one byte of it
  if (sizeBytes > 4 * stateCharacters) throw invalid(`at most ${4 * stateCharacters} bytes`);
}

/** Pickles of protocol 2 and later begin with 0x80 and the protocol; JSON never does. */
function assertNotPickled(bytes: Uint8Array): void {
  if (bytes[0] !== 0x80 || (bytes[1] ?? 0) < 2 || (bytes[1] ?? 0) > 5) return;
  throw new CodedError(
    'program/state-pickled',
    "this is a Python pickle, which runs code when it is read; save the program as JSON: program.save('program.json')",
  );
}

function invalid(expected: string): CodedError {
  return new CodedError('program/state-invalid', `file: expected ${expected}`, {
    fields: { key: 'file', expected },
  });
}
