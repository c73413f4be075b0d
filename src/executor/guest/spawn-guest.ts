/** Starts the guest's worker: classic, from a blob, the only kind that runs in an opaque origin. */
import { spawnWorker } from '../../platform/index.ts';

/** @param url an object URL of the worker's source */
export function spawnGuest(url: string): Worker {
  return spawnWorker(() => new Worker(url));
}
