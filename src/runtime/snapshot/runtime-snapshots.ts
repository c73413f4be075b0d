/** Named snapshots of a runtime, and their way into a file and out of it. */
import { CodedError } from '../../base/index.ts';
import type { JsonObject } from '../../base/index.ts';
import { randomHex } from '../../platform/index.ts';
import {
  deleteSnapshot,
  exportSnapshot,
  importSnapshot,
  listSnapshots,
  takeSnapshot,
} from '../../state/index.ts';
import type { SnapshotInfo } from '../../state/index.ts';
import { writeLate } from './past-host.ts';
import type { PastHost } from './past-host.ts';
import { readStoredPast, runtimePrefixes } from './stored-past.ts';

export interface RuntimeSnapshotOptions {
  /** The taker's own notes, at most 16 KiB as JSON. */
  readonly metadata?: JsonObject;
}

/** Everything that is acknowledged, also what only the page held. @throws as `takeSnapshot`, and what keeps that from the store */
export async function takeRuntimeSnapshot(
  host: PastHost,
  name: string,
  { metadata = {} }: RuntimeSnapshotOptions = {},
): Promise<SnapshotInfo> {
  await writeLate(host);
  const { store, clock, random } = host;
  return takeSnapshot(store, name, { prefixes: runtimePrefixes, metadata, clock, random });
}

function missingIn({ prefixes }: SnapshotInfo): readonly string[] | undefined {
  return runtimePrefixes.find(
    ([wanted]) =>
      !prefixes.some((prefix) => prefix.length === 0 || (prefix.length === 1 && prefix[0] === wanted)),
  );
}

/** Those that hold a whole runtime, newest first. */
export async function listRuntimeSnapshots({ store }: PastHost): Promise<readonly SnapshotInfo[]> {
  const all = await listSnapshots(store);
  return all.filter((info) => !missingIn(info)).toSorted((one, other) => other.atMs - one.atMs);
}

/**
 * A snapshot, or everything as it is now, as one file.
 * @param name default: a snapshot that is taken for it and not kept
 * @throws as `exportSnapshot` and `takeSnapshot`
 */
export async function exportRuntime(host: PastHost, name?: string): Promise<Blob> {
  const { store, clock, random } = host;
  if (name !== undefined) return toBlob(await exportSnapshot(store, name, { compression: 'gzip' }));
  const own = `${new Date(clock.now()).toISOString()} ${randomHex(random, 4)}`;
  await takeRuntimeSnapshot(host, own);
  try {
    return toBlob(await exportSnapshot(store, own, { compression: 'gzip' }));
  } finally {
    await deleteSnapshot(store, own);
  }
}

function toBlob(bytes: Uint8Array<ArrayBuffer>): Blob {
  return new Blob([bytes], { type: 'application/octet-stream' });
}

export interface RuntimeImportOptions {
  /** Under which name it is kept. Default: its own. */
  readonly name?: string;
}

/**
 * Keeps the snapshot of a file; `restoreTo` puts it to use. Nothing of a file that is refused is kept.
 * @throws as `importSnapshot`, `state/prefix-not-covered` for a snapshot of something else, `program/state-invalid`
 */
export async function importRuntime(
  { store, limits, clock, random }: PastHost,
  file: Blob | Uint8Array,
  { name }: RuntimeImportOptions = {},
): Promise<SnapshotInfo> {
  const bytes = file instanceof Uint8Array ? file : await bytesOf(file, limits.maxImportBytes);
  const info = await importSnapshot(store, bytes, { ...(name === undefined ? {} : { name }), clock, random });
  try {
    requireWhole(info);
    await readStoredPast(store, info.name);
  } catch (error) {
    await deleteSnapshot(store, info.name);
    throw error;
  }
  return info;
}

async function bytesOf(file: Blob, maxImportBytes: number): Promise<Uint8Array> {
  if (file.size <= maxImportBytes) return new Uint8Array(await file.arrayBuffer());
  const text = `a snapshot file has ${file.size} bytes, expected at most ${maxImportBytes}`;
  throw new CodedError('state/snapshot-too-large', text, { fields: { limit: maxImportBytes } });
}

function requireWhole(info: SnapshotInfo): void {
  const missing = missingIn(info);
  if (!missing) return;
  const text = `the snapshot ${info.name} does not hold everything under ${JSON.stringify(missing)}`;
  const fields = { prefix: missing, prefixes: info.prefixes };
  throw new CodedError('state/prefix-not-covered', text, { fields });
}
