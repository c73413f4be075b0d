import { expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { fromValueBytes } from './from-value-bytes.ts';
import { toValueBytes } from './to-value-bytes.ts';
import { viewKinds } from './value-format.ts';

const ownNames = (value: object): string[] => Object.getOwnPropertyNames(value).toSorted();

test('an exception of the platform comes back as a clone of it is', () => {
  for (const made of [new DOMException('stopped', 'AbortError'), new DOMException()]) {
    const clone = structuredClone(made);
    const read = fromValueBytes(toValueBytes(clone)) as DOMException;
    expect(read).toBeInstanceOf(DOMException);
    expect([read.name, read.message, read.code]).toEqual([clone.name, clone.message, clone.code]);
    expect(read.stack).toBe(clone.stack);
    expect(toValueBytes(read)).toEqual(toValueBytes(clone));
  }
  const error = structuredClone(new RangeError('r', { cause: new Error('c') }));
  const read = fromValueBytes(toValueBytes(error)) as Error;
  expect(ownNames(read)).toEqual(ownNames(error));
  expect([read.name, read.message, read.stack]).toEqual([error.name, error.message, error.stack]);
});

test('every kind of view that the platform has comes back', () => {
  for (const kind of viewKinds) {
    const type = (globalThis as unknown as Record<string, new (length: ArrayBuffer) => ArrayBufferView>)[
      kind
    ];
    if (!type) continue;
    const view = structuredClone(new type(new Uint8Array([0, 60, 1, 2, 3, 4, 5, 6]).buffer));
    expect(fromValueBytes(toValueBytes(view))).toEqual(view);
  }
  const known = Object.getOwnPropertyNames(globalThis).filter((name) =>
    /^[A-Z]\w+\d(Clamped)?Array$/.test(name),
  );
  expect(known.filter((name) => !viewKinds.includes(name))).toEqual([]);
});

test('what a clone keeps beyond data is refused by name', async () => {
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt']);
  const refused = [new Blob(['x']), new File(['x'], 'f'), key, new ImageData(1, 1), new DOMRect(1, 2, 3, 4)];
  for (const value of refused.map((each) => structuredClone(each))) {
    const found = Object.prototype.toString.call(value).slice(8, -1);
    let error: unknown;
    try {
      toValueBytes({ deep: [value] });
    } catch (thrown) {
      error = thrown;
    }
    expect(isCodedError(error, 'state/not-encodable') && error.fields['found']).toBe(`a ${found}`);
  }
});
