/** The facts of "This page", gathered from the platform and from events. */
import type { StatusFact } from '../../elements/index.ts';
import type { Store } from '../../state/index.ts';
import type { StampedEvent } from '../../telemetry/index.ts';
import type { ViewState } from './view-state.ts';

const order = ['Storage', 'Python', 'Numbers', 'Isolation'];

/** Keeps one fact per name. */
export class StatusControl {
  readonly #state: ViewState;
  readonly #facts = new Map<string, StatusFact>();

  constructor(state: ViewState) {
    this.#state = state;
    this.#set(isolation());
    this.#set({ name: 'Python', value: 'Starting', level: 'unknown' });
    this.#set({ name: 'Numbers', value: 'Not used yet', level: 'unknown' });
  }

  /** How durable what is acknowledged is. */
  describeStore(store: Store): void {
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
