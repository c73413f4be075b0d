import { expect, test } from 'vitest';
import { SandboxPool } from './pool.ts';
import type { Sandbox } from './sandbox.ts';

/** Interpreters that start, or fail to, when they are told to. */
function createPool(size: number, kept = 0) {
  const starts: (() => void)[] = [];
  const fails: (() => void)[] = [];
  const killed: number[] = [];
  const dead = new Set<number>();
  const pool = new SandboxPool(
    () => {
      const number = starts.length;
      const sandbox = {
        number,
        isAlive: true,
        isReachable: async () => !dead.has(number),
        renew: () => undefined,
        kill: () => void killed.push(number),
      };
      return new Promise((resolve, reject) => {
        starts.push(() => resolve(sandbox as unknown as Sandbox));
        fails.push(() => reject(new Error(`start ${number} failed`)));
      });
    },
    size,
    kept,
  );
  return { pool, starts, fails, killed, dead };
}

const numberOf = (sandbox: Sandbox | undefined): number => Reflect.get(sandbox as object, 'number') as number;
/** Ends when everything has been done that waits for nothing outside. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

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
  const numbers = [await pool.acquire(), await pool.acquire()].map(numberOf);
  expect(new Set(numbers)).toEqual(new Set([1, 2]));
  expect(killed).toEqual([]);
});

test.each([
  { title: 'none is kept', size: 0, kept: 0 },
  { title: 'some are started ahead and kept', size: 2, kept: 4 },
])('whatever starts first serves who came first, where $title', async ({ size, kept }) => {
  const { pool, starts } = createPool(size, kept);
  const served: number[] = [];
  const taken = Array.from({ length: 5 }, (_, caller) => pool.acquire().then(() => served.push(caller)));
  for (let place = 4; place >= 0; place -= 1) {
    starts[place]?.();
    await settled();
  }
  await Promise.all(taken);
  expect(served).toEqual([0, 1, 2, 3, 4]);
});

test('whoever was handed a dead one keeps its place', async () => {
  const { pool, starts, dead } = createPool(2);
  starts[0]?.();
  starts[1]?.();
  await settled();
  dead.add(0).add(1);
  const served: number[] = [];
  const taken = [0, 1, 2].map((caller) => pool.acquire().then(() => served.push(caller)));
  await settled();
  while (served.length < 3) {
    for (const start of starts.toReversed()) start();
    await settled();
  }
  await Promise.all(taken);
  expect(served).toEqual([0, 1, 2]);
});

test('a start that was begun before somebody came is tried again for them; one of their own is told', async () => {
  const { pool, starts, fails } = createPool(1);
  const [first, second] = [0, 1].map(() => pool.acquire().catch((error: Error) => error.message));
  expect(starts).toHaveLength(2);
  fails[0]?.();
  await settled();
  expect(starts).toHaveLength(3);
  fails[1]?.();
  expect(await first).toBe('start 1 failed');
  fails[2]?.();
  expect(await second).toBe('start 2 failed');
  expect(starts).toHaveLength(3);
});

test('a start that failed while nobody waited is tried again when somebody comes', async () => {
  const { pool, starts, fails } = createPool(1);
  fails[0]?.();
  await settled();
  expect(starts).toHaveLength(1);
  const taken = pool.acquire();
  expect(starts).toHaveLength(2);
  starts[1]?.();
  expect(numberOf(await taken)).toBe(1);
  expect(starts).toHaveLength(3);
});

test('disposing ends what waits, and what starts for nobody', async () => {
  const { pool, starts, killed } = createPool(2);
  starts[0]?.();
  await settled();
  pool.dispose();
  expect(killed).toEqual([0]);
  starts[1]?.();
  await expect.poll(() => killed).toEqual([0, 1]);
});
