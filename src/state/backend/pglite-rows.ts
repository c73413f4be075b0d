/** Entries as rows: the statements of the store, and how keys and values are written in them. */
import { CodedError, isCodedError } from '../../base/index.ts';
import { fromValueBytes } from '../codec/from-value-bytes.ts';
import { toValueBytes } from '../codec/to-value-bytes.ts';
import { decodeKey } from '../key.ts';
import type { CommitPlan, KeyState, PlannedChange, PlannedRevision } from '../plan-commit.ts';
import { toListing } from '../requests.ts';
import type { ListRange } from '../requests.ts';
import type { Entry, Listing, Revision } from '../store.ts';
import type { SqlSession } from './pglite-engine.ts';

/** Rows and characters of one statement: more would be held in memory several times over. */
const maxStatementRows = 1000;
const maxStatementText = 4 * 2 ** 20;

interface Row {
  readonly key: string;
  readonly value: string | null;
  readonly revision: number;
  readonly at_ms: number;
  readonly is_live: boolean;
}

/** What is written: text, since the engine's own way with bytes takes seconds for a large value. */
interface NewRow {
  readonly key: string;
  readonly value: string | null;
  readonly revision: number;
  readonly isLive: boolean;
}

const columns = `encode(key, 'hex') AS key, encode(value, 'base64') AS value, revision::float8 AS revision, at_ms, is_live`;
const keysOf = `(SELECT decode(k, 'hex') FROM unnest($1::text[]) AS t(k))`;

/** Code units, two bytes each: their order as bytes is the order of keys. */
function toHex(encodedKey: string): string {
  return Array.from({ length: encodedKey.length }, (_, index) =>
    encodedKey.charCodeAt(index).toString(16).padStart(4, '0'),
  ).join('');
}

function fromHex(hex: string): string {
  return hex.replaceAll(/.{4}/g, (unit) => String.fromCharCode(Number.parseInt(unit, 16)));
}

function toBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  // a multiple of three, so that the parts join to one text
  for (let at = 0; at < bytes.length; at += 12_288) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + 12_288))));
  }
  return parts.join('');
}

function fromBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

function toRow({ write, revision, isLive }: PlannedRevision): NewRow {
  const key = toHex(write.encoded);
  if (!isLive) return { key, value: null, revision, isLive };
  try {
    return { key, value: toBase64(toValueBytes(write.value)), revision, isLive };
  } catch (cause) {
    if (!isCodedError(cause, 'state/not-encodable')) throw cause;
    const { found = null } = cause.fields;
    throw new CodedError('state/not-cloneable', `a value cannot be stored: ${cause.message}`, {
      fields: { key: write.key, found },
      cause,
    });
  }
}

function toEntry<T>(row: Row): Entry<T> {
  const key = decodeKey(fromHex(row.key));
  try {
    // the reader says what it expects, as with any untyped storage
    const value = fromValueBytes(fromBase64(row.value ?? '')) as T;
    return { key, value, revision: row.revision, atMs: row.at_ms };
  } catch (cause) {
    throw new CodedError('state/value-damaged', `the value of ${JSON.stringify(key)} cannot be decoded`, {
      fields: { key, problem: 'encoding' },
      cause,
    });
  }
}

/** @throws `state/value-damaged` */
export async function selectEntry<T>(session: SqlSession, encoded: string): Promise<Entry<T> | undefined> {
  const { rows } = await session.query<Row>(
    `SELECT ${columns} FROM vivarium_entry WHERE key = decode($1, 'hex') AND is_live`,
    [toHex(encoded)],
  );
  return rows[0] && toEntry<T>(rows[0]);
}

/** @throws `state/value-damaged` */
export async function selectEntries<T>(session: SqlSession, range: ListRange): Promise<Listing<T>> {
  if (range.isEmpty) return [];
  const { from = '', isFromIncluded, below, limit, maxBytes } = range;
  const wanted = `is_live AND key ${isFromIncluded ? '>=' : '>'} decode($1, 'hex')
       AND ($2::text IS NULL OR key < decode($2, 'hex'))`;
  const bounds = [toHex(from), below === undefined ? null : toHex(below), limit];
  if (maxBytes === Infinity) {
    const { rows } = await session.query<Row>(
      `SELECT ${columns} FROM vivarium_entry WHERE ${wanted} ORDER BY vivarium_entry.key LIMIT $3`,
      bounds,
    );
    return rows.map((row) => toEntry<T>(row));
  }
  // what comes before a row decides whether it is read: the one that reaches the bytes is the last
  const { rows } = await session.query<Row & { readonly reached: number }>(
    `SELECT ${columns}, reached::float8 FROM (
       SELECT *, sum(octet_length(value)) OVER (ORDER BY key) AS reached FROM (
         SELECT * FROM vivarium_entry WHERE ${wanted} ORDER BY vivarium_entry.key LIMIT $3
       ) AS page
     ) AS counted
     WHERE reached - octet_length(value) < $4 ORDER BY counted.key`,
    [...bounds, maxBytes],
  );
  return toListing(
    rows.map((row) => toEntry<T>(row)),
    (rows.at(-1)?.reached ?? 0) >= maxBytes,
  );
}

