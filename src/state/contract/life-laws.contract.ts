/* oxlint-disable vitest/no-standalone-expect -- laws are run by describeStore and by tests of broken stores */
/** Watching, cancelling, closing. */
import { expect } from 'vitest';
import { atomicLaw, codeOf, law, put, putAll } from './store-law.contract.ts';
import type { StoreLaw } from './store-law.contract.ts';
import type { Change } from '../store.ts';

/** Laws of a store in use, up to its end. */
export const lifeLaws: readonly StoreLaw[] = [
  law('watchers hear committed changes under their prefix, in order', async (store) => {
    if (!store.capabilities.watch) return;
    const heard: Change[] = [];
    const stop = store.watch(['a'], (change) => heard.push(change));
    store.watch(['a'], () => {
      throw new Error('a broken listener');
    });
    const late: Change[] = [];
    store.watch(['a', 'x'], (change) => late.push(change));
    await putAll(store, [put(['a', 'x'], 1), put(['b'], 1)]);
    await codeOf(store.commit([put(['a', 'x'], 2, 0)]));
    await putAll(store, [put(['a', 'x'], 3), put(['a', 'y'], 1)]);
    await store.commit([{ type: 'delete', key: ['a', 'x'] }]);
    await store.commit([{ type: 'delete', key: ['a', 'never'] }]);
    stop();
    await store.commit([put(['a', 'x'], 5)]);
    expect(heard.map(({ type, key, revision, isLocal }) => [type, key[1], revision, isLocal])).toEqual([
      ['put', 'x', 1, true],
      ['put', 'x', 2, true],
      ['put', 'y', 1, true],
      ['delete', 'x', 3, true],
    ]);
    expect(late.length).toBe(4);
  }),
  atomicLaw('of a key that a commit writes twice the watchers hear once', async (store) => {
    if (!store.capabilities.watch) return;
    const heard: Change[] = [];
    store.watch([], (change) => heard.push(change));
    await store.commit([put(['x'], 3), put(['x'], 4), put(['y'], 1)]);
    expect(heard.map(({ type, key, revision }) => [type, key[0], revision])).toEqual([
      ['put', 'x', 2],
      ['put', 'y', 1],
    ]);
  }),
  law('watchers are bounded', async (store) => {
    if (!store.capabilities.watch) return;
    for (let index = 0; index < 1000; index++) store.watch([], () => undefined);
    expect(() => store.watch([], () => undefined)).toThrow(
      expect.objectContaining({ code: 'state/watch-limit' }) as Error,
    );
  }),
  law('an aborted commit is cancelled and applies nothing', async (store) => {
    const reason = AbortSignal.abort();
    expect(await codeOf(store.commit([put(['k'], 1)], { signal: reason }))).toBe('port/cancelled');
    expect(await store.get(['k'])).toBeUndefined();
    const controller = new AbortController();
    const committing = store.commit([put(['k'], 1)], { signal: controller.signal });
    controller.abort();
    const isCommitted = await committing.then(
      () => true,
      (error: unknown) => {
        expect(error).toMatchObject({ code: 'port/cancelled' });
        return false;
      },
    );
    expect((await store.get(['k'])) !== undefined).toBe(isCommitted);
  }),
  law('close lets commits settle and refuses what comes after', async (store) => {
    const committing = Promise.allSettled([store.commit([put(['a'], 1)]), store.commit([put(['b'], 1)])]);
    await store.close();
    expect((await committing).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    await store.close();
    expect(await codeOf(store.get(['a']))).toBe('state/closed');
    expect(await codeOf(store.list([]))).toBe('state/closed');
    expect(await codeOf(store.history(['a']))).toBe('state/closed');
    expect(await codeOf(store.commit([put(['a'], 1)]))).toBe('state/closed');
    expect(await codeOf(store.commitEach([[put(['a'], 1)]]))).toBe('state/closed');
    expect(await codeOf(store.estimate())).toBe('state/closed');
    expect(() => store.watch([], () => undefined)).toThrow(
      expect.objectContaining({ code: 'state/closed' }) as Error,
    );
  }),
  law('estimate answers', async (store) => {
    const { usageBytes, quotaBytes, isPersisted } = await store.estimate();
    for (const bytes of [usageBytes, quotaBytes]) expect(bytes === undefined || bytes >= 0).toBe(true);
    expect(typeof isPersisted).toBe('boolean');
  }),
];
