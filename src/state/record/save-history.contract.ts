/**
 * Whether what several savers of one record saw can have happened one after the other: the search of Wing and Gong
 * ("Testing and Verifying Concurrent Objects", 1993) for a register that is compared and set.
 */
import { isCodedError } from '../../base/index.ts';
import type { Records } from './records.ts';

/** One call and what it came to. Times are those of one clock; the call took effect somewhere between. */
export interface Operation {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly did:
    | { readonly type: 'load'; readonly found: string | null }
    | { readonly type: 'save'; readonly expected: string | null | undefined; readonly version: string }
    | { readonly type: 'conflict'; readonly expected: string | null; readonly actual: string | null };
}

/** What the latest version is after `did`, if it can have happened while `latest` was; undefined if not. */
function after(latest: string | null, did: Operation['did']): string | null | undefined {
  switch (did.type) {
    case 'load':
      return did.found === latest ? latest : undefined;
    case 'save':
      return did.expected === undefined || did.expected === latest ? did.version : undefined;
    case 'conflict':
      return did.expected !== latest && did.actual === latest ? latest : undefined;
  }
}

/** Whether some order of the operations explains what each came to, and puts none before one that had ended when it began. */
export function isLinearizable(operations: readonly Operation[]): boolean {
  const visited = new Set<string>();
  const search = (left: readonly Operation[], latest: string | null): boolean => {
    if (left.length === 0) return true;
    const state = `${left.map((each) => operations.indexOf(each)).join()} ${latest}`;
    if (visited.has(state)) return false;
    visited.add(state);
    const firstEnd = Math.min(...left.map(({ endedAt }) => endedAt));
    return left
      .filter(({ startedAt }) => startedAt <= firstEnd)
      .some((next) => {
        const then = after(latest, next.did);
        return (
          then !== undefined &&
          search(
            left.filter((each) => each !== next),
            then,
          )
        );
      });
  };
  return search(operations, null);
}

/** What a saver does: look, save on top of what it saw last, or save on top of whatever is there. */
export type SaverStep = 'load' | 'save-expected' | 'save-anyway';

/** Who saves, in what realm ever: `seen` is the version that it saw last. */
export type Saver = (
  step: SaverStep,
  seen: string | null,
  state: string,
) => Promise<Operation['did'] | 'starved'>;

/** A saver of this realm. */
export function saverOf(records: Records, id: string): Saver {
  return async (step, seen, state) => {
    if (step === 'load') return { type: 'load', found: (await records.load(id))?.version ?? null };
    const expected = step === 'save-expected' ? seen : undefined;
    try {
      const options = expected === undefined ? {} : { expectedVersion: expected };
      return { type: 'save', expected, version: (await records.save(id, state, options)).version };
    } catch (error) {
      if (!isCodedError(error, 'state/conflict')) throw error;
      // others were faster all the time: nothing happened
      if ('attempts' in error.fields || expected === undefined) return 'starved';
      return { type: 'conflict', expected, actual: error.fields.actual as string | null };
    }
  };
}

/** Runs each script by its saver, all at once, and writes down what happened. */
export async function runSavers(
  savers: readonly { readonly saver: Saver; readonly script: readonly SaverStep[] }[],
): Promise<readonly Operation[]> {
  const operations: Operation[] = [];
  let time = 0;
  const run = async (saver: Saver, script: readonly SaverStep[], name: number): Promise<void> => {
    let seen: string | null = null;
    for (const [index, step] of script.entries()) {
      const startedAt = time++;
      const did = await saver(step, seen, `${name}-${index}`);
      const endedAt = time++;
      if (did === 'starved') continue;
      operations.push({ startedAt, endedAt, did });
      seen = did.type === 'load' ? did.found : did.type === 'save' ? did.version : did.actual;
    }
  };
  await Promise.all(savers.map(({ saver, script }, name) => run(saver, script, name)));
  return operations;
}
