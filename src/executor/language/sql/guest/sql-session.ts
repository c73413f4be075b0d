/** A session's database put aside and brought back, as SQLite itself writes it down. */
import type { Sqlite3Static } from '@sqlite.org/sqlite-wasm';
import type { SavedState } from '../../../guest/engine.ts';
import type { LostName } from '../../../outcome.ts';
import type { SaveBounds } from '../../../sandbox/session-protocol.ts';
import type { SqlDatabase } from './sql-database.ts';

const maxTextLength = 200;
const maxNames = 10_000;
const temporary = 'what is temporary belongs to its interpreter';
const attached = 'an attached database belongs to its interpreter';

/** What is never put aside, by the queries that find it. */
const losing = [
  ["SELECT name FROM sqlite_temp_schema WHERE type IN ('table', 'view')", temporary],
  ["SELECT name FROM pragma_database_list WHERE name NOT IN ('main', 'temp')", attached],
] as const;

export class SqlSession {
  readonly #sql: SqlDatabase;
  /** What tells that something has changed since the last time. */
  #mark = '';

  constructor(sql: SqlDatabase) {
    this.#sql = sql;
  }

  /** `undefined` in the middle of a transaction: nobody knows yet whether what it did stays. */
  save({ sizeBytes }: SaveBounds): SavedState | undefined {
    const { sqlite, database } = this.#sql;
    const { capi } = sqlite;
    this.#sql.begin({ endMs: Infinity, outputBytes: 0 });
    if (!capi.sqlite3_get_autocommit(database)) return undefined;
    const names = this.#list(
      "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'",
    );
    const lost = losing.flatMap(([query, reason]) => this.#list(query).map((name) => ({ name, reason })));
    const mark = [capi.sqlite3_total_changes64(database), ...this.#numbers()].join(' ');
    const isTooLarge = this.#sizeBytes() > sizeBytes;
    const reason = `with it, more than ${sizeBytes} bytes would have to be put aside`;
    const part = isTooLarge ? new ArrayBuffer() : mark === this.#mark ? null : this.#export();
    this.#mark = isTooLarge ? '' : mark;
    return {
      parts: [part],
      names: isTooLarge ? [] : names,
      lost: [...lost, ...(isTooLarge ? names.map((name) => ({ name, reason })) : [])].slice(0, maxNames),
    };
  }

  /** Throws when the database cannot be read. */
  restore([bytes]: readonly Uint8Array[]): readonly LostName[] {
    if (bytes && bytes.length > 0) this.#sql.replace(bytes);
    return [];
  }

  #list(query: string): readonly string[] {
    const rows = this.#sql.database.selectValues(query) as readonly unknown[];
    return rows.slice(0, maxNames).map((name) => String(name).slice(0, maxTextLength));
  }

  #numbers(): readonly unknown[] {
    return ['schema_version', 'user_version', 'application_id', 'page_count'].map((name) =>
      this.#sql.database.selectValue(`PRAGMA ${name}`),
    );
  }

  #sizeBytes(): number {
    const { database } = this.#sql;
    return (
      Number(database.selectValue('PRAGMA page_count')) * Number(database.selectValue('PRAGMA page_size'))
    );
  }

  #export(): ArrayBuffer {
    const { sqlite, database } = this.#sql;
    if (this.#sizeBytes() === 0) return new ArrayBuffer();
    return copyOf(sqlite, database.pointer as number);
  }
}

function copyOf({ capi }: Sqlite3Static, pointer: number): ArrayBuffer {
  return capi.sqlite3_js_db_export(pointer).slice().buffer as ArrayBuffer;
}
