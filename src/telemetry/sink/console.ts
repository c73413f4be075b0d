/** Writes events to the console, one line each: failures as warnings. The only place that logs. */
import type { StampedEvent } from '../event.ts';
import type { Hub } from '../hub.ts';

/** @param accept which events are written; default all */
export function attachConsoleSink(
  hub: Hub,
  accept: (event: StampedEvent) => boolean = () => true,
): () => void {
  return hub.subscribe((event) => {
    if (!accept(event)) return;
    const { type, atMs, ...rest } = event;
    const write = 'error' in event ? console.warn : console.info;
    write(`${new Date(atMs).toISOString()} ${type}`, rest);
  });
}
