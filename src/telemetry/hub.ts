/** The one place that events pass. It costs one comparison when nobody listens. */
import type { Clock } from '../platform/index.ts';
import { systemClock } from '../platform/index.ts';
import type { StampedEvent, TelemetryEvent } from './event.ts';

export type Listener = (event: StampedEvent) => void;

export interface Hub {
  /** Whether anybody listens; build costly events only then. */
  readonly isActive: boolean;
  emit(event: TelemetryEvent): void;
  /** Passes an event that was stamped in another realm. */
  forward(event: StampedEvent): void;
  /** The returned function ends the subscription. */
  subscribe(listener: Listener): () => void;
}

/** A listener that throws is dropped from that event only: telemetry never fails the work it watches. */
export function createHub(clock: Clock = systemClock): Hub {
  const listeners = new Set<Listener>();
  const forward = (event: StampedEvent): void => {
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
    emit(event) {
      if (listeners.size > 0) forward({ ...event, atMs: clock.now() });
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
  emit: () => undefined,
  forward: () => undefined,
  subscribe: () => () => undefined,
};
