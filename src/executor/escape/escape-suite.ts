/** Makes every attempt and asks those outside what they have seen. */
import { fetchAsset, randomHex, sleep, systemClock, systemRandom } from '../../platform/index.ts';
import { escapeAttempts } from './attempts.ts';
import type {
  Control,
  EscapeAttempt,
  EscapeFamily,
  EscapeLanguage,
  EscapeNeed,
  EscapeRealm,
  EscapeTarget,
  Findings,
  Seen,
  Trial,
  Watcher,
} from './attempt.ts';
import { Inbox } from './inbox.ts';
import { findLacking } from './need.ts';
import { listStored, plantSecret, removeStored } from './page-state.ts';
import type { Stored } from './page-state.ts';
import { SessionPool } from './session-pool.ts';

export interface EscapeSuiteOptions {
  readonly realm: EscapeRealm;
  /** Address of `tools/listener.mjs`, without a slash at the end. */
  readonly listenerUrl: string;
  /** A BroadcastChannel that nobody else uses. */
  readonly channelName: string;
  /** Default: all that say something about the realm's walls. */
  readonly attempts?: readonly EscapeAttempt[];
  /** Attempts at the same time. Default 3. */
  readonly concurrency?: number;
}

export interface EscapeRow {
  readonly attempt: string;
  readonly family: EscapeFamily;
  readonly language: EscapeLanguage;
  readonly mechanism: string;
  readonly watcher: Watcher;
  readonly control: Control;
  readonly leaked: boolean;
  /** What a run without walls is expected to show for this attempt. */
  readonly leaksUnprotected: boolean;
  /** For the control `beside`: what showed that the attempt does what it says; nothing means that it proved nothing. */
  readonly shown: Seen;
  /** What a guest does not have here, and the attempt needs: it was not made. */
  readonly lacks: readonly EscapeNeed[];
  /** How the guest's code ended, and who saw it. */
  readonly detail: string;
}

/** How long a request may still be under way after the last guest has ended. */
const settleMs = 500;
/** Under this name the listener counts what carries no token. */
const unnamed = 'unnamed';

/** Letters only: evaluated code shows itself by writing them in capitals. */
const letters = (name: string): string =>
  name + randomHex(systemRandom, 8).replaceAll(/\d/gu, (digit) => 'ghijklmnop'[Number(digit)] ?? 'q');

function aim(listenerUrl: string, channel: string, secret: string): EscapeTarget {
  const { hostname, port, host } = new URL(listenerUrl);
  const token = letters('escape');
  return {
    url: `${listenerUrl}/hit/${token}`,
    webSocketUrl: `ws://${host}/hit/${token}`,
    namedUrl: `http://${token}.localhost:${port}/`,
    host: hostname,
    port,
    channel,
    token,
    secret,
    page: location.origin,
  };
}

async function countHits(listenerUrl: string, token: string): Promise<number> {
  const body = await fetchAsset(`${listenerUrl}/hits/${token}`);
  return Number(new TextDecoder().decode(body));
}

/** What is only about a wall that is always there need not be seen again where others are missing. */
const concerns =
  ({ walls }: EscapeRealm) =>
  ({ control }: EscapeAttempt): boolean =>
    walls === 'whole' || control !== 'beside';

interface Made {
  readonly attempt: EscapeAttempt;
  readonly target: EscapeTarget;
  readonly lacks: readonly EscapeNeed[];
  readonly findings: Findings;
}

/** What is made, or what cannot be and why. */
async function make(attempt: EscapeAttempt, trial: Trial, lacking: ReadonlySet<EscapeNeed>): Promise<Made> {
  const { target } = trial;
  const lacks = (attempt.needs ?? []).filter((need) => lacking.has(need));
  if (lacks.length === 0) return { attempt, target, lacks, findings: await attempt.run(trial) };
  return {
    attempt,
    target,
    lacks,
    findings: { end: `not made: a guest has no ${lacks.join(', no ')} here` },
  };
}

function openTrial(realm: EscapeRealm, pool: SessionPool, target: EscapeTarget): Trial {
  return {
    target,
    realm,
    execute: (language, code, context, options) => realm.executors[language].execute(code, context, options),
    borrow: (language, use) => pool.borrow(language, use),
    async withSession(language, use) {
      await using session = await realm.executors[language].createSession();
      return await use(session);
    },
  };
}

