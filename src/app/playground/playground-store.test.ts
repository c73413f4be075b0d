import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { openIndexedDbStore } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import { modelChoiceKey, sourceKey } from './kept-keys.ts';
import { copyState, createCopyId, isCopyId, moduleId, storeNameOf } from './playground-store.ts';

const all = async (store: Store): Promise<Map<string, unknown>> =>
  new Map((await store.list([])).map(({ key, value }) => [key.join('/'), value]));

test('an address names the playground’s own store or a copy, and nothing else', () => {
  const own = storeNameOf(undefined);
  const id = createCopyId();
  expect(isCopyId(id)).toBe(true);
  expect(new Set([own, storeNameOf(id), storeNameOf('a')]).size).toBe(3);
  for (const bad of ['', '../x', 'A', 'a b', 'x'.repeat(33), 'é'])
    expect(() => storeNameOf(bad)).toThrow(
      expect.objectContaining({
        code: 'app/copy-id-invalid',
        fields: expect.objectContaining({ value: bad }),
      }),
    );
});

test('a copy has the state of that moment, no key of a model, and a life of its own', async () => {
  await using own = await openIndexedDbStore({ name: storeNameOf(undefined) });
  const choice = {
    kind: 'openai-compatible',
    address: 'http://a',
    model: 'm',
    key: 'secret',
    isKeyRemembered: true,
  };
  await own.commit([
    { type: 'put', key: ['module', moduleId, 'meta'], value: { kind: moduleId } },
    { type: 'put', key: ['module', moduleId, 'parameter', 'rows'], value: 17 },
    { type: 'put', key: ['module', moduleId, 'history', 'rows'], value: [17] },
    { type: 'put', key: ['module', moduleId, 'checkpoint', 'c'], value: 'large' },
    { type: 'put', key: ['module', 'other', 'parameter', 'rows'], value: 1 },
    { type: 'put', key: sourceKey, value: 'edited' },
    { type: 'put', key: modelChoiceKey, value: choice },
  ]);
  const before = await all(own);
  await copyState(own, 'c1');

  await using copy = await openIndexedDbStore({ name: storeNameOf('c1') });
  expect(Object.fromEntries(await all(copy))).toEqual({
    'module/ask-table/meta': { kind: moduleId },
    'module/ask-table/parameter/rows': 17,
    'module/ask-table/history/rows': [17],
    'playground/source': 'edited',
    'playground/model-choice': { ...choice, key: '', isKeyRemembered: false },
  });

  await copy.commit([{ type: 'put', key: ['module', moduleId, 'parameter', 'rows'], value: 99 }]);
  expect(await all(own)).toEqual(before);
});
