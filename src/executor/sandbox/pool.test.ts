import { expect, test } from 'vitest';
import { SandboxPool } from './pool.ts';
import type { Sandbox } from './sandbox.ts';

/** Interpreters that start when they are told to. */
function createPool(size: number) {
  const starts: (() => void)[] = [];
  const killed: number[] = [];
  const pool = new SandboxPool(() => {
    const number = starts.length;
    const sandbox = { number, isReachable: async () => true, kill: () => void killed.push(number) };
    return new Promise((resolve) => starts.push(() => resolve(sandbox as unknown as Sandbox)));
  }, size);
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
