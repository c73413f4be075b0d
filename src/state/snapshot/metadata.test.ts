/** A few bytes can stand for more text than there is memory: a part that is shared is written wherever it stands. */
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../base/index.ts';
import { sha256Hex } from '../../platform/index.ts';
import { createMemoryStore } from '../backend/memory.ts';
import { ByteReader } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { fromValueBytes } from '../codec/from-value-bytes.ts';
import { toValueBytes } from '../codec/to-value-bytes.ts';
import { maxMetadataBytes } from './limits.ts';
import { exportSnapshot, importSnapshot } from './snapshot-file.ts';
import { takeSnapshot } from './snapshot.ts';

/** Twice as much text with every level. */
function nested(levels: number): JsonObject {
  let value: JsonObject = { n: 1 };
  for (let level = 0; level < levels; level++) value = { a: value, b: value };
  return value;
}

/** A snapshot file with other metadata, and a right checksum. */
async function fileWith(metadata: JsonObject): Promise<Uint8Array> {
  const store = createMemoryStore();
  await takeSnapshot(store, 's');
  const file = await exportSnapshot(store, 's');
  const reader = new ByteReader(file.subarray(11, -32));
  const header = fromValueBytes(reader.counted()) as JsonObject;
  const writer = new ByteWriter();
  writer.raw(file.subarray(0, 11));
  writer.counted(toValueBytes({ ...header, metadata }));
  writer.raw(reader.raw(reader.remaining));
  const digest = await sha256Hex(writer.finish());
  writer.raw(Uint8Array.from(digest.match(/../gu) ?? [], (byte) => parseInt(byte, 16)));
  return writer.finish();
}

describe('metadata', () => {
  test('of 30 levels that share their parts is refused at once, in a file and of a snapshot', async () => {
    const store = createMemoryStore();
    const file = await fileWith(nested(30));
    expect(file.length).toBeLessThan(1000);
    await expect(importSnapshot(store, file)).rejects.toMatchObject({ code: 'state/bytes-damaged' });
    await expect(takeSnapshot(store, 's', { metadata: nested(30) })).rejects.toMatchObject({
      code: 'state/snapshot-invalid',
      fields: { field: 'metadata', maxMetadataBytes },
    });
    expect(await store.list([])).toEqual([]);
  });

  test('within the bound may share its parts', async () => {
    const store = createMemoryStore();
    const { metadata } = await importSnapshot(store, await fileWith(nested(8)));
    expect(metadata).toEqual(nested(8));
  });

  test('is a JSON object', async () => {
    const store = createMemoryStore();
    for (const metadata of [[], { at: new Date(0) }, { n: Number.NaN }]) {
      await expect(
        takeSnapshot(store, 's', { metadata: metadata as unknown as JsonObject }),
      ).rejects.toMatchObject({ code: 'state/snapshot-invalid' });
    }
  });
});
