import 'fake-indexeddb/auto';
import { describe, expect, it } from 'vitest';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { describeFaults } from './fault.contract.ts';
import { openIndexedDbStore } from './indexeddb.ts';

describeFaults('indexeddb (simulated)', (name) => openIndexedDbStore({ name }));

describe('notices to other realms', () => {
  const put = (key: string) => [{ type: 'put', key: [key], value: 1 }] as const;
  const noticeOf = (key: string): unknown => ({
    type: 'store-change',
    changes: expect.stringContaining(JSON.stringify([key])) as string,
  });

  it('leave after the commit was answered, in order, and before the store is closed', async () => {
    const sent: unknown[] = [];
    const store = await openIndexedDbStore({
      name: 'notices',
      openBroadcast: () => ({
        post: (message) => void sent.push(message),
        [Symbol.dispose]: () => void sent.push('closed'),
      }),
    });
    await store.commit(put('first'));
    expect(sent).toEqual([]);
    await expect.poll(() => sent).toMatchObject([noticeOf('first')]);
    await store.commit(put('second'));
    await store.commit(put('third'));
    await store.close();
    expect(sent).toEqual([...['first', 'second', 'third'].map(noticeOf), 'closed']);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sent).toHaveLength(4);
  });

  it('that cannot be sent are told to the hub; the commit stands', async () => {
    const hub = createHub();
    const sink = createMemorySink(hub);
    const store = await openIndexedDbStore({
      name: 'no notices',
      hub,
      openBroadcast: () => ({
        post: () => {
          throw new Error('no channel');
        },
        [Symbol.dispose]: () => undefined,
      }),
    });
    await store.commit(put('kept'));
    await expect
      .poll(() => sink.ofType('store-fail'))
      .toMatchObject([{ store: 'no notices', error: { code: 'state/notice-failed' } }]);
    expect(await store.get(['kept'])).toMatchObject({ revision: 1 });
    await store.close();
  });
});
