/** The notes that a taker leaves beside a snapshot. */
import { canonicalJson, isCodedError, isJson } from '../../base/index.ts';
import type { JsonObject } from '../../base/index.ts';
import { maxMetadataBytes } from './limits.ts';

/** Whether `value` is a JSON object within the bound. Parts that are shared count wherever they stand, and no text is made that is longer. */
export function isMetadata(value: unknown): value is JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !isJson(value)) return false;
  try {
    canonicalJson(value, maxMetadataBytes);
    return true;
  } catch (error) {
    if (isCodedError(error, 'base/json-too-large')) return false;
    throw error;
  }
}
