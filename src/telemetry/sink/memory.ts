/** Keeps the last events, for tests and for the inspector. */
import type { EventOf, EventType, StampedEvent } from '../event.ts';
import type { Hub } from '../hub.ts';

export interface MemorySink extends Disposable {
  readonly events: readonly StampedEvent[];
  ofType<T extends EventType>(type: T): readonly (EventOf<T> & { readonly atMs: number })[];
  clear(): void;
}

/** @param capacity events kept, oldest dropped first; default 1,000 */
export function createMemorySink(hub: Hub, capacity: number = 1000): MemorySink {
  const events: StampedEvent[] = [];
  const unsubscribe = hub.subscribe((event) => {
    events.push(event);
    if (events.length > capacity) events.shift();
  });
  return {
    events,
    ofType: (type) => events.filter((event) => event.type === type) as never,
    clear: () => void events.splice(0),
    [Symbol.dispose]: unsubscribe,
  };
}
