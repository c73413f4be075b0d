/** The connection to a database: opened when needed, dropped when stale, given up when another tab needs to upgrade. */
import { openDB, unwrap } from 'idb';
import { CodedError } from '../../base/index.ts';
import { randomHex } from '../../platform/index.ts';
import type { Clock, Random } from '../../platform/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import { toOpenError } from './indexeddb-failure.ts';
import { schemaVersion, upgradeLayout } from './indexeddb-layout.ts';
import { storeClosed } from '../requests.ts';

export interface Connection {
  readonly database: IDBDatabase;
  /** Unlike any other connection's, ever. */
  readonly id: string;
  /** Runs when the browser closes the connection with transactions in flight. */
  readonly losses: Set<(cause: unknown) => void>;
}

export interface ConnectionOptions {
  readonly name: string;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly random: Random;
  /** How long opening may take in all. */
  readonly openTimeoutMs: number;
  /** How long opening may be blocked by another tab. */
  readonly blockedTimeoutMs: number;
}

/** What Chromium adds to the event of an upgrade: whether there had been a database that it found damaged and deleted. */
interface LossReport {
  readonly dataLoss?: 'none' | 'total';
  readonly dataLossMessage?: string;
}

/** What the handlers of an open database need before there is a connection to speak of. */
interface Handlers {
  /** The browser deleted what was there. */
  readonly onLost: (reason: string) => void;
  /** The engine is at work on an earlier layout, for as long as its records need. */
  readonly onUpgrade: () => void;
  readonly onVersionChange: () => void;
  readonly onTerminated: () => void;
}

export class ConnectionKeeper {
  readonly #options: ConnectionOptions;
  #opening: Promise<Connection> | undefined;
  #connection: Connection | undefined;
  #dropCause: string | undefined;
  #isClosed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /**
   * The open connection, or a new one when there is none or the last was dropped.
   * @throws `state/storage-unavailable`, `state/version-too-new`, `state/quota-exceeded`, `state/blocked`, `state/closed`
   */
  get(): Promise<Connection> {
    if (this.#isClosed) return Promise.reject(storeClosed(this.#options.name));
    if (!this.#opening) {
      const opening = this.#open();
      this.#opening = opening;
      opening.catch(() => {
        if (this.#opening === opening) this.#opening = undefined;
      });
    }
    return this.#opening;
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  /** Forgets a connection, so that the next use opens a new one. Transactions in flight may still finish. */
  drop(connection: Connection, cause: string): void {
    connection.database.close();
    if (this.#connection !== connection) return;
    this.#opening = undefined;
    this.#connection = undefined;
    this.#dropCause = cause;
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.database.close();
    this.#connection = undefined;
    this.#opening = undefined;
  }

  async #open(): Promise<Connection> {
    const { name, hub, random } = this.#options;
    const losses: Connection['losses'] = new Set();
    const drop = (cause: string): void => {
      if (this.#connection?.losses === losses) this.drop(this.#connection, cause);
    };
    const database = await this.#request({
      onLost: (reason) => hub.emit({ type: 'store-lost', store: name, reason }),
      // closing is what lets the other tab upgrade or delete
      onVersionChange: () => drop('versionchange'),
      onTerminated: () => {
        const cause = new DOMException('the browser closed the connection', 'InvalidStateError');
        for (const onLoss of losses) onLoss(cause);
        drop('close');
      },
    });
    if (this.#isClosed) {
      database.close();
      throw storeClosed(name);
    }
    if (this.#dropCause !== undefined) {
      hub.emit({ type: 'store-reopen', store: name, cause: this.#dropCause });
      this.#dropCause = undefined;
    }
    this.#connection = { database, id: randomHex(random, 16), losses };
    return this.#connection;
  }

  #request(handlers: Omit<Handlers, 'onUpgrade'>): Promise<IDBDatabase> {
    const { name, clock, openTimeoutMs, blockedTimeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      let isOver = false;
      let cancelBlocked = (): void => undefined;
      const end = (settle: () => void): void => {
        isOver = true;
        cancelTimeout();
        cancelBlocked();
        settle();
      };
      const refuse = (error: unknown): void => {
        if (!isOver) end(() => reject(toOpenError(error, name)));
      };
      const cancelTimeout = clock.after(openTimeoutMs, () =>
        refuse(new DOMException(`no answer within ${openTimeoutMs} ms`, 'TimeoutError')),
      );
      const onBlocked = (): void => {
        cancelBlocked = clock.after(blockedTimeoutMs, () => refuse(this.#blocked()));
      };
      // a timer that ended it would leave the page with a lesser store, and what is stored hidden
      const onUpgrade = (): void => {
        cancelTimeout();
        cancelBlocked();
      };
      openNative(name, { ...handlers, onUpgrade }, onBlocked).then((database) => {
        // too late for whoever asked: do not stand in other tabs' way
        if (isOver) database.close();
        else end(() => resolve(database));
      }, refuse);
    });
  }

  #blocked(): CodedError {
    const { name, blockedTimeoutMs } = this.#options;
    return new CodedError('state/blocked', `another tab holds the database ${name}: close it and try again`, {
      fields: { store: name, blockedTimeoutMs },
      isRetryable: true,
    });
  }
}

/** Half an upgrade is none: the opening fails, and says why. */
function abandon(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch {
    // a request that failed has ended it already
  }
}

// async, so that an engine that throws at once rejects like one that refuses later
async function openNative(
  name: string,
  { onLost, onUpgrade, onVersionChange, onTerminated }: Handlers,
  onBlocked: () => void,
): Promise<IDBDatabase> {
  const database = await openDB(name, schemaVersion, {
    upgrade: (opened, ...[, , transaction, event]) => {
      const { dataLoss, dataLossMessage } = event as LossReport;
      if (dataLoss === 'total') onLost(dataLossMessage ?? 'the browser gives no reason');
      onUpgrade();
      upgradeLayout(opened, transaction).catch(() => abandon(transaction));
    },
    blocked: onBlocked,
    blocking: onVersionChange,
    terminated: onTerminated,
  });
  return unwrap(database);
}
