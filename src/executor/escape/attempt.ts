/** What an attempt to get out of the sandbox is, and what it may aim at. */
import type { Code, ExecutionContext, ExecutionOptions, Executor, Session } from '../executor.ts';
import type { LanguageName } from '../language/language.ts';
import type { ExecutorLimits } from '../limits.ts';
import type { Outcome } from '../outcome.ts';
import type { PolicyInput } from '../policy/policy.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { SnapshotCache } from '../snapshot-cache.ts';

/**
 * In what an attempt is written. A `worker` is a script of the attempt's own in the place of the whole guest: what somebody has who got out of
 * an interpreter, with every global of a worker and the port to the page in hand.
 */
export type EscapeLanguage = LanguageName | 'worker';

/** What stands around the guests of a run of the suite: everything; the frame alone, every global of a worker left in place; nothing. */
export type WallKind = 'whole' | 'frame alone' | 'none';

/** Who sees it when an attempt succeeds. */
export type Watcher =
  /** The listener's counter for the token rises. */
  | 'network'
  /** The page's own storage holds the token. */
  | 'storage'
  /** A channel or window of the page receives the token. */
  | 'message'
  /** The token appears in the printed text in capitals, put together by code that the guest made from text. */
  | 'print'
  /** What only the page's own origin knows appears in the printed text. */
  | 'secret'
  /** The attempt's own watch, on something outside the guest: a later run, a neighbour, a tool, the page's objects, a bound. */
  | 'page';

/** What an attempt is about; each family has a file of its own. */
export type EscapeFamily =
  | 'network'
  | 'storage'
  | 'messages'
  | 'evaluation'
  | 'pollution'
  | 'protocol'
  | 'tools'
  | 'files'
  | 'hogs'
  | 'crashes'
  | 'lifetime'
  | 'leaks';

/**
 * What shows that an attempt does what it says.
 *
 * `without walls`: run with the page's own rights it gets out, and the same watcher sees it.
 * `beside`: the wall is a limit, a parser or the interpreter itself, which is always there; the attempt also does the same thing where it is allowed
 * (under a higher limit, in the guest's own session, by an honest message, to its own self) and {@link Findings.shown} says what was seen.
 * `absent`: no worker can do it at all, walls or not. It is tried, printed as absent, and not counted.
 */
export type Control = 'without walls' | 'beside' | 'absent';

/** What the platform may lack, and without which an attempt cannot be made: it would show nothing, whatever stood around it. */
export type EscapeNeed = 'shared memory';

/** What an attempt may aim at. */
export interface EscapeTarget {
  /** The listener's address for this attempt; the token is in it. */
  readonly url: string;
  readonly webSocketUrl: string;
  /** The same listener under a host name that holds the token: whoever looks the name up has told it. */
  readonly namedUrl: string;
  readonly host: string;
  readonly port: string;
  /** A BroadcastChannel on which the page listens. */
  readonly channel: string;
  /** Letters only, new for every attempt. */
  readonly token: string;
  /** What the page's own stores are called during the suite. */
  readonly secret: string;
  /** The page's own origin. */
  readonly page: string;
}

/** Says what was seen, or nothing. */
export type Seen = string | undefined;

/** What an attempt came to. */
export interface Findings {
  /** How the guest's code ended. */
  readonly end: string;
  /** What the guest printed, for the watchers that read it. */
  readonly printed?: string;
  /** What the attempt's own watch has seen outside. */
  readonly seen?: Seen;
  /** For the control `beside`: what was seen where the same thing is allowed. */
  readonly shown?: Seen;
}

export interface RealmOptions {
  readonly limits?: Partial<ExecutorLimits>;
  readonly policy?: PolicyInput;
  readonly hub?: Hub;
  readonly snapshots?: SnapshotCache;
}

/** Executors of every language behind the same walls. */
export interface EscapeRealm extends AsyncDisposable {
  readonly walls: WallKind;
  readonly executors: Readonly<Record<EscapeLanguage, Executor>>;
  /** Another one, in a frame of its own. Whoever asks for it disposes it. */
  open(language: EscapeLanguage, options?: RealmOptions): Executor;
}

/** One attempt being made. */
export interface Trial {
  readonly target: EscapeTarget;
  readonly realm: EscapeRealm;
  /** A guest of its own for one run. */
  execute(
    language: EscapeLanguage,
    code: Code,
    context?: ExecutionContext,
    options?: ExecutionOptions,
  ): Promise<Outcome>;
  /** A session that other attempts have used and will use. */
  borrow<T>(language: EscapeLanguage, use: (session: Session) => Promise<T>): Promise<T>;
  /** A session of its own, disposed at the end of `use`. */
  withSession<T>(language: EscapeLanguage, use: (session: Session) => Promise<T>): Promise<T>;
}

export interface EscapeAttempt {
  readonly id: string;
  readonly family: EscapeFamily;
  readonly language: EscapeLanguage;
  /** What is tried, in words; no two attempts have the same. */
  readonly mechanism: string;
  readonly watcher: Watcher;
  readonly control: Control;
  /** Where a guest lacks one of these the attempt is not made, and counted as absent. Default: none. */
  readonly needs?: readonly EscapeNeed[];
  /** For the language `worker`: its scripts by name, parts of the one script that such a guest is made of. */
  readonly scripts?: Readonly<Record<string, string>>;
  readonly run: (trial: Trial) => Promise<Findings>;
}

/** How a run ended, in words for a table. */
export function describeEnd(outcome: Outcome): string {
  if (outcome.type === 'threw') {
    const lines = outcome.error.message.split('\n');
    return `${outcome.error.type}: ${lines[0] ?? ''}`.slice(0, 160);
  }
  if (outcome.type === 'exceeded') return `exceeded: ${outcome.limit}`;
  if (outcome.type === 'syntax-error') return `syntax-error: ${outcome.message}`.slice(0, 160);
  return outcome.type === 'failed' ? `${outcome.code}: ${outcome.message}`.slice(0, 160) : outcome.type;
}

/** `text` with `{url}`, `{token}` and so on replaced. */
export function aimAt(target: EscapeTarget, text: string): string {
  return text.replaceAll(
    /\{(url|webSocketUrl|namedUrl|host|port|channel|token|secret|page)\}/gu,
    (_whole, name: string) => target[name as keyof EscapeTarget],
  );
}
