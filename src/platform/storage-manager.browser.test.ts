import { expect, test, vi } from 'vitest';
import { estimateStorage, persistStorage } from './storage-manager.ts';

test('a browser says how much there is', async () => {
  const { usageBytes, quotaBytes, isPersisted } = await estimateStorage();
  expect(usageBytes).toBeGreaterThanOrEqual(0);
  expect(quotaBytes).toBeGreaterThan(1_000_000);
  expect(typeof isPersisted).toBe('boolean');
  expect(typeof (await persistStorage())).toBe('boolean');
});

test('a platform that knows nothing, or refuses, is no error', async () => {
  const unknown = { usageBytes: undefined, quotaBytes: undefined, isPersisted: false };
  const refuse = (): Promise<never> => Promise.reject(new TypeError('refused'));
  for (const navigator of [{}, { storage: { estimate: refuse, persisted: refuse, persist: refuse } }]) {
    vi.stubGlobal('navigator', navigator);
    expect(await estimateStorage()).toEqual(unknown);
    expect(await persistStorage()).toBe(false);
    vi.unstubAllGlobals();
  }
});
