/** Lies about what a session leaves for its next interpreter. The page keeps it unread, but it counts it, and believes no other run's. */
import type { Session } from '../../executor.ts';
import type { Outcome } from '../../outcome.ts';
import type { SandboxId } from '../../sandbox/sandbox-id.ts';
import { describeEnd } from '../attempt.ts';
import type { EscapeAttempt, Findings, Trial } from '../attempt.ts';
import { answers, beside, contextOf, told } from '../beside.ts';
import { shortMs } from '../write-attempt.ts';

const limits = { checkpointBytes: 2 ** 20, checkpointMs: 300 };
const honest = 'guest.savesItself = true;\nguest.end(1);\nguest.save({ names: [target.token] })';

interface Saved {
  readonly session: Session;
  /** Of the interpreter that has put something aside. */
  readonly first: SandboxId;
  readonly outcome: Outcome;
}

/** A session whose first run is the script; then `use`. */
async function withSaved<T>(trial: Trial, script: string, use: (saved: Saved) => Promise<T>): Promise<T> {
  await using executor = trial.realm.open('worker', { limits });
  await using session = await executor.createSession();
  const first = session.id;
  const outcome = await session.execute(script, contextOf(trial, 'worker'), { timeoutMs: shortMs });
  return await use({ session, first, outcome });
}

/** What the session would have back after its interpreter was ended. */
const keptNames = async ({ session }: Saved): Promise<readonly string[]> =>
  (await session.execute('saving/stuck', {}, { timeoutMs: 150 })).restored?.names ?? [];

interface Lie {
  readonly id: string;
  readonly mechanism: string;
  readonly script: string;
  readonly judge: (trial: Trial) => Promise<Findings>;
}

const lie = ({ id, mechanism, script, judge }: Lie): EscapeAttempt =>
  beside('protocol', { id, language: 'worker', mechanism, scripts: { [id]: script } }, judge);

/** The lie ends its interpreter; the session goes on in another one. */
async function endsInterpreter(trial: Trial, script: string): Promise<Findings> {
  const keepsItself = await withSaved(trial, 'saving/honest', async ({ session, first }) => {
    const next = await session.execute('honest', {}, { timeoutMs: shortMs });
    return answers('honest')(next) && session.id === first;
  });
  return withSaved(trial, script, async ({ session, first, outcome }) => {
    const next = await session.execute('honest', {}, { timeoutMs: shortMs });
    const isEnded = session.id !== first && next.restored === undefined;
    return {
      end: describeEnd(outcome),
      seen: told(
        !answers('honest')(next) || !isEnded,
        `it goes on: the next run ended as ${describeEnd(next)}`,
      ),
      shown: told(keepsItself, 'one that puts aside what it may goes on'),
    };
  });
}

export const savingAttempts: readonly EscapeAttempt[] = [
  lie({
    id: 'save-of-other-run',
    mechanism: 'what another run is said to have left, before it has run',
    script:
      'guest.save({ run: guest.run + 1, names: [target.token] });\nguest.save({ run: guest.run, names: [target.token] });\nguest.end(1)',
    judge: async (trial) => {
      const { token } = trial.target;
      const shown = await withSaved(trial, 'saving/honest', keptNames);
      return withSaved(trial, 'save-of-other-run', async (saved) => ({
        end: describeEnd(saved.outcome),
        seen: told((await keptNames(saved)).includes(token), 'it was believed'),
        shown: told(shown.includes(token), 'what the run itself left was believed'),
      }));
    },
  }),
  lie({
    id: 'save-too-large',
    mechanism: 'more put aside than may be, past the counting in the worker',
    script: 'guest.savesItself = true;\nguest.end(1);\nguest.save({ parts: [new ArrayBuffer(4 * 2 ** 20)] })',
    judge: (trial) => endsInterpreter(trial, 'save-too-large'),
  }),
  lie({
    id: 'save-of-nothing',
    mechanism: 'a part that is said to be as before, where there was none',
    script: 'guest.savesItself = true;\nguest.end(1);\nguest.save({ parts: [null] })',
    judge: (trial) => endsInterpreter(trial, 'save-of-nothing'),
  }),
  lie({
    id: 'save-without-end',
    mechanism: 'a run that is for ever being put aside, so that the next one waits',
    script: 'guest.savesItself = true;\nguest.end(1)',
    judge: (trial) => endsInterpreter(trial, 'save-without-end'),
  }),
];

/** Scripts that several of them use. */
export const savingScripts: Readonly<Record<string, string>> = {
  'saving/honest': honest,
  'saving/stuck': 'for (;;);',
};
