/** What is stored now, beside what was stored then. */
import { CodedError, isCodedError } from '../../base/index.ts';
import { toValueBytes } from '../codec/to-value-bytes.ts';
import { isFenceKey } from '../fence-key.ts';
import { encodeKey } from '../key.ts';
import type { Key } from '../key.ts';
import { isPieced, LostValue, withLostValues } from '../lost-value.ts';
import type { Entry, Store } from '../store.ts';
import { isHidden } from './layout.ts';
import { maxAttempts, maxHeldBytes } from './limits.ts';
import { pagesOf, sizeOfEntry } from './paging.ts';
import { isSameBytes } from './records.ts';
import type { BytesRecord } from './records.ts';

/** A key as it is now. */
export interface Present {
  readonly key: Key;
  readonly revision: number;
  /** Its value is the one that it had then. */
  readonly isSame: boolean;
}

/** By encoded key. */
export type Past = ReadonlyMap<string, BytesRecord>;

/** Whether no restore touches `key`. A fence says who may write now: whoever puts it back takes a lease from its holder. */
export function isKept(key: Key): boolean {
  return isHidden(key) || isFenceKey(key);
}

/** What is lost, or has no bytes, is different from anything restored. */
function isSame(record: BytesRecord | undefined, value: unknown): boolean {
  if (!record || value instanceof LostValue) return false;
  try {
    return isSameBytes(record.bytes, toValueBytes(value));
  } catch (error) {
    if (isCodedError(error, 'state/not-encodable')) return false;
    throw error;
  }
}

/** Compares what is read with the past, as soon as that is known; values that wait for it are held in memory. */
class Comparison {
  readonly present = new Map<string, Present>();
  readonly #past: Promise<Past>;
  #waiting: Entry[] = [];
  #waitingBytes = 0;

  constructor(past: Promise<Past>) {
    this.#past = past;
  }

  async add(page: readonly Entry[]): Promise<void> {
    for (const entry of page) this.#waitingBytes += sizeOfEntry(entry);
    this.#waiting.push(...page);
    if (this.#waitingBytes > maxHeldBytes) await this.compare();
  }

  async compare(): Promise<void> {
    const past = await this.#past;
    for (const { key, value, revision } of this.#waiting) {
      const encoded = encodeKey(key);
      this.present.set(encoded, { key, revision, isSame: isSame(past.get(encoded), value) });
    }
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}

interface Pass {
  readonly present: ReadonlyMap<string, Present>;
  /** It is from one moment. */
  readonly isWhole: boolean;
}

interface PassOptions {
  /** What was compared in an earlier pass is not compared again. */
  readonly known: ReadonlyMap<string, Present>;
  readonly onPage?: () => Promise<void>;
}

async function readPass(
  store: Store,
  prefix: Key,
  past: Promise<Past>,
  { known, onPage }: PassOptions,
): Promise<Pass> {
  const comparison = new Comparison(past);
  let [pages, isTorn] = [0, false];
  for await (const page of pagesOf(withLostValues(store), prefix)) {
    pages++;
    await onPage?.();
    isTorn ||= isPieced(page);
    const unknown = page.filter((entry) => {
      if (isKept(entry.key)) return false;
      const encoded = encodeKey(entry.key);
      const before = known.get(encoded);
      if (before?.revision !== entry.revision) return true;
      comparison.present.set(encoded, before);
      return false;
    });
    await comparison.add(unknown);
  }
  await comparison.compare();
  return { present: comparison.present, isWhole: pages === 1 && !isTorn };
}

function isSameMoment(one: ReadonlyMap<string, Present>, other: ReadonlyMap<string, Present>): boolean {
  if (one.size !== other.size) return false;
  return [...one].every(([encoded, { revision }]) => other.get(encoded)?.revision === revision);
}

/** Everything while nobody writes: what is read is from one moment. @param onPage called before each page is looked at */
export async function readQuiet(
  store: Store,
  prefix: Key,
  past: Past,
  onPage: () => Promise<void>,
): Promise<ReadonlyMap<string, Present>> {
  const { present } = await readPass(store, prefix, Promise.resolve(past), { known: new Map(), onPage });
  return present;
}

/**
 * Everything as of one moment: pages are read one after the other, so what two passes agree on was so between them.
 * @param onPage as for {@link readQuiet}
 * @throws `state/snapshot-contended` when writers never rest
 */
export async function readPresent(
  store: Store,
  prefix: Key,
  past: Promise<Past>,
  onPage: () => Promise<void> = async () => undefined,
): Promise<ReadonlyMap<string, Present>> {
  let last = await readPass(store, prefix, past, { known: new Map(), onPage });
  for (let attempt = 1; !last.isWhole; attempt++) {
    const next = await readPass(store, prefix, past, { known: last.present, onPage });
    if (isSameMoment(last.present, next.present)) return next.present;
    if (attempt >= maxAttempts) throw contended('restored');
    last = next;
  }
  return last.present;
}

/** The error of work that writers overtook whenever it was tried. */
export function contended(what: 'read' | 'restored' | 'written', cause?: unknown): CodedError {
  return new CodedError('state/snapshot-contended', `writers changed what is ${what} ${maxAttempts} times`, {
    fields: { attempts: maxAttempts },
    cause,
    isRetryable: true,
  });
}
