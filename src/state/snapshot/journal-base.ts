/**
 * The state that a journal begins with. It lies in stretches of keys, each a stored body of its own, so that what is read and
 * written at once is one stretch, however large the state is; and a stretch in which nothing changed stays as it is.
 */
import { toValueBytes } from '../codec/to-value-bytes.ts';
import { encodeKey, encodePrefix } from '../key.ts';
import type { Key } from '../key.ts';
import { LostValue } from '../lost-value.ts';
import type { Entry, Store, Write } from '../store.ts';
import type { Sink } from './collect.ts';
import type { JournalWrite } from './journal-entry.ts';
import { isCovered } from './layout.ts';
import { Records, sizeOfRecord } from './records.ts';
import type { BytesRecord } from './records.ts';
import { abandonment, readBody, writeBody } from './snapshot-parts.ts';
import type { PendingBody, SnapshotBody, SnapshotContext } from './snapshot-parts.ts';

/** Keys from `from` (of the first stretch: all before, too) up to where the next stretch begins. */
export interface BaseStretch {
  readonly from: Key;
  readonly body: SnapshotBody;
}

/** A base that is stored and belongs to nothing yet. */
export interface PendingBase {
  readonly stretches: readonly BaseStretch[];
  /** What was written for it, some of it perhaps for nothing. */
  readonly written: readonly PendingBody[];
  /** What it takes the place of. */
  readonly replaced: readonly SnapshotBody[];
}

/** Bytes of one stretch: an old one, a new one and what goes into it are in memory together. */
export function stretchBytesOf({ limits }: SnapshotContext): number {
  return Math.max(1, Math.floor(limits.maxSnapshotBytes / 4));
}

/** The writes that make a base belong to something, and give up what it takes the place of. */
export function adoptionOf({
  written,
  replaced,
}: Pick<PendingBase, 'written' | 'replaced'>): readonly Write[] {
  return [...written.map(({ adoption }) => adoption), ...replaced.map(abandonment)];
}

const startOf = ({ from }: BaseStretch): string => (from.length === 0 ? '' : encodeKey(from));

const sizeOf = (records: readonly BytesRecord[]): number =>
  records.reduce((sum, record) => sum + sizeOfRecord(record), 0);

/** Changes that are to go into a base: of each key the last one. */
export class Changes {
  readonly #prefixes: readonly Key[];
  readonly #writes = new Map<string, JournalWrite>();
  #sizeBytes = 0;

  constructor(prefixes: readonly Key[]) {
    this.#prefixes = prefixes;
  }

  get size(): number {
    return this.#writes.size;
  }

  /** Of all that was ever added. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  add(writes: readonly JournalWrite[]): void {
    for (const write of writes) {
      if (!isCovered(write.key, this.#prefixes)) continue;
      const encoded = encodeKey(write.key);
      this.#writes.set(encoded, write);
      this.#sizeBytes += encoded.length + (write.bytes?.length ?? 0);
    }
  }

  /** In the range of keys. */
  between(from: string, until: string | undefined): readonly JournalWrite[] {
    return [...this.#writes]
      .filter(([encoded]) => encoded >= from && (until === undefined || encoded < until))
      .map(([, write]) => write);
  }
}

/** Writes a base from one end to the other. */
export class BaseWriter implements Sink {
  readonly #store: Store;
  readonly #context: SnapshotContext;
  readonly #stretchBytes: number;
  readonly #stretches: BaseStretch[] = [];
  readonly #written: PendingBody[] = [];
  #run: BytesRecord[] = [];
  #runBytes = 0;

  constructor(store: Store, context: SnapshotContext) {
    this.#store = store;
    this.#stretchBytes = stretchBytesOf(context);
    // a stretch is as large as it was made, a single value perhaps larger
    this.#context = { ...context, limits: { ...context.limits, maxSnapshotBytes: Infinity } };
  }

