import { expect, test } from 'vitest';
import { SandboxPool } from './pool.ts';
import type { Sandbox } from './sandbox.ts';

/** Interpreters that start when they are told to. */
function createPool(size: number, kept = 0) {
  const starts: (() => void)[] = [];
  const killed: number[] = [];
  const pool = new SandboxPool(
    () => {
      const number = starts.length;
      const sandbox = {
        number,
        isAlive: true,
        isReachable: async () => true,
        renew: () => undefined,
        kill: () => void killed.push(number),
      };
      return new Promise((resolve) => starts.push(() => resolve(sandbox as unknown as Sandbox)));
    },
    size,
    kept,
  );
  return { pool, starts, killed };
}

test('an abort during a start settles at once; the start serves the next one', async () => {
  const { pool, starts, killed } = createPool(0);
  for (let round = 0; round < 10; round += 1) {
    const controller = new AbortController();
    const taken = pool.acquire(controller.signal);
    controller.abort();
    expect(await taken).toBe(undefined);
  }
  expect(starts).toHaveLength(1);
  const taken = pool.acquire();
  starts[0]?.();
  expect(await taken).toMatchObject({ number: 0 });
  expect(killed).toEqual([]);
  expect(await pool.acquire(AbortSignal.abort())).toBe(undefined);
});

test('what nobody wants once it has started is ended', async () => {
  const { pool, starts, killed } = createPool(0);
  const controller = new AbortController();
  const taken = pool.acquire(controller.signal);
  controller.abort();
  await taken;
  starts[0]?.();
  await expect.poll(() => killed).toEqual([0]);
});

test('whoever waits for a start gets what comes back first, in order of call; what was being started waits for the next', async () => {
  const { pool, starts, killed } = createPool(0, 4);
  const first = pool.acquire();
  starts[0]?.();
  const sandbox = await first;
  const [second, third] = [pool.acquire(), pool.acquire()];
  pool.release(sandbox);
  expect(await second).toBe(sandbox);
  pool.release(sandbox);
  expect(await third).toBe(sandbox);
  expect(starts).toHaveLength(3);
  starts[1]?.();
  starts[2]?.();
  const numbers = [await pool.acquire(), await pool.acquire()].map(
    (one) => Reflect.get(one, 'number') as number,
  );
  expect(new Set(numbers)).toEqual(new Set([1, 2]));
  expect(killed).toEqual([]);
});
