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

/** Runs `work` while holding `name`, or answers `{ held: false }` at once when somebody else has it. */
export async function tryLock<T>(
  name: string,
  work: () => Promise<T>,
): Promise<{ readonly held: true; readonly value: T } | { readonly held: false }> {
  return navigator.locks.request(name, { ifAvailable: true }, async (lock) =>
    lock ? { held: true as const, value: await work() } : { held: false as const },
  );
}
