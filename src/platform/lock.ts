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

/** A lock of ours. */
export interface HeldLock {
  /** Gives it back; harmless when it is gone already. */
  release(): void;
  /** Resolves when it is ours no more: given back, or taken by somebody who stole it. */
  readonly ended: Promise<'released' | 'stolen'>;
}

export interface LockRequest {
  /** Gives up the wait; the request rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Takes the lock from whoever has it, at once. Its holder is told, and goes on running. Default false. */
  readonly isStealing?: boolean;
}

/** Exclusive locks by name, shared by whoever can reach them. */
export interface Locks {
  /** Resolves once `name` is held, in the order of requests. */
  request(name: string, options?: LockRequest): Promise<HeldLock>;
}

/** The locks of the origin: Web Locks. The browser frees those of a realm that is gone. */
export const systemLocks: Locks = {
  request(name, { signal, isStealing = false } = {}) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      let end!: (how: 'released' | 'stolen') => void;
      const ended = new Promise<'released' | 'stolen'>((settle) => (end = settle));
      // the platform refuses a signal together with stealing, which does not wait
      const options = isStealing ? { steal: true } : signal ? { signal } : {};
      navigator.locks
        .request(
          name,
          options,
          () =>
            new Promise<void>((free) => {
              resolve({ release: free, ended });
            }),
        )
        .then(
          () => end('released'),
          (error: unknown) => {
            // before the lock is held this is the answer; afterwards it says that it was stolen
            reject(error as Error);
            end('stolen');
          },
        );
    });
  },
};

interface Waiter {
  grant(): void;
}

/** A twin of {@link systemLocks} within one realm. */
export function createSimulatedLocks(): Locks {
  const holders = new Map<string, (how: 'released' | 'stolen') => void>();
  const queues = new Map<string, Waiter[]>();
  const hold = (name: string, resolve: (lock: HeldLock) => void): void => {
    let settle!: (how: 'released' | 'stolen') => void;
    const ended = new Promise<'released' | 'stolen'>((resolveEnd) => (settle = resolveEnd));
    const end = (how: 'released' | 'stolen'): void => {
      if (holders.get(name) !== end) return;
      holders.delete(name);
      settle(how);
      if (how === 'released') queues.get(name)?.shift()?.grant();
    };
    holders.set(name, end);
    resolve({ release: () => end('released'), ended });
  };
  return {
    request: (name, { signal, isStealing = false } = {}) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason as Error);
        if (isStealing) holders.get(name)?.('stolen');
        if (!holders.has(name)) return hold(name, resolve);
        const queue = queues.get(name) ?? [];
        queues.set(name, queue);
        const withdraw = (): void => {
          queue.splice(queue.indexOf(waiter), 1);
          reject(signal?.reason as Error);
        };
        const waiter: Waiter = {
          grant() {
            signal?.removeEventListener('abort', withdraw);
            hold(name, resolve);
          },
        };
        queue.push(waiter);
        signal?.addEventListener('abort', withdraw, { once: true });
      }),
  };
}
