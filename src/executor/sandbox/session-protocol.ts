/** Messages about what a session leaves for its next interpreter; a part of `protocol.ts`, under the same rules. */
import type { LostName } from '../outcome.ts';
import { hasOnly, isExactList } from './exact-fields.ts';

/** How much may be put aside, and how long that may take. */
export interface SaveBounds {
  readonly sizeBytes: number;
  /** On top of that, for packages. */
  readonly packageBytes: number;
  readonly timeMs: number;
  /** What takes long waits until nothing has run for so long. */
  readonly idleMs: number;
}

/** Worker → page, after a run's end, or after {@link SessionSaving}: what it left, as bytes that only the guest's own language understands. */
export interface SessionSave {
  readonly type: 'session-save';
  /** The last run that it holds. */
  readonly run: number;
  /** As many as the language likes; `null`: as in the save before. */
  readonly parts: readonly (ArrayBuffer | null)[];
  readonly names: readonly string[];
  readonly lost: readonly LostName[];
}

/** Worker → page: it has begun to put aside what this run left. After a run that is to be put aside it goes without saying. */
export interface SessionSaving {
  readonly type: 'session-saving';
  readonly run: number;
}

/** Worker → page, in the place of a save: there is none, or not yet. */
export interface SessionUnsaved {
  readonly type: 'session-unsaved';
  readonly run: number;
}

/** Page → worker, before its first run. */
export interface SessionRestore {
  readonly type: 'session-restore';
  readonly parts: readonly ArrayBuffer[];
}

/** Worker → page: the answer. */
export interface SessionRestored {
  readonly type: 'session-restored';
  readonly lost: readonly LostName[];
}

const maxParts = 8;
const maxNames = 10_000;
/** Of a name, and of a reason; the guest's side cuts them. */
export const maxSavedTextLength = 256;

type Unknown = Readonly<Record<string, unknown>>;

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= maxSavedTextLength;

const isPart = (value: unknown): value is ArrayBuffer | null =>
  value === null || value instanceof ArrayBuffer;

const isListOf = <T>(
  value: unknown,
  isItem: (item: unknown) => item is T,
  maxLength: number,
): value is readonly T[] => isExactList(value, maxLength) && value.every(isItem);

function readLost(value: unknown): readonly LostName[] | undefined {
  if (!isExactList(value, maxNames)) return undefined;
  const lost: LostName[] = [];
  for (const item of value) {
    if (typeof item !== 'object' || item === null) return undefined;
    const { name, reason } = item as Unknown;
    if (!isText(name) || !isText(reason)) return undefined;
    const known = Object.freeze({ name, reason });
    if (!hasOnly(item, known)) return undefined;
    lost.push(known);
  }
  return Object.freeze(lost);
}

export function readSessionSave({ run, parts, names, lost: given }: Unknown): SessionSave | undefined {
  const lost = readLost(given);
  if (!Number.isSafeInteger(run) || !lost || !isListOf(parts, isPart, maxParts)) return undefined;
  if (!isListOf(names, isText, maxNames)) return undefined;
  return {
    type: 'session-save',
    run: run as number,
    parts: [...parts],
    names: Object.freeze([...names]),
    lost,
  };
}

export function readSessionStep<T extends (SessionSaving | SessionUnsaved)['type']>(
  type: T,
  { run }: Unknown,
): { type: T; run: number } | undefined {
  return Number.isSafeInteger(run) ? { type, run: run as number } : undefined;
}

export function readSessionRestored({ lost: given }: Unknown): SessionRestored | undefined {
  const lost = readLost(given);
  return lost && { type: 'session-restored', lost };
}
