/** What is used of PGlite, and how one is started. The package is loaded here, when it is needed, and nowhere else. */
import { CodedError, isCodedError, messageOf } from '../../base/index.ts';
import { hasLocks, systemLocks, withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import { nameOf, TransactionFailure } from './indexeddb-failure.ts';

/** What answers queries: the engine, or a transaction of it. */
export interface SqlSession {
  query<T>(sql: string, parameters?: unknown[]): Promise<{ readonly rows: T[] }>;
}

/** A started engine. */
export interface SqlEngine extends SqlSession {
  exec(sql: string): Promise<unknown>;
  /** What `work` throws rolls back. */
  transaction<T>(work: (session: SqlSession) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** What a store needs of the package `@electric-sql/pglite`. */
export interface PgliteModule {
  readonly PGlite: { create(dataDir: string, options?: object): Promise<SqlEngine> };
}

export interface EngineOptions {
  readonly store: string;
  readonly dataDir: string;
  readonly load: () => Promise<PgliteModule>;
  readonly engineOptions: object;
  readonly clock: Clock;
  readonly openTimeoutMs: number;
  /** How long another user of the data may keep it. */
  readonly blockedTimeoutMs: number;
}

/** An engine that is ours alone. */
export interface OpenEngine {
  readonly engine: SqlEngine;
  /** Ends it and lets others open its data. */
  close(): Promise<void>;
}

/** Raised when a table changes its columns. */
const layoutVersion = 1;

/**
 * The latest revision of a key is in `vivarium_entry`, older ones that are kept are in `vivarium_history`. Keys are bytes in the
 * order of keys: text of Postgres holds no U+0000, and its order hangs on a collation. Values are compressed by nobody: most are
 * small, and a large one would be compressed inside the commit.
 */
const tables = `
  CREATE TABLE IF NOT EXISTS vivarium_layout (id integer PRIMARY KEY, version integer NOT NULL);
  INSERT INTO vivarium_layout VALUES (1, ${layoutVersion}) ON CONFLICT DO NOTHING;
  CREATE TABLE IF NOT EXISTS vivarium_entry (
    key bytea PRIMARY KEY,
    value bytea,
    revision bigint NOT NULL,
    at_ms double precision NOT NULL,
    is_live boolean NOT NULL
  );
  CREATE TABLE IF NOT EXISTS vivarium_history (
    key bytea,
    value bytea,
    revision bigint,
    at_ms double precision NOT NULL,
    is_live boolean NOT NULL,
    PRIMARY KEY (key, revision)
  );
  ALTER TABLE vivarium_entry ALTER COLUMN value SET STORAGE EXTERNAL;
  ALTER TABLE vivarium_history ALTER COLUMN value SET STORAGE EXTERNAL;
`;

export const memoryDataDir: string = 'memory://';

/** Where there are no locks: data that an engine of this realm has open. The engine itself does not notice a second one. */
const openHere = new Set<string>();

/**
 * Loads the package and starts an engine, alone on its data as far as this realm and Web Locks reach.
 * @throws `state/storage-unavailable`, `state/blocked`, `state/version-too-new`
 */
export async function openEngine(options: EngineOptions): Promise<OpenEngine> {
  const { store, clock, openTimeoutMs } = options;
  const release = await claim(options);
  const starting = start(options);
  try {
    const engine = await withDeadline(clock, { timeoutMs: openTimeoutMs }, () => starting);
    const close = async (): Promise<void> => {
      try {
        await engine.close();
      } finally {
        await release();
      }
    };
    return { engine, close };
  } catch (error) {
    // one that starts too late is ended, and only then may others have its data
    starting.then((late) => late.close()).then(release, release);
    if (isCodedError(error, 'state/version-too-new')) throw error;
    throw new CodedError('state/storage-unavailable', `Postgres cannot be started: ${messageOf(error)}`, {
      fields: { store, reason: nameOf(error) },
      cause: error,
    });
  }
}

/** Both would write: a second engine is kept out. Answers how to let the next one in, which resolves when it can come. */
async function claim(options: EngineOptions): Promise<() => Promise<unknown>> {
  const { store, dataDir, clock, blockedTimeoutMs } = options;
  if (dataDir === memoryDataDir) return async () => undefined;
  const held = (cause?: unknown): CodedError =>
    new CodedError('state/blocked', `${dataDir} is open already: Postgres has one user at a time`, {
      fields: { store, dataDir, blockedTimeoutMs },
      cause,
      isRetryable: true,
    });
  if (!hasLocks) {
    if (openHere.has(dataDir)) throw held();
    openHere.add(dataDir);
    return async () => openHere.delete(dataDir);
  }
  const name = `vivarium.pglite.${dataDir}`;
  const asking = withDeadline(clock, { timeoutMs: blockedTimeoutMs }, (signal) =>
    systemLocks.request(name, { signal }),
  );
  const lock = await asking.catch((error: unknown) => {
    throw held(error);
  });
  return () => {
    lock.release();
    return lock.ended;
  };
}

async function start({ store, dataDir, load, engineOptions }: EngineOptions): Promise<SqlEngine> {
  const { PGlite } = await load();
  const engine = await PGlite.create(dataDir, engineOptions);
  try {
    await engine.exec(tables);
    const { rows } = await engine.query<{ version: number }>('SELECT version FROM vivarium_layout');
    const version = rows[0]?.version ?? 0;
    if (version > layoutVersion) {
      throw new CodedError('state/version-too-new', `the tables of ${store} have layout ${version}`, {
        fields: { store, version, supported: layoutVersion },
      });
    }
    return engine;
  } catch (error) {
    await engine.close().catch(() => undefined);
    throw error;
  }
}

/** What a statement or a transaction threw: one that Postgres refused is not applied, one that it never answered may be. */
export function toSqlFailure(thrown: unknown): unknown {
  if (isCodedError(thrown) && !isCodedError(thrown, 'port/timeout')) return thrown;
  const { code: state } = Object(thrown) as { readonly code?: unknown };
  const isRefusal = typeof state === 'string' && /^[0-9A-Z]{5}$/.test(state);
  if (!isRefusal) return new TransactionFailure('unknown', thrown);
  const isFull = state === '53100' || state === '53200';
  const cause = isFull ? new DOMException(messageOf(thrown), 'QuotaExceededError') : thrown;
  return new TransactionFailure('not-applied', cause);
}
