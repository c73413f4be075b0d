/** The door to file formats: small, since what is behind it is loaded when the first file is read or written. */
import type { FormatLimits, StateFile, StateFormat } from './codec.ts';

/** What a file turned out to be. */
export type OpenedFile =
  | { readonly format: StateFormat; readonly file: StateFile }
  /** Some JSON text, out of its gzip; what it says is for others to read. */
  | { readonly format: 'json'; readonly bytes: Uint8Array }
  /** What Python would run, or an archive that may hold it; nothing of it was read. */
  | { readonly format: 'pickle' };

export interface FileWriteOptions {
  readonly format: StateFormat;
  /** Whether the bytes are put into a gzip. Default false. */
  readonly gzip?: boolean;
  readonly limits?: Partial<FormatLimits>;
}

/**
 * A state as the bytes of a file that {@link openFile} reads.
 * @throws `state/not-encodable` (fields path, found, format) for what no file can hold; `state/value-too-large`
 */
export async function writeStateFile(
  file: StateFile,
  { format, gzip = false, limits }: FileWriteOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { defaultFormatLimits, encodeStateFile } = await import('./state-file.ts');
  return encodeStateFile(file, format, gzip, { ...defaultFormatLimits, ...limits });
}

/**
 * Reads a file of any format, plain or in gzip, by its content.
 * @throws `state/format-unknown`, `state/format-damaged`, `state/checksum-failed`, `state/version-too-new`, `state/value-too-large`
 */
export async function openFile(bytes: Uint8Array, limits?: Partial<FormatLimits>): Promise<OpenedFile> {
  const { decodeStateFile, defaultFormatLimits, recogniseFile } = await import('./state-file.ts');
  const allLimits = { ...defaultFormatLimits, ...limits };
  const found = await recogniseFile(bytes, allLimits);
  if (found.format === 'json') return { format: 'json', bytes: found.bytes };
  if (found.format === 'pickle') return { format: 'pickle' };
  return { format: found.format, file: await decodeStateFile(found.bytes, found.format, allLimits) };
}
