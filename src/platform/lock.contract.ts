/** The laws of `Locks`. */
import { describe, expect, test } from 'vitest';
import type { Locks } from './lock.ts';

/** Whether `promise` has settled by the time that others of the realm had their turns. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const late = new Promise((resolve) => setTimeout(resolve, 20, 'late'));
  return (await Promise.race([promise, late])) === 'late';
}

/** One test per law. Names of locks are made afresh for each. */
export function describeLocks(name: string, locks: Locks): void {
  const unique = (): string => `lock-${crypto.randomUUID()}`;

  describe(`${name} keeps the laws of locks`, () => {
    test('one holder at a time, in the order of requests', async () => {
      const lock = unique();
      const order: number[] = [];
      const first = await locks.request(lock);
      const others = [1, 2, 3].map(async (each) => {
        const held = await locks.request(lock);
        order.push(each);
        held.release();
      });
      expect(await isPending(Promise.race(others))).toBe(true);
      expect(order).toEqual([]);
      first.release();
      expect(await first.ended).toBe('released');
      await Promise.all(others);
      expect(order).toEqual([1, 2, 3]);
    });

    test('other names are other locks', async () => {
      const held = await Promise.all([locks.request(unique()), locks.request(unique())]);
      for (const lock of held) lock.release();
      expect(await Promise.all(held.map(({ ended }) => ended))).toEqual(['released', 'released']);
    });

    test('a wait that is given up rejects with the reason, and its place is free', async () => {
      const lock = unique();
      const first = await locks.request(lock);
      const controller = new AbortController();
      const given = locks.request(lock, { signal: controller.signal });
      const next = locks.request(lock);
      controller.abort(new Error('enough'));
      await expect(given).rejects.toThrow('enough');
      await expect(locks.request(lock, { signal: controller.signal })).rejects.toThrow('enough');
      first.release();
      (await next).release();
    });

    test('a signal that aborts later takes nothing away', async () => {
      const controller = new AbortController();
      const held = await locks.request(unique(), { signal: controller.signal });
      controller.abort();
      expect(await isPending(held.ended)).toBe(true);
      held.release();
    });

    test('who steals has it at once; the holder is told, and its release changes nothing', async () => {
      const lock = unique();
      const first = await locks.request(lock);
      const waiting = locks.request(lock);
      const thief = await locks.request(lock, { isStealing: true });
      expect(await first.ended).toBe('stolen');
      first.release();
      expect(await isPending(Promise.race([thief.ended, waiting]))).toBe(true);
      thief.release();
      (await waiting).release();
    });

    test('what is free may be stolen too', async () => {
      const held = await locks.request(unique(), { isStealing: true });
      held.release();
      held.release();
      expect(await held.ended).toBe('released');
    });
  });
}
