/** Programs as bytes: what is written, and what is made of anything that claims to be one. */
import { CodedError, isCodedError } from '../base/index.ts';
import { deflateBytes } from '../platform/index.ts';
import { openFile, writeStateFile } from '../state/index.ts';
import type { StateFile, StateFormat } from '../state/index.ts';
import { loadDspyState, withSafeLm } from './dspy-state.ts';
import type { DspyLoadOptions } from './dspy-state.ts';
import { programLimits } from './limits.ts';
import type { Module } from './module.ts';
import { assertModuleState, dependencyVersions, loadModule } from './module-state.ts';
import type { ModuleState } from './module-state.ts';
import type { PredictorState } from './predict/predictor-state.ts';
import type { LoadSource } from './program-file.ts';
import { fitStateLater } from './state-version.ts';

/** A character of text is at least one byte of it, and at most four. */
const maxFileBytes = 4 * programLimits.stateCharacters;

/** The kind of the state files that programs are. */
const fileKind = 'program';

/** @throws as `writeStateFile` */
export function writeProgram(
  state: ModuleState,
  format: StateFormat,
  gzip: boolean,
): Promise<Uint8Array<ArrayBuffer>> {
  return writeStateFile({ kind: fileKind, versions: dependencyVersions, state }, { format, gzip });
}

export function packText(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return deflateBytes(new TextEncoder().encode(text), 'gzip');
}

/**
 * @throws as {@link loadDspyState}, `openFile` and {@link fitStateLater}; `program/state-pickled`, and `program/load-failed` with what
 *   the source threw as cause
 */
export async function loadBytes(
  module: Module,
  from: Exclude<LoadSource, string>,
  options: DspyLoadOptions,
): Promise<readonly string[]> {
  const opened = await openFile(await bytesOf(from), { maxFileBytes });
  if (opened.format === 'json') return loadDspyState(module, textOf(opened.bytes), options);
  if (opened.format === 'pickle') throw pickled();
  return loadFile(module, opened.file, options);
}

async function loadFile(
  module: Module,
  { kind, versions, state }: StateFile,
  options: DspyLoadOptions,
): Promise<readonly string[]> {
  if (kind !== fileKind) throw invalid(`a program, not a state of kind "${kind}"`);
  assertModuleState(state, module);
  const fitting: unknown = await fitStateLater(state, module);
  assertModuleState(fitting, module);
  const warnings = differentVersions(versions);
  const predictors = Object.entries(fitting.predictors).map(
    ([name, saved]) => [name, withSafeLm(name, saved, options, warnings) as PredictorState] as const,
  );
  loadModule(module, { ...fitting, predictors: Object.fromEntries(predictors) });
  return warnings;
}

/** As in DSPy, another version is a warning and no more: what cannot be read says so by itself. */
function differentVersions(versions: Readonly<Record<string, string>>): string[] {
  return Object.entries(dependencyVersions).flatMap(([name, own]) => {
    const saved = Object.hasOwn(versions, name) ? versions[name] : undefined;
    if (saved === undefined || saved === own) return [];
    return [`the program was saved with ${name} ${saved}; this is ${own}`];
  });
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
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid('UTF-8 text');
  }
}

function assertSize(sizeBytes: number): void {
  if (sizeBytes > maxFileBytes) throw invalid(`at most ${maxFileBytes} bytes`);
}

function pickled(): CodedError {
  return new CodedError(
    'program/state-pickled',
    'this is a Python pickle, or an archive that may hold one; a pickle runs code when it is read. In Python, save the program as JSON: ' +
      "program.save('program.json')",
  );
}

function invalid(expected: string): CodedError {
  return new CodedError('program/state-invalid', `file: expected ${expected}`, {
    fields: { key: 'file', expected },
  });
}
