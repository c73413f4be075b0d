/** Ways to get a realm that hosts actors. */
import { spawnWorker } from '../platform/index.ts';
import { createLoopback, createMessagePort } from '../port/index.ts';
import type { StartBehaviour } from './behaviour.ts';
import { Host } from './host.ts';
import type { HostOptions } from './host.ts';
import type { Realm } from './slot.ts';

/** A Web Worker whose entry calls `serve`. */
export function workerRealm(create: () => Worker): Realm {
  const worker = spawnWorker(create);
  return {
    port: createMessagePort(worker),
    terminate: () => worker.terminate(),
    onLoadError(listener) {
      let isLoaded = false;
      worker.addEventListener('message', () => (isLoaded = true), { once: true });
      worker.addEventListener('error', (event) => {
        if (!isLoaded) listener(event.message || 'no reason was given');
      });
    },
    onUncaught(listener) {
      worker.addEventListener('error', (event) => listener(event.message || 'no reason was given'));
    },
  };
}

/** A host in this very realm, for platforms without workers and for tests. It cannot be killed when it hangs. */
export function inThreadRealm(
  kinds: Readonly<Record<string, StartBehaviour>>,
  options: HostOptions = {},
): Realm {
  const [page, inside] = createLoopback();
  const host = new Host(inside, kinds, { ...options, holdsLock: false });
  return { port: page, terminate: () => host.close(), onLoadError: () => undefined };
}