/** @throws `state/value-damaged` */
export async function selectHistory<T>(
  session: SqlSession,
  encoded: string,
  limit: number,
): Promise<readonly Revision<T>[]> {
  const { rows } = await session.query<Row>(
    `WITH latest AS (SELECT * FROM vivarium_entry WHERE key = decode($1, 'hex')),
       kept AS (
         SELECT key, value, revision, at_ms, is_live FROM latest
         UNION ALL
         SELECT h.key, h.value, h.revision, h.at_ms, h.is_live FROM vivarium_history h, latest
         WHERE h.key = latest.key AND h.revision < latest.revision AND h.revision > latest.revision - $2
       )
     SELECT ${columns} FROM kept ORDER BY kept.revision`,
    [toHex(encoded), limit],
  );
  return rows.map((row): Revision<T> => {
    if (row.is_live) return { type: 'put', ...toEntry<T>(row) };
    return { type: 'delete', key: decodeKey(fromHex(row.key)), revision: row.revision, atMs: row.at_ms };
  });
}

/** The states of some keys; what is not in the map was never written. */
export async function selectStates(
  session: SqlSession,
  encodedKeys: Iterable<string>,
): Promise<ReadonlyMap<string, KeyState>> {
  const states = new Map<string, KeyState>();
  const keys = [...encodedKeys];
  for (let at = 0; at < keys.length; at += maxStatementRows) {
    const { rows } = await session.query<Row>(
      `SELECT encode(key, 'hex') AS key, revision::float8 AS revision, is_live
       FROM vivarium_entry WHERE key IN ${keysOf}`,
      [keys.slice(at, at + maxStatementRows).map(toHex)],
    );
    for (const { key, revision, is_live: isLive } of rows) states.set(fromHex(key), { revision, isLive });
  }
  return states;
}

/** Writes what a commit came to. */
export async function writePlan(
  session: SqlSession,
  plan: CommitPlan,
  keepHistory: number,
  atMs: number,
): Promise<void> {
  const changes = [...plan.changes.values()];
  await forget(session, changes);
  if (keepHistory > 1) await keepOlder(session, changes, atMs);
  const latest = changes.filter(({ isForgotten }) => !isForgotten);
  await insertRows(session, 'vivarium_entry', latest.map(toRow), atMs);
  if (keepHistory > 1) await prune(session, latest, keepHistory);
}

async function forget(session: SqlSession, changes: readonly PlannedChange[]): Promise<void> {
  const forgotten = changes
    .filter(({ wasForgotten }) => wasForgotten)
    .map(({ write }) => toHex(write.encoded));
  if (forgotten.length === 0) return;
  for (const table of ['vivarium_entry', 'vivarium_history']) {
    await session.query(`DELETE FROM ${table} WHERE key IN ${keysOf}`, [forgotten]);
  }
}

/** What is overwritten by the commit, and inside it. */
async function keepOlder(
  session: SqlSession,
  changes: readonly PlannedChange[],
  atMs: number,
): Promise<void> {
  const keys = changes.filter(({ isCounter }) => !isCounter).map(({ write }) => toHex(write.encoded));
  if (keys.length === 0) return;
  await session.query(
    `INSERT INTO vivarium_history (key, value, revision, at_ms, is_live)
     SELECT key, value, revision, at_ms, is_live FROM vivarium_entry WHERE key IN ${keysOf}
     ON CONFLICT DO NOTHING`,
    [keys],
  );
  const overwritten = changes.flatMap(({ revisions }) => revisions.slice(0, -1));
  await insertRows(session, 'vivarium_history', overwritten.map(toRow), atMs);
}

async function prune(
  session: SqlSession,
  latest: readonly PlannedChange[],
  keepHistory: number,
): Promise<void> {
  await session.query(
    `DELETE FROM vivarium_history h USING vivarium_entry e
     WHERE h.key = e.key AND e.key IN ${keysOf} AND h.revision <= e.revision - $2`,
    [latest.map(({ write }) => toHex(write.encoded)), keepHistory],
  );
}

async function insertRows(
  session: SqlSession,
  table: 'vivarium_entry' | 'vivarium_history',
  rows: readonly NewRow[],
  atMs: number,
): Promise<void> {
  const conflict = table === 'vivarium_entry' ? 'key' : 'key, revision';
  for (const batch of toBatches(rows)) {
    await session.query(
      `INSERT INTO ${table} (key, value, revision, at_ms, is_live)
       SELECT decode(k, 'hex'), decode(v, 'base64'), r, $5, l
       FROM unnest($1::text[], $2::text[], $3::float8[], $4::boolean[]) AS t(k, v, r, l)
       ON CONFLICT (${conflict}) DO UPDATE
       SET value = EXCLUDED.value, revision = EXCLUDED.revision, at_ms = EXCLUDED.at_ms, is_live = EXCLUDED.is_live`,
      [
        batch.map(({ key }) => key),
        batch.map(({ value }) => value),
        batch.map(({ revision }) => revision),
        batch.map(({ isLive }) => isLive),
        atMs,
      ],
    );
  }
}

function* toBatches(rows: readonly NewRow[]): Generator<readonly NewRow[]> {
  let batch: NewRow[] = [];
  let text = 0;
  for (const row of rows) {
    text += row.value?.length ?? 0;
    if (batch.length > 0 && (batch.length >= maxStatementRows || text > maxStatementText)) {
      yield batch;
      batch = [];
      text = row.value?.length ?? 0;
    }
    batch.push(row);
  }
  if (batch.length > 0) yield batch;
}