interface Outside {
  readonly listenerUrl: string;
  readonly stored: Stored;
  readonly inbox: Inbox;
}

/** Everybody is asked about every attempt, whoever it aimed at. */
async function watch({ attempt, target, findings }: Made, outside: Outside): Promise<Seen> {
  const { token, secret } = target;
  const { printed = '', seen } = findings;
  const hits = await countHits(outside.listenerUrl, token);
  if (hits > 0) return `the listener was reached ${hits} times`;
  const places = outside.stored.filter(({ name }) => name.includes(token)).map(({ place }) => place);
  if (places.length > 0) return `found in ${[...new Set(places)].join(', ')}`;
  if (outside.inbox.has(token)) return 'a message arrived';
  if (printed.includes(secret)) return 'a secret of the page was printed';
  if (attempt.watcher === 'print' && printed.includes(token.toUpperCase()))
    return 'the guest has shown its token';
  return seen;
}

function toRow({ attempt, lacks, findings }: Made, seen: Seen): EscapeRow {
  const { id, family, language, mechanism, watcher, control } = attempt;
  const { end, shown } = findings;
  return {
    attempt: id,
    family,
    language,
    mechanism,
    watcher,
    control,
    leaked: seen !== undefined,
    leaksUnprotected: control === 'without walls',
    shown,
    lacks,
    detail: seen ? `${end}; ${seen}` : end,
  };
}

/** Contacts without a token, whoever made them. */
function unnamedRow(hits: number): EscapeRow {
  return {
    attempt: unnamed,
    family: 'network',
    language: 'python',
    mechanism: 'any contact that carries no token',
    watcher: 'network',
    control: 'absent',
    leaked: hits > 0,
    leaksUnprotected: false,
    shown: undefined,
    lacks: [],
    detail: `the listener was reached ${hits} times without a token`,
  };
}

/**
 * One row per attempt, in the order of the attempts, and one for contacts that carried no token. A row says `leaked` only when somebody outside has
 * seen something; an attempt that could not be judged (the listener did not answer, the executor refused) throws, so that silence is never
 * taken for safety.
 */
export async function runEscapeSuite(options: EscapeSuiteOptions): Promise<readonly EscapeRow[]> {
  const { realm, concurrency = 3, listenerUrl, channelName } = options;
  const attempts = (options.attempts ?? escapeAttempts).filter(concerns(realm));
  const secret = letters('secret');
  using inbox = new Inbox(channelName);
  await using _planted = await plantSecret(secret);
  await using pool = new SessionPool(realm);
  const lacking = await findLacking(realm);
  const unnamedBefore = await countHits(listenerUrl, unnamed);
  const made: Made[] = [];
  const pending = [...attempts.entries()];
  const work = async (): Promise<void> => {
    for (let next = pending.shift(); next; next = pending.shift()) {
      const [index, attempt] = next;
      const target = aim(listenerUrl, channelName, secret);
      made[index] = await make(attempt, openTrial(realm, pool, target), lacking);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  await sleep(systemClock, settleMs);
  const outside: Outside = { listenerUrl, stored: await listStored(), inbox };
  const rows = await Promise.all(made.map(async (one) => toRow(one, await watch(one, outside))));
  await Promise.all(
    made.filter((_one, index) => rows[index]?.leaked).map(({ target }) => removeStored(target.token)),
  );
  return [...rows, unnamedRow((await countHits(listenerUrl, unnamed)) - unnamedBefore)];
}

function verdict({ leaked, control, shown, lacks }: EscapeRow): string {
  if (leaked) return 'LEAKED';
  if (control === 'absent' || lacks.length > 0) return 'absent';
  return control === 'beside' && !shown ? 'UNPROVED' : 'held';
}

/** A table for people. */
export function formatEscapeRows(rows: readonly EscapeRow[]): string {
  return rows
    .map((row) => {
      const shown = row.shown ? `  [control: ${row.shown}]` : '';
      return `${verdict(row).padEnd(9)} ${row.language.padEnd(10)} ${row.attempt.padEnd(32)} ${row.detail}${shown}`;
    })
    .join('\n');
}
