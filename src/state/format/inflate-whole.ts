/** Inflating on behalf of files: the same bound for every format, and the codes of files. */
import { isCodedError } from '../../base/index.ts';
import { inflateBytes } from '../../platform/index.ts';
import type { Compression } from '../../platform/index.ts';
import { damaged, tooLarge } from './codec.ts';
import type { FormatLimits } from './codec.ts';

/** @throws `state/format-damaged`, `state/value-too-large` */
export async function inflateWhole(
  bytes: Uint8Array,
  from: Compression,
  { maxFileBytes }: FormatLimits,
): Promise<Uint8Array> {
  try {
    return await inflateBytes(bytes, from, maxFileBytes);
  } catch (error) {
    if (isCodedError(error, 'platform/inflated-too-large')) throw tooLarge('file', maxFileBytes, 'bytes');
    throw damaged(from, `whole ${from} data`, error);
  }
}
