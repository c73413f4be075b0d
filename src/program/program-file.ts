/**
 * DSPy's `save` and `load` where there are no paths: a program goes to a sink and comes from text, bytes, a blob or a stream. What is done
 * with bytes is in a file of its own, which is loaded when it is needed.
 */
import { CodedError, isCodedError } from '../base/index.ts';
import type { StateFormat } from '../state/index.ts';
import type { DspyLoadOptions } from './dspy-state.ts';
import { loadDspyState, toDspyState } from './dspy-state.ts';
import type { DspyVersions } from './dspy-versions.ts';
import type { Module } from './module.ts';

/** A stream, such as that of a file handle, or a function that takes the bytes. */
export type SaveTarget =
  | WritableStream<Uint8Array<ArrayBuffer>>
  | ((bytes: Uint8Array<ArrayBuffer>) => unknown);

/** Text, bytes, a file that somebody picked, or the body of a response. */
export type LoadSource = string | ArrayBuffer | ArrayBufferView | Blob | ReadableStream<Uint8Array>;

export type ProgramFormat = 'json' | StateFormat;

/** DSPy's text. */
export interface SaveTextOptions {
  readonly format?: 'json';
  readonly gzip?: false;
  /** What the file says that it was written with. Default {@link dspyVersions}. */
  readonly versions?: DspyVersions;
}

/** Bytes: a binary format, or anything in a gzip. */
export type SaveBytesOptions =
  | { readonly format: StateFormat; readonly gzip?: boolean }
  | { readonly format?: 'json'; readonly gzip: true; readonly versions?: DspyVersions };

/** @throws as {@link toDspyState} and `writeStateFile`, and `program/save-failed` with what the sink threw as cause */
export async function saveProgram(
  module: Module,
  to: SaveTarget | undefined,
  options: SaveTextOptions | SaveBytesOptions,
): Promise<string | Uint8Array<ArrayBuffer>> {
  const file = await fileOf(module, options);
  if (to === undefined) return file;
  const bytes = typeof file === 'string' ? new TextEncoder().encode(file) : file;
  try {
    if (typeof to === 'function') await to(bytes);
    else await writeAll(to, bytes);
  } catch (error) {
    if (isCodedError(error)) throw error;
    throw new CodedError('program/save-failed', 'the program could not be written', { cause: error });
  }
  return file;
}

async function fileOf(
  module: Module,
  options: SaveTextOptions | SaveBytesOptions,
): Promise<string | Uint8Array<ArrayBuffer>> {
  const { format = 'json', gzip = false } = options;
  if (format !== 'json') {
    const state = module.dumpState();
    const { writeProgram } = await import('./program-bytes.ts');
    return writeProgram(state, format, gzip);
  }
  const text = toDspyState(module, 'versions' in options ? options.versions : undefined);
  if (!gzip) return text;
  const { packText } = await import('./program-bytes.ts');
  return packText(text);
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

/** @throws as {@link loadDspyState}, and as `loadBytes` */
export async function loadProgram(
  module: Module,
  from: LoadSource,
  options: DspyLoadOptions = {},
): Promise<readonly string[]> {
  if (typeof from === 'string') return loadDspyState(module, from, options);
  const { loadBytes } = await import('./program-bytes.ts');
  return loadBytes(module, from, options);
}
