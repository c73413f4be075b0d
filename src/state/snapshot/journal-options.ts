/** How a journal is kept. */
import { CodedError } from '../../base/index.ts';
import { systemClock, systemRandom } from '../../platform/index.ts';
import type { Clock, Random } from '../../platform/index.ts';
import { silentHub } from '../../telemetry/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import { defaultStoreLimits } from '../limits.ts';
import type { StoreLimits } from '../limits.ts';
import type { Key } from '../key.ts';
import { checkName, toPrefixes } from './layout.ts';
import { defaultSnapshotLimits } from './limits.ts';
import type { SnapshotLimits } from './limits.ts';
import type { SnapshotContext } from './snapshot-parts.ts';

export interface JournalOptions {
  /** What is journaled: changes of keys under these. Default everything. All writers of a journal name the same. */
  readonly prefixes?: readonly Key[];
  /** Default `main`. Every writer of the prefixes writes through the journal of this name. */
  readonly name?: string;
  /** How far back states can be restored, unless the bounds below come first. Default 7 days. */
  readonly retentionMs?: number;
  /** Entries (commits) at most, and one eighth more until they are compacted. Default 100,000. */
  readonly maxEntries?: number;
  /** Bytes of all entries at most, and one eighth more until they are compacted. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Compacts in the background when it is due. Default true. */
  readonly isCompacting?: boolean;
  /** Bounds of what compaction holds in memory and of what it writes at once. */
  readonly snapshotLimits?: Partial<SnapshotLimits>;
  /** Of the store below; needed when they are not the default ones. */
  readonly limits?: Partial<StoreLimits>;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly hub?: Hub;
}

export interface JournalSettings {
  readonly name: string;
  readonly prefixes: readonly Key[];
  readonly retentionMs: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly isCompacting: boolean;
  readonly limits: StoreLimits;
  readonly context: SnapshotContext;
  readonly hub: Hub;
}

function checkBound(name: string, value: number, lowest: number): void {
  if (Number.isSafeInteger(value) && value >= lowest) return;
  throw new CodedError(
    'state/snapshot-invalid',
    `${name} is ${value}, expected a whole number from ${lowest}`,
    {
      fields: { field: name, lowest },
    },
  );
}

/** @throws `state/snapshot-invalid`, `state/key-invalid` */
export function toJournalSettings(options: JournalOptions): JournalSettings {
  const {
    name = 'main',
    retentionMs = 7 * 24 * 3600 * 1000,
    maxEntries = 100_000,
    maxBytes = 64 * 2 ** 20,
    isCompacting = true,
    clock = systemClock,
    random = systemRandom,
    hub = silentHub,
  } = options;
  checkName('journal', name);
  for (const [field, value] of Object.entries({ retentionMs, maxEntries, maxBytes }))
    checkBound(field, value, 1);
  return {
    name,
    prefixes: toPrefixes(options.prefixes ?? [[]]),
    retentionMs,
    maxEntries,
    maxBytes,
    isCompacting,
    limits: { ...defaultStoreLimits, ...options.limits },
    context: { clock, random, limits: { ...defaultSnapshotLimits, ...options.snapshotLimits } },
    hub,
  };
}
