/** The one place that events pass. It costs two comparisons when nobody listens. */
import type { Clock } from '../platform/index.ts';
import { systemClock } from '../platform/index.ts';
import type { EventOf, StampedEvent, TelemetryEvent } from './event.ts';

export type Listener = (event: StampedEvent) => void;

/** A step down that the platform forced: what is used, in the place of what, and why. */
export type Degradation = EventOf<'platform-degrade'> & { readonly atMs: number };

/** Different steps that a hub remembers; there are about ten. */
const maxDegradations = 100;

export interface Hub {
  /** Whether anybody listens; build costly events only then. */
  readonly isActive: boolean;
  /**
   * Every different `platform-degrade` event so far, the first 100: they come when a page is being set up, before
   * whoever wants to know can listen.
   */
  readonly degradations: readonly Degradation[];
  emit(event: TelemetryEvent): void;
  /** Passes an event that was stamped in another realm. */
  forward(event: StampedEvent): void;
  /** The returned function ends the subscription. */
  subscribe(listener: Listener): () => void;
}

/** A listener that throws is dropped from that event only: telemetry never fails the work it watches. */
export function createHub(clock: Clock = systemClock): Hub {
  const listeners = new Set<Listener>();
  const degradations = new Map<string, Degradation>();
  const remember = (event: Degradation): void => {
    const step = JSON.stringify([event.what, event.from, event.to]);
    if (!degradations.has(step) && degradations.size < maxDegradations) degradations.set(step, event);
  };
  const forward = (event: StampedEvent): void => {
    if (event.type === 'platform-degrade') remember(event);
    for (const listener of listeners) {
      try {
        listener(event);
      } catch {
        // a broken listener must not break the caller
      }
    }
  };
  return {
    get isActive() {
      return listeners.size > 0;
    },
    get degradations() {
      return [...degradations.values()];
    },
    emit(event) {
      if (listeners.size > 0 || event.type === 'platform-degrade') forward({ ...event, atMs: clock.now() });
    },
    forward,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A hub that nobody can listen to, for code that was given none. */
export const silentHub: Hub = {
  isActive: false,
  degradations: [],
  emit: () => undefined,
  forward: () => undefined,
  subscribe: () => () => undefined,
};
