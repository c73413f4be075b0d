import { expect, test } from 'vitest';
import { describeLocks } from './lock.contract.ts';
import { holdLock, holdLockIfFree, lockFreed, systemLocks } from './lock.ts';

describeLocks('web locks', systemLocks);

const unique = (): string => `lock-${crypto.randomUUID()}`;
const held = async (): Promise<string[]> =>
  ((await navigator.locks.query()).held ?? []).map((lock) => lock.name ?? '');
const pending = async (): Promise<string[]> =>
  ((await navigator.locks.query()).pending ?? []).map((lock) => lock.name ?? '');

test('a lock is held until it is released; whoever waits hears of it then', async () => {
  const name = unique();
  const lock = await holdLock(name);
  let isFreed = false;
  const freed = lockFreed(name, new AbortController().signal).then(() => (isFreed = true));
  await expect.poll(pending).toContain(name);
  expect(isFreed).toBe(false);
  lock.release();
  await freed;
  await expect.poll(held).not.toContain(name);
});

test('a lock that somebody has is refused at once, and free again after its release', async () => {
  const name = unique();
  const first = await holdLockIfFree(name);
  expect(await holdLockIfFree(name)).toBeUndefined();
  first?.release();
  await expect.poll(held).not.toContain(name);
  const second = await holdLockIfFree(name);
  expect(second).toBeDefined();
  second?.release();
});

test('a wait that is given up leaves no request behind', async () => {
  const name = unique();
  const lock = await holdLock(name);
  const controller = new AbortController();
  const waiting = lockFreed(name, controller.signal).catch((error: unknown) => (error as Error).name);
  await expect.poll(pending).toContain(name);
  controller.abort();
  expect(await waiting).toBe('AbortError');
  expect(await pending()).not.toContain(name);
  lock.release();
});
