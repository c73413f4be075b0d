/** The body of a snapshot through the store that keeps files, beside bare files, both in one worker with sync handles. */
import { deleteDB } from 'idb';
import { sha256Hex, systemClock, systemRandom } from '../../platform/index.ts';
import { toValueBytes } from '../codec/to-value-bytes.ts';
import { openOpfsFolder } from '../backend/opfs-folder.ts';
import { openOpfsStore } from '../backend/opfs.ts';
import { defaultSnapshotLimits } from '../snapshot/limits.ts';
import { toRecordBytes } from '../snapshot/records.ts';
import { abandonment, readParts, sweepParts, writeParts } from '../snapshot/snapshot-parts.ts';
import type { PendingParts, SnapshotContext } from '../snapshot/snapshot-parts.ts';
import type { Store } from '../store.ts';
import { median, reportContest, timed } from './measure.bench.ts';
import type { Bench, StateBenchRow } from './measure.bench.ts';
import { allEntries } from './modules.bench.ts';
import { benchPglite } from './pglite.bench.ts';

export interface FileBenchRequest extends Pick<Bench, 'sabotage' | 'isSmall' | 'rounds'> {}

/** What TypeScript's library for pages does not have. */
interface SyncAccess {
  write(bytes: Uint8Array): number;
  read(bytes: Uint8Array): number;
  getSize(): number;
  flush(): void;
  close(): void;
}

const goal = 1.5;
/** Sabotaged, a body goes in pieces so small that each needs a file and an index entry of its own. */
const smallPartBytes = 256 * 1024;
const MB = 1_000_000;
const bareName = 'bare';

/** Runs in the worker. */
export async function runFiles(request: FileBenchRequest): Promise<readonly StateBenchRow[]> {
  const rows: StateBenchRow[] = [];
  const bench: Bench = { ...request, growth: false, report: (row) => rows.push(row), plot: () => undefined };
  const name = `bench-files-${crypto.randomUUID()}`;
  const store = await openOpfsStore({ name });
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(name, { create: true });
  try {
    const bytes = await encode(bench);
    await benchFile({ bench, store, folder, bytes });
  } finally {
    await store.close();
    await deleteDB(name);
    await root.removeEntry(name, { recursive: true });
  }
  if (!bench.isSmall) await benchPglite(bench);
  return rows;
}

/** A body of 10 MB; what it takes to make one is told beside what it takes to store it. */
async function encode(bench: Bench): Promise<Uint8Array<ArrayBuffer>> {
  const wanted = bench.isSmall ? MB : 10 * MB;
  const entries: ReturnType<typeof allEntries>[number][] = [];
  for (let bytes = 0, module = 0; bytes < wanted; module += 100) {
    const more = allEntries(100, module);
    bytes += more.reduce((sum, { value }) => sum + toValueBytes(value, wanted).length, 0);
    entries.push(...more.map(({ key, value }) => ({ key: [...key, String(module)], value })));
  }
  const sorted = entries.toSorted((a, b) => (a.key.join('\0') < b.key.join('\0') ? -1 : 1));
  let bytes = new Uint8Array(0);
  const [encoding, digesting]: [number[], number[]] = [[], []];
  for (let round = 0; round < bench.rounds; round++) {
    encoding.push(
      await timed(async () => {
        const records = sorted.map(({ key, value }) => ({ key, bytes: toValueBytes(value, wanted) }));
        bytes = toRecordBytes(records, 2 * wanted);
      }),
    );
    digesting.push(await timed(() => sha256Hex(bytes)));
  }
  const size = (bytes.length / MB).toFixed(1);
  bench.report({ name: `encoding of a body of ${size} MB`, ours: median(encoding), unit: 'ms' });
  bench.report({ name: `SHA-256 of ${size} MB`, ours: median(digesting), unit: 'ms' });
  return bytes;
}

interface FileScene {
  readonly bench: Bench;
  readonly store: Store;
  readonly folder: FileSystemDirectoryHandle;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

async function benchFile({ bench, store, folder, bytes }: FileScene): Promise<void> {
  const limits = bench.sabotage
    ? { ...defaultSnapshotLimits, partBytes: smallPartBytes }
    : defaultSnapshotLimits;
  const context: SnapshotContext = { clock: systemClock, random: systemRandom, limits };
  const size = (bytes.length / MB).toFixed(1);
  const files = await openOpfsFolder(store.name);
  let parts: PendingParts | undefined;
  const drop = async (): Promise<void> => {
    if (!parts) return;
    const body = { ...parts, keys: 0, sizeBytes: bytes.length, checksum: '' };
    await store.commit([parts.adoption, abandonment(body)]);
    await sweepParts(store, context);
    parts = undefined;
    // removed behind the commit, which must not be timed with what follows
    while ((await files.list()).length > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  await reportContest(bench, {
    name: `${size} MB of encoded snapshot body written to files, flushed`,
    goal,
    iterations: 10,
    prepare: async () => {
      await drop();
      await folder.removeEntry(bareName).catch(() => undefined);
    },
    ours: async () => (parts = await writeParts(store, bytes, context)),
    beside: () => writeFile(folder, bareName, bytes),
  });
  await reportContest(bench, {
    name: `${size} MB of it read again`,
    goal,
    iterations: 5,
    ours: async () => {
      const read = parts && (await readParts({ ...parts, sizeBytes: bytes.length }, store));
      if (read?.length !== bytes.length) throw new Error(`${read?.length} bytes were read`);
    },
    beside: () => readFile(folder, bareName),
  });
  await drop();
}

/** A new file, as the store makes one. */
async function writeFile(
  folder: FileSystemDirectoryHandle,
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const access = await openSync(folder, name);
  access.write(bytes);
  access.flush();
  access.close();
}

async function readFile(folder: FileSystemDirectoryHandle, name: string): Promise<Uint8Array> {
  const access = await openSync(folder, name);
  const bytes = new Uint8Array(access.getSize());
  access.read(bytes);
  access.close();
  return bytes;
}

async function openSync(folder: FileSystemDirectoryHandle, name: string): Promise<SyncAccess> {
  const handle = await folder.getFileHandle(name, { create: true });
  return (handle as unknown as { createSyncAccessHandle(): Promise<SyncAccess> }).createSyncAccessHandle();
}

/** Runs in the page, which has no such handles. */
export async function benchFiles({ report, sabotage, isSmall, rounds }: Bench): Promise<void> {
  const worker = new Worker(new URL('./file.worker.ts', import.meta.url), { type: 'module' });
  try {
    const request: FileBenchRequest = { sabotage, isSmall, rounds };
    const rows = await new Promise<readonly StateBenchRow[]>((resolve, reject) => {
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.onmessage = ({ data }: MessageEvent<{ rows?: readonly StateBenchRow[]; error?: string }>) =>
        data.rows ? resolve(data.rows) : reject(new Error(data.error));
      worker.postMessage(request);
    });
    for (const row of rows) report(row);
  } finally {
    worker.terminate();
  }
}
