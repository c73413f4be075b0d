/** Tokens of many calls, added up. */
import type { LmUsage } from './message.ts';

export const noUsage: LmUsage = Object.freeze({ inputTokens: 0, outputTokens: 0, totalTokens: 0 });

/** The sum of both. */
export function addUsage(one: LmUsage, other: LmUsage): LmUsage {
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    totalTokens: one.totalTokens + other.totalTokens,
  };
}
