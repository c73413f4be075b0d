/**
 * Web Locks as a sign of life: a lock is held by a realm and the browser frees it when the realm is gone,
 * whatever killed it. The only place that touches `navigator.locks`.
 */

export const hasLocks: boolean = typeof navigator !== 'undefined' && 'locks' in navigator;

/** Resolves once `name` is held; it stays held until `release` is called or the realm ends. */
export function holdLock(name: string): Promise<{ release(): void }> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, () => new Promise<void>((release) => resolve({ release })))
      .catch((error: unknown) => reject(error as Error));
  });
}

/** Resolves when nobody holds `name` any more. The wait itself is dropped when `signal` aborts. */
export async function lockFreed(name: string, signal: AbortSignal): Promise<void> {
  await navigator.locks.request(name, { signal }, () => undefined);
}

/** Holds `name` when nobody has it; undefined at once when somebody does. */
export function holdLockIfFree(name: string): Promise<{ release(): void } | undefined> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, { ifAvailable: true }, (lock) => {
        if (!lock) return resolve(undefined);
        return new Promise<void>((release) => resolve({ release }));
      })
      .catch((error: unknown) => reject(error as Error));
  });
}
