/* oxlint-disable vitest/no-standalone-expect -- laws are run by describeStore and by tests of broken stores */
/** What a store refuses: what cannot be stored, what is too large, keys and writes that are none. */
import { expect } from 'vitest';
import type { Key } from '../key.ts';
import { atomicLaw, codeOf, errorOf, law, put, putAll } from './store-law.contract.ts';
import type { StoreLaw } from './store-law.contract.ts';
import type { Store, Write } from '../store.ts';

function deep(levels: number): unknown {
  let value: unknown = 0;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

/** A bad write after a good one, where they can be told apart from two commits. */
function beside(store: Store, bad: Write): readonly Write[] {
  return store.capabilities.atomicCommits ? [put(['beside'], 1), bad] : [bad];
}

/** Laws of bad input. */
export const boundLaws: readonly StoreLaw[] = [
  law('what cannot be stored is refused, and nothing beside it is stored', async (store) => {
    const shared = new SharedArrayBuffer(8);
    const throwing = Object.defineProperty({}, 'trap', {
      enumerable: true,
      get: () => {
        throw new Error('sprung');
      },
    });
    const values: unknown[] = [
      () => 1,
      Symbol('s'),
      { nested: [() => 1] },
      new WeakMap(),
      Promise.resolve(),
      throwing,
      shared,
      new Uint8Array(shared),
      new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])),
    ];
    for (const value of values) {
      expect(await codeOf(store.commit(beside(store, put(['k'], value))))).toBe('state/not-cloneable');
    }
    expect(await store.list([])).toEqual([]);
  }),
  law('values beyond the bounds are refused', async (store) => {
    const MiB = 2 ** 20;
    const big = new Uint8Array(17 * MiB);
    const error = await errorOf(store.commit([put(['k'], { big })]));
    expect(error).toMatchObject({ code: 'state/value-too-large', fields: { scope: 'value' } });
    expect(await codeOf(store.commit([put(['k'], deep(300))]))).toBe('state/value-too-large');
    expect(await codeOf(store.commit([put(['k'], deep(100_000))]))).toMatch(
      /^state\/(value-too-large|not-cloneable)$/,
    );
    expect(await codeOf(store.commit([put(['k'], 'x'.repeat(9 * MiB))]))).toBe('state/value-too-large');
    expect(await store.list([])).toEqual([]);
    await store.commit([put(['k'], 'well')]);
  }),
  atomicLaw('commits beyond the bounds are refused', async (store) => {
    const MiB = 2 ** 20;
    const many = Array.from({ length: 5 }, (_, index) => put(['k', String(index)], new Uint8Array(15 * MiB)));
    expect(await errorOf(store.commit(many))).toMatchObject({
      code: 'state/value-too-large',
      fields: { scope: 'commit' },
    });
    const crowd = Array.from({ length: 10_001 }, () => put(['k'], 0));
    expect(await errorOf(store.commit(crowd))).toMatchObject({
      code: 'state/value-too-large',
      fields: { scope: 'commit', unit: 'writes' },
    });
    expect(await store.list([])).toEqual([]);
  }),
  law('bad keys are refused in every method', async (store) => {
    const hole: string[] = [];
    hole[1] = 'b';
    const keys: unknown[] = [
      undefined,
      null,
      'text',
      7,
      {},
      [''],
      ['a', ''],
      [1],
      [null],
      hole,
      ['\ud800'],
      ['x'.repeat(513)],
      ['a'.repeat(400), 'b'.repeat(400), 'c'.repeat(400)],
      Array(9).fill('a'),
    ];
    for (const bad of keys as Key[]) {
      expect(await codeOf(store.get(bad))).toBe('state/key-invalid');
      expect(await codeOf(store.list(bad))).toBe('state/key-invalid');
      expect(await codeOf(store.history(bad))).toBe('state/key-invalid');
      expect(await codeOf(store.commit(beside(store, put(bad, 1))))).toBe('state/key-invalid');
      expect(() => store.watch(bad, () => undefined)).toThrow(
        expect.objectContaining({ code: 'state/key-invalid' }) as Error,
      );
    }
    expect(await codeOf(store.get([]))).toBe('state/key-invalid');
    expect(await store.list([])).toEqual([]);
    await putAll(store, [put(['__proto__'], 1), put(['constructor', 'prototype'], 2)]);
    expect((await store.get(['__proto__']))?.value).toBe(1);
  }),
  law('bad writes and limits are refused', async (store) => {
    for (const expectedRevision of [-1, 1.5, Number.NaN, '1' as unknown as number]) {
      expect(await codeOf(store.commit([put(['k'], 1, expectedRevision)]))).toBe('state/write-invalid');
    }
    expect(await codeOf(store.commit([{ type: 'increment', key: ['k'] } as unknown as Write]))).toBe(
      'state/write-invalid',
    );
    for (const limit of [0, -1, 1.5, Number.NaN, 10_001]) {
      expect(await codeOf(store.list([], { limit }))).toBe('state/limit-invalid');
    }
  }),
];
