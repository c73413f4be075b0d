/** Short ways to write attempts whose wall is always there: each also shows, beside the attempt, that what it does can be done. */
import type { Code, ExecutionContext, ExecutionOptions, Session } from '../executor.ts';
import type { Outcome } from '../outcome.ts';
import { aimAt, describeEnd } from './attempt.ts';
import type {
  EscapeAttempt,
  EscapeFamily,
  EscapeLanguage,
  EscapeNeed,
  Findings,
  Seen,
  Trial,
} from './attempt.ts';
import { shortMs } from './write-attempt.ts';

export interface BesidePlan {
  readonly id: string;
  readonly language: EscapeLanguage;
  readonly mechanism: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly needs?: readonly EscapeNeed[];
}

/** An attempt with a watch of its own. */
export function beside(
  family: EscapeFamily,
  plan: BesidePlan,
  run: (trial: Trial) => Promise<Findings>,
): EscapeAttempt {
  return { ...plan, family, watcher: 'page', control: 'beside', run };
}

/** `words` when `isSo`. */
export const told = (isSo: boolean, words: string): Seen => (isSo ? words : undefined);

export const ended =
  (...types: readonly (Outcome['type'] | 'lost')[]): ((outcome: Outcome) => boolean) =>
  (outcome) =>
    types.includes(outcome.type) || (types.includes('lost') && outcome.isSandboxLost);

export const answers =
  (value: unknown) =>
  (outcome: Outcome): boolean =>
    outcome.type === 'returned' && JSON.stringify(outcome.value) === JSON.stringify(value);

export const exceeds =
  (limit: string) =>
  (outcome: Outcome): boolean =>
    outcome.type === 'exceeded' && outcome.limit === limit;

export const throwsText =
  (pattern: RegExp) =>
  (outcome: Outcome): boolean =>
    outcome.type === 'threw' && pattern.test(`${outcome.error.type}: ${outcome.error.message}`);

export const breaksProtocol = (outcome: Outcome): boolean =>
  outcome.type === 'failed' && outcome.code === 'executor/protocol-broken';

/** The text that a run returned; empty for anything else. */
export const textFrom = (outcome: Outcome | undefined): string =>
  outcome?.type === 'returned' && typeof outcome.value === 'string' ? outcome.value : '';

/** One run, and the same thing where it is allowed. */
export interface Pair {
  readonly code: Code;
  /** True when the wall held. */
  readonly holds: (outcome: Outcome) => boolean;
  /** The same thing where it is allowed. */
  readonly allowed: Code;
  /** True when that shows that the attempt does what it says. */
  readonly shows: (outcome: Outcome) => boolean;
  /** What was shown, in words. */
  readonly words: string;
  readonly context?: ExecutionContext;
  readonly options?: ExecutionOptions;
}

const textOf = (trial: Trial, code: Code): Code =>
  typeof code === 'string' ? aimAt(trial.target, code) : code;

/** A script of a `worker` knows its target by a variable. */
export const contextOf = (
  trial: Trial,
  language: EscapeLanguage,
  context: ExecutionContext = {},
): ExecutionContext =>
  language === 'worker'
    ? { ...context, variables: { target: { ...trial.target }, ...context.variables } }
    : context;

/** Each in a run of its own. */
export function pairOfRuns(family: EscapeFamily, plan: BesidePlan, pair: Pair): EscapeAttempt {
  const { language } = plan;
  return beside(family, plan, (trial) =>
    judgePair(pair, (code, options) =>
      trial.execute(language, textOf(trial, code), contextOf(trial, language, pair.context), options),
    ),
  );
}

/** Both in a session that other attempts use as well: neither may leave anything behind that disturbs. */
export function pairInSession(family: EscapeFamily, plan: BesidePlan, pair: Pair): EscapeAttempt {
  const { language } = plan;
  return beside(family, plan, (trial) =>
    trial.borrow(language, (session) =>
      judgePair(pair, (code, options) =>
        session.execute(textOf(trial, code), contextOf(trial, language, pair.context), options),
      ),
    ),
  );
}

async function judgePair(
  { code, holds, allowed, shows, words, options }: Pair,
  execute: (code: Code, options: ExecutionOptions) => Promise<Outcome>,
): Promise<Findings> {
  // a short time limit is meant for the attempt alone
  const shown = await execute(allowed, { ...options, timeoutMs: shortMs });
  const outcome = await execute(code, { timeoutMs: shortMs, ...options });
  return {
    end: describeEnd(outcome),
    printed: outcome.stdout,
    seen: told(!holds(outcome), `the run ended as ${describeEnd(outcome)}`),
    shown: told(shows(shown), words),
  };
}

/** Somebody else's run, in the same frame. */
export interface Poison {
  /** What changes something. */
  readonly code: string;
  /** Its value tells whether the change is there. */
  readonly look: string;
  /** The value of `look` where the change is. */
  readonly mark: unknown;
}

/** A change that its own session sees, and nobody else may: not another session, not a later run in the same worker, not the page. */
export function poisoning(family: EscapeFamily, plan: BesidePlan, poison: Poison): EscapeAttempt {
  const { language } = plan;
  return beside(family, plan, async (trial) => {
    const ask = (session: Pick<Session, 'execute'>, code: string): Promise<Outcome> =>
      session.execute(aimAt(trial.target, code), {}, { timeoutMs: shortMs });
    const isThere = answers(poison.mark);
    return trial.withSession(language, async (session) => {
      const outcome = await ask(session, poison.code);
      const shown = isThere(await ask(session, poison.look));
      const neighbour = await trial.borrow(language, (other) => ask(other, poison.look));
      return {
        end: describeEnd(outcome),
        seen: told(isThere(neighbour), 'a neighbour sees the change'),
        shown: told(shown, 'its own session sees the change'),
      };
    });
  });
}

/** Whether others in the page go on as before. */
export async function findDisturbance(trial: Trial): Promise<Seen> {
  const next = await trial.execute('javascript', '[1].map((one) => one + 1)[0]');
  return told(!answers(2)(next), `a neighbour ended as ${describeEnd(next)}`);
}

/** Input that ends its interpreter: nobody else's may end, and the page goes on. */
export function crashing(
  plan: BesidePlan,
  code: Code,
  dies: (outcome: Outcome) => boolean = ended('lost'),
): EscapeAttempt {
  const { language } = plan;
  return beside('crashes', plan, async (trial) => {
    const outcome = await trial.execute(language, textOf(trial, code), contextOf(trial, language), {
      timeoutMs: shortMs,
    });
    return {
      end: describeEnd(outcome),
      seen: await findDisturbance(trial),
      shown: told(dies(outcome), `it met its end: ${describeEnd(outcome)}`),
    };
  });
}