  /**
   * The next entry. A value that is lost is not in the base: nobody can have it any more.
   * @throws `state/not-encodable`, and what `Store.commit` throws
   */
  async put({ key, value }: Entry): Promise<void> {
    if (value instanceof LostValue) return;
    const record = { key, bytes: toValueBytes(value) };
    const size = sizeOfRecord(record);
    if (this.#runBytes + size > this.#stretchBytes) await this.#flush();
    this.#run.push(record);
    this.#runBytes += size;
  }

  /** The next records, in as many stretches of one size as they need. */
  async putAll(records: readonly BytesRecord[]): Promise<void> {
    const total = sizeOf(records);
    const share = total / Math.max(1, Math.ceil(total / this.#stretchBytes));
    for (const record of records) {
      const size = sizeOfRecord(record);
      if (this.#runBytes + size / 2 > share) await this.#flush();
      this.#run.push(record);
      this.#runBytes += size;
    }
    await this.#flush();
  }

  /** A stretch that stays as it is. */
  keep(stretch: BaseStretch): void {
    this.#stretches.push(stretch);
  }

  /** Gives up what was written. */
  async drop(): Promise<void> {
    const written = this.#written.splice(0);
    if (written.length === 0) return;
    await this.#store.commit(adoptionOf({ written, replaced: written.map(({ body }) => body) }));
  }

  async finish(): Promise<Pick<PendingBase, 'stretches' | 'written'>> {
    // also of nothing there is a base
    if (this.#run.length > 0 || this.#stretches.length === 0) await this.#write();
    const [first, ...others] = this.#stretches as [BaseStretch, ...BaseStretch[]];
    return { stretches: [{ ...first, from: [] }, ...others], written: this.#written };
  }

  async #flush(): Promise<void> {
    if (this.#run.length > 0) await this.#write();
  }

  async #write(): Promise<void> {
    const pending = await writeBody(this.#store, this.#run, this.#context);
    this.#written.push(pending);
    this.#stretches.push({ from: this.#run[0]?.key ?? [], body: pending.body });
    this.#run = [];
    this.#runBytes = 0;
  }
}

function applied(records: readonly BytesRecord[], changes: readonly JournalWrite[]): readonly BytesRecord[] {
  const state = new Records(Infinity);
  for (const { key, bytes } of records) state.put(key, bytes);
  for (const { key, bytes } of changes) {
    if (bytes) state.put(key, bytes);
    else state.delete(key);
  }
  return state.sorted();
}

/**
 * Writes the base anew where something changed. What becomes less than a quarter of a stretch goes into the next one, so that there are
 * never many small ones.
 * @param what named in errors
 * @throws `state/checksum-failed`, what `Store.commit` throws
 */
export async function changeBase(
  store: Store,
  base: readonly BaseStretch[],
  changes: Changes,
  { context, what }: { readonly context: SnapshotContext; readonly what: string },
): Promise<PendingBase> {
  const writer = new BaseWriter(store, context);
  const replaced: SnapshotBody[] = [];
  let carried: readonly BytesRecord[] = [];
  for (const [index, stretch] of base.entries()) {
    const next = base[index + 1];
    const own = changes.between(startOf(stretch), next && startOf(next));
    if (own.length === 0 && carried.length === 0) {
      writer.keep(stretch);
      continue;
    }
    const before = [...carried, ...(await readBody(store, stretch.body, what))];
    const records = applied(before, own);
    replaced.push(stretch.body);
    const isSmall = next !== undefined && sizeOf(records) < stretchBytesOf(context) / 4;
    carried = isSmall ? records : [];
    if (!isSmall) await writer.putAll(records);
  }
  return { ...(await writer.finish()), replaced };
}

/**
 * Reads what of a base lies under a prefix.
 * @throws `state/checksum-failed`, `state/snapshot-too-large`, what `Store.get` throws
 */
export async function readBase(
  store: Store,
  base: readonly BaseStretch[],
  { into, prefix, what }: { readonly into: Records; readonly prefix: Key; readonly what: string },
): Promise<void> {
  const { from = '', below } = encodePrefix(prefix) ?? {};
  for (const [index, stretch] of base.entries()) {
    const next = base[index + 1];
    const isBefore = next !== undefined && startOf(next) <= from;
    if (isBefore || (below !== undefined && startOf(stretch) >= below)) continue;
    const records = await readBody(store, stretch.body, what);
    const covered = records.filter(({ key }) => isCovered(key, [prefix]));
    // a few must not keep the bytes of all in memory
    const isPart = covered.length < records.length;
    for (const { key, bytes } of covered) into.put(key, isPart ? bytes.slice() : bytes);
  }
}
