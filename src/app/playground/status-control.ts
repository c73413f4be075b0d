/** The facts of "This page", gathered from the platform and from events. */
import type { StatusFact } from '../../elements/index.ts';
import { persistStorage } from '../../platform/index.ts';
import type { Store } from '../../state/index.ts';
import type { StampedEvent } from '../../telemetry/index.ts';
import type { ViewState } from './view-state.ts';

const order = ['Storage', 'Used', 'Python', 'Numbers', 'Isolation'];

/** Keeps one fact per name. */
export class StatusControl {
  readonly #state: ViewState;
  readonly #facts = new Map<string, StatusFact>();
  readonly #persist: () => Promise<boolean>;
  #asking: Promise<boolean> | undefined;

  /** @param persist asks the browser not to evict what is stored */
  constructor(state: ViewState, persist: () => Promise<boolean> = persistStorage) {
    this.#state = state;
    this.#persist = persist;
    this.#set(isolation());
    this.#set({ name: 'Python', value: 'Starting', level: 'unknown' });
    this.#set({ name: 'Numbers', value: 'Not used yet', level: 'unknown' });
  }

  /** Durability of the store and what the browser says about space. */
  async describeStore(store: Store): Promise<void> {
    const { durable, strict } = store.capabilities;
    this.#set(
      durable
        ? {
            name: 'Storage',
            value: strict ? 'IndexedDB, strict' : 'IndexedDB, relaxed',
            level: strict ? 'ok' : 'warning',
            detail: strict
              ? 'What is acknowledged was committed with a flush asked for.'
              : 'What is acknowledged was committed; a loss of power may take the latest.',
          }
        : {
            name: 'Storage',
            value: 'Memory only',
            level: 'error',
            detail: 'This browser refuses storage here: nothing outlives this page.',
          },
    );
    await this.refreshUsage(store);
  }

  /** There is something to keep now: asks once that it is not evicted, and shows the answer. */
  async keepStored(store: Store): Promise<void> {
    if (store.capabilities.durable) await (this.#asking ??= this.#persist());
    await this.refreshUsage(store);
  }

  async refreshUsage(store: Store): Promise<void> {
    const { usageBytes, quotaBytes, isPersisted } = await store.estimate();
    if (usageBytes === undefined)
      return this.#set({ name: 'Used', value: 'Not told by this browser', level: 'unknown' });
    const ratio = quotaBytes ? usageBytes / quotaBytes : undefined;
    this.#set({
      name: 'Used',
      value: quotaBytes ? `${bytes(usageBytes)} of ${bytes(quotaBytes)}` : bytes(usageBytes),
      level: (ratio ?? 0) > 0.9 ? 'warning' : 'ok',
      ...(ratio === undefined ? {} : { ratio }),
      detail: isPersisted
        ? 'The browser promised not to evict it.'
        : 'The browser may evict it when space is short.',
    });
  }

  onEvent(event: StampedEvent): void {
    if (event.type === 'device-select')
      this.#set({ name: 'Numbers', value: event.device, level: 'ok', detail: event.reason });
    else if (event.type === 'sandbox-start')
      this.#set({
        name: 'Python',
        value: 'Ready in its sandbox',
        level: 'ok',
        detail: `An interpreter took ${(event.durationMs / 1000).toFixed(1)} s to start. It can reach no network, storage or page.`,
      });
    else if (event.type === 'sandbox-fail')
      this.#set({
        name: 'Python',
        value: 'Could not start',
        level: 'error',
        detail: `${event.error.message} The next run tries again.`,
      });
    else if (event.type === 'sandbox-kill' && event.cause !== 'disposed')
      this.#set({
        name: 'Python',
        value: 'Sandbox ended',
        level: 'ok',
        detail: `${event.cause}; the next run has a fresh one.`,
      });
  }

  #set(fact: StatusFact): void {
    this.#facts.set(fact.name, fact);
    const facts = order.map((name) => this.#facts.get(name)).filter((known) => known !== undefined);
    this.#state.update({ facts });
  }
}

function isolation(): StatusFact {
  return crossOriginIsolated
    ? {
        name: 'Isolation',
        value: 'Cross-origin isolated',
        level: 'ok',
        detail: 'Stuck Python is interrupted before it is ended.',
      }
    : {
        name: 'Isolation',
        value: 'Not isolated',
        level: 'warning',
        detail: 'The host sent no COOP and COEP headers: stuck Python is ended without being asked.',
      };
}

function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, count > 0 ? Math.floor(Math.log10(count) / 3) : 0);
  return `${(count / 1000 ** power).toLocaleString(undefined, { maximumFractionDigits: power > 1 ? 1 : 0 })} ${units[power]}`;
}
