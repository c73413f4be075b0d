/** Names of sandboxes and of what runs in them, minted here only. */
import type { Brand } from '../../base/index.ts';
import { randomHex, systemRandom } from '../../platform/index.ts';
import type { Random } from '../../platform/index.ts';

/** Names one interpreter for as long as it lives. Random, so that a guest cannot guess another one's. */
export type SandboxId = Brand<string, 'SandboxId'>;

/** @param random default: the system's */
export function createSandboxId(random: Random = systemRandom): SandboxId {
  return `sandbox-${randomHex(random, 8)}` as SandboxId;
}

/** Names one call of `execute` to whoever hears of it. @param random default: the system's */
export function createExecutionId(random: Random = systemRandom): string {
  return `execution-${randomHex(random, 8)}`;
}
