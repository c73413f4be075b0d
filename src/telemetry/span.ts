/** Minting of trace and span ids. */
import { randomHex, systemRandom } from '../platform/index.ts';
import type { Random } from '../platform/index.ts';
import type { SpanContext } from './event.ts';

/** A child of `parent`, or the root of a new trace. Sizes follow W3C Trace Context: 16 and 8 bytes. */
export function createSpan(parent?: SpanContext, random: Random = systemRandom): SpanContext {
  return { traceId: parent?.traceId ?? randomHex(random, 16), spanId: randomHex(random, 8) };
}
