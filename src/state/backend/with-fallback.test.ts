import 'fake-indexeddb/auto';
import { describe, expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { describeStore } from '../contract/store.contract.ts';
import type { Store } from '../store.ts';
import { createMemoryFolder } from './body-folder.contract.ts';
import { openIndexedDbStore } from './indexeddb.ts';
import { createMemoryStore } from './memory.ts';
import { openOpfsStore } from './opfs.ts';
import { fallbackOf, openPageStore, openWithFallback } from './with-fallback.ts';
import type { StoreCandidate } from './with-fallback.ts';

let count = 0;
const freshName = (): string => `chain-${count++}`;
const unavailable = (what: string) => (): Promise<Store> =>
  Promise.reject(new CodedError('state/storage-unavailable', `no ${what}`));

/** The chain of a page, where some of its links do not open. */
function chain(
  refused: readonly string[],
  options: { readonly keepHistory?: number } = {},
): StoreCandidate[] {
  const name = freshName();
  const folder = createMemoryFolder();
  const candidates: StoreCandidate[] = [
    { kind: 'opfs', open: () => openOpfsStore({ ...options, name, openFolder: async () => folder }) },
    { kind: 'indexeddb', open: () => openIndexedDbStore({ ...options, name }) },
    { kind: 'memory', open: () => createMemoryStore({ ...options, name: `${name} (memory)` }) },
  ];
  return candidates.map((each) =>
    refused.includes(each.kind) ? { kind: each.kind, open: unavailable(each.kind) } : each,
  );
}

// one law book for the store that was wanted and for each that stands in
describeStore('opfs, first of a chain', (wanted) => openWithFallback({ candidates: chain([], wanted) }));
describeStore('indexeddb in the place of opfs', (wanted) =>
  openWithFallback({ candidates: chain(['opfs'], wanted) }),
);
describeStore('memory in the place of both', (wanted) =>
  openWithFallback({ candidates: chain(['opfs', 'indexeddb'], wanted) }),
);

describe('falling back', () => {
  test('each step is an event; the store says what it stands in for, and what it can do', async () => {
    for (const [refused, degrades, durable] of [
      [[], [], true],
      [['opfs'], [['opfs', 'indexeddb']], true],
      [
        ['opfs', 'indexeddb'],
        [
          ['opfs', 'indexeddb'],
          ['indexeddb', 'memory'],
        ],
        false,
      ],
    ] as const) {
      const hub = createHub();
      const sink = createMemorySink(hub);
      await using store = await openWithFallback({ candidates: chain(refused), hub });
      expect(sink.ofType('platform-degrade').map(({ from, to }) => [from, to])).toEqual(degrades);
      expect(fallbackOf(store)).toEqual(
        refused.length === 0
          ? undefined
          : {
              from: 'opfs',
              to: degrades.at(-1)?.[1],
              reason: refused.map((kind) => `no ${kind}`).join('; '),
            },
      );
      expect(store.capabilities.durable).toBe(durable);
      expect(store.name.endsWith('(memory)')).toBe(!durable);
    }
  });

  test('nothing but unavailable storage is a reason, and of the last not even that', async () => {
    const memory = { kind: 'memory', open: createMemoryStore };
    for (const code of ['state/blocked', 'state/version-too-new', 'state/quota-exceeded'] as const) {
      const open = (): Promise<Store> => Promise.reject(new CodedError(code, 'no'));
      await expect(openWithFallback({ candidates: [{ kind: 'first', open }, memory] })).rejects.toMatchObject(
        { code },
      );
    }
    const last = { kind: 'last', open: unavailable('last') };
    await expect(openWithFallback({ candidates: [last] })).rejects.toMatchObject({
      code: 'state/storage-unavailable',
    });
    await expect(openWithFallback({ candidates: [] })).rejects.toMatchObject({
      code: 'state/option-invalid',
    });
  });

  test('a page that asks for files and has none gets the database', async () => {
    const hub = createHub();
    const sink = createMemorySink(hub);
    await using store = await openPageStore({ name: freshName(), files: true, keepHistory: 3, hub });
    expect(fallbackOf(store)).toMatchObject({ from: 'opfs', to: 'indexeddb' });
    expect(store.capabilities).toMatchObject({ durable: true, history: 3 });
    expect(sink.ofType('platform-degrade')).toMatchObject([{ what: 'store', from: 'opfs', to: 'indexeddb' }]);
    await using plain = await openPageStore({ name: freshName() });
    expect(fallbackOf(plain)).toBeUndefined();
  });
});
