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

test('what comes back is renewed and waits, behind the others and no more than may; without renewal it ends', async () => {
  const events: string[] = [];
  const create = (name: string, isAlive: boolean = true) =>
    ({
      name,
      isAlive,
      isReachable: async () => isAlive,
      renew: () => void events.push(`renew ${name}`),
      kill: (cause: string) => void events.push(`${cause} ${name}`),
    }) as unknown as Sandbox;
  const pool = new SandboxPool(() => Promise.resolve(create('new')), 0, 2);
  for (const name of ['a', 'b', 'c']) pool.release(create(name));
  pool.release(create('dead', false));
  expect(events).toEqual(['renew a', 'renew b', 'used c', 'used dead']);
  expect([await pool.acquire(), await pool.acquire(), await pool.acquire()]).toMatchObject([
    { name: 'a' },
    { name: 'b' },
    { name: 'new' },
  ]);
  new SandboxPool(() => Promise.resolve(create('new')), 0).release(create('once'));
  pool.dispose();
  pool.release(create('late'));
  expect(events.slice(4)).toEqual(['used once', 'used late']);
});
