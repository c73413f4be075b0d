/** What a session left for its next interpreter, as the page keeps it: bytes that it never reads, and names that it shows. */
import type { LostName, Restored } from '../outcome.ts';
import type { SessionSave } from './session-protocol.ts';

export interface SavedSession {
  /** The last run of its interpreter that it holds; 0: what the interpreter began with. */
  readonly run: number;
  /** Completed runs before that one which it does not hold either: an earlier interpreter ended before they were put aside. */
  readonly missedRuns: number;
  readonly parts: readonly ArrayBuffer[];
  readonly names: readonly string[];
  readonly lost: readonly LostName[];
}

/** The newest one, its parts taken from the one before where the guest says that they are the same; `undefined` for what is no save. */
export function takeSave(
  { run, parts, names, lost }: SessionSave,
  before: SavedSession | undefined,
  maxBytes: number,
): SavedSession | undefined {
  let sizeBytes = 0;
  const taken: ArrayBuffer[] = [];
  for (const [index, part] of parts.entries()) {
    const content = part ?? before?.parts[index];
    if (!content) return undefined;
    sizeBytes += content.byteLength;
    taken.push(content);
  }
  // names and numbers come on top of what the guest's side counts
  return sizeBytes > maxBytes + slackBytes ? undefined : { run, missedRuns: 0, parts: taken, names, lost };
}

const slackBytes = 2 ** 20;

/** What is told of it. @param missedRuns completed runs that it does not hold */
export function describeSave({ names, lost }: SavedSession, missedRuns: number): Restored {
  return { names, lost, missedRuns };
}

/** The same after it was brought back, when that went wrong for some. */
export function describeRestored(
  saved: SavedSession,
  more: readonly LostName[],
  missedRuns: number,
): Restored {
  const gone = new Set(more.map(({ name }) => name));
  const names = saved.names.filter((name) => !gone.has(name));
  return { names, lost: [...saved.lost, ...more], missedRuns };
}

/** Nothing came back. */
export function describeUnrestored(
  { names, lost }: SavedSession,
  reason: string,
  missedRuns: number,
): Restored {
  return { names: [], lost: [...lost, ...names.map((name) => ({ name, reason }))], missedRuns };
}
