import { describe as group, expect, test } from 'vitest';
import { settleEach } from './settle-each.ts';

group('settling each', () => {
  test('nothing begins after the stop: the places that had not begun are holes', async () => {
    const begun: number[] = [];
    const { outcomes, stoppedBy } = await settleEach<number>(
      { count: 6, maxConcurrency: 2, around: [], stopsAfter: ({ ok }) => !ok },
      async (index) => {
        begun.push(index);
        await Promise.resolve();
        if (index === 1) throw new Error('one');
        return index;
      },
    );
    expect(begun).toEqual([0, 1, 2]);
    expect(outcomes).toEqual([
      { ok: true, value: 0 },
      { ok: false, error: new Error('one') },
      { ok: true, value: 2 },
      undefined,
      undefined,
      undefined,
    ]);
    expect(stoppedBy).toEqual({ ok: false, error: new Error('one') });
  });

  test('only the first stop counts', async () => {
    const { stoppedBy } = await settleEach<number>(
      { count: 3, maxConcurrency: 3, around: [], stopsAfter: () => true },
      async (index) => index,
    );
    expect(stoppedBy).toEqual({ ok: true, value: 0 });
  });

  test('no listener stays on the signals around it', async () => {
    const { signal } = new AbortController();
    const listeners = new Set<unknown>();
    signal.addEventListener = (_: string, listener: unknown) => void listeners.add(listener);
    signal.removeEventListener = (_: string, listener: unknown) => void listeners.delete(listener);
    let most = 0;
    await settleEach<void>(
      { count: 3, maxConcurrency: 1, around: [signal, undefined], stopsAfter: () => false },
      async () => {
        most = Math.max(most, listeners.size);
      },
    );
    expect([most, listeners.size]).toEqual([1, 0]);
  });

  test('a signal that was aborted before lets nothing begin', async () => {
    const reason = new Error('before');
    const running = settleEach<void>(
      { count: 3, maxConcurrency: 1, around: [AbortSignal.abort(reason)], stopsAfter: () => false },
      () => Promise.reject(new Error('begun')),
    );
    await expect(running).rejects.toMatchObject({ code: 'port/cancelled', cause: reason });
  });
});
