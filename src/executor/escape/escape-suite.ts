/** Runs every attempt and asks those outside what they have seen. */
import { messageOf } from '../../base/index.ts';
import {
  fetchAsset,
  openBroadcast,
  randomHex,
  sleep,
  systemClock,
  systemRandom,
} from '../../platform/index.ts';
import type { Executor } from '../executor.ts';
import type { Outcome } from '../outcome.ts';
import { escapeAttempts } from './attempts.ts';
import type { EscapeAttempt, EscapeTarget, Watcher } from './attempts.ts';
import { findToken, removeToken } from './page-state.ts';

export interface EscapeSuiteOptions {
  readonly executor: Executor;
  /** Address of `tools/listener.mjs`, without a slash at the end. */
  readonly listenerUrl: string;
  /** A BroadcastChannel that nobody else uses. */
  readonly channelName: string;
  /** Default: all of them. */
  readonly attempts?: readonly EscapeAttempt[];
  /** Longest one attempt may take. Default 5,000. */
  readonly timeoutMs?: number;
  /** Attempts at the same time. Default 3; the executor must have as many places. */
  readonly concurrency?: number;
}

export interface EscapeRow {
  readonly attempt: string;
  readonly watcher: Watcher;
  readonly leaked: boolean;
  /** What a run without walls is expected to show for this attempt. */
  readonly leaksUnprotected: boolean;
  /** How the guest's code ended, and who saw it. */
  readonly detail: string;
}

/** How long a request may still be under way after the guest has ended. */
const settleMs = 300;
const probeEveryMs = 60;
/** Under this name the listener counts what carries no token. */
const unnamed = 'unnamed';

/** What reached the page's windows and channels. */
class Inbox implements Disposable {
  #texts: string[] = [];
  readonly #release: () => void;

  constructor(channelName: string) {
    const keep = (data: unknown): void => {
      this.#texts.push(typeof data === 'string' ? data : (JSON.stringify(data) ?? ''));
    };
    const channel = openBroadcast(channelName, keep);
    const onMessage = (event: MessageEvent): void => keep(event.data);
    globalThis.addEventListener('message', onMessage);
    this.#release = () => {
      channel[Symbol.dispose]();
      globalThis.removeEventListener('message', onMessage);
    };
  }

  has(token: string): boolean {
    return this.#texts.some((text) => text.includes(token));
  }

  [Symbol.dispose](): void {
    this.#release();
  }
}

/** Says what was seen, or nothing. */
type Seen = string | undefined;

interface Trial {
  readonly attempt: EscapeAttempt;
  readonly target: EscapeTarget;
  readonly options: EscapeSuiteOptions;
  readonly inbox: Inbox;
}

function aim(listenerUrl: string, channelName: string): EscapeTarget {
  const { hostname, port, host } = new URL(listenerUrl);
  // letters only: evaluated code shows itself by writing them in capitals
  const token = `escape${randomHex(systemRandom, 8).replaceAll(/\d/gu, (digit) => 'ghijklmnop'[Number(digit)] ?? 'q')}`;
  return {
    url: `${listenerUrl}/hit/${token}`,
    webSocketUrl: `ws://${host}/hit/${token}`,
    host: hostname,
    port,
    channel: channelName,
    token,
  };
}

async function countHits(listenerUrl: string, token: string): Promise<number> {
  const body = await fetchAsset(`${listenerUrl}/hits/${token}`);
  return Number(new TextDecoder().decode(body));
}

/** Storage is looked at while the guest runs, too: a lock lives no longer than its holder. */
async function watchStorage(token: string, run: Promise<unknown>): Promise<Seen> {
  let isRunning = true;
  const end = (): void => {
    isRunning = false;
  };
  void run.then(end, end);
  for (;;) {
    const places = await findToken(token);
    if (places.length > 0) return `found in ${places.join(', ')}`;
    if (!isRunning) return undefined;
    await sleep(systemClock, probeEveryMs);
  }
}

function pollutionIn(value: unknown, token: string): Seen {
  if (Reflect.get({}, token) !== undefined) return 'Object.prototype was changed';
  if (value === token) return 'a forged result was taken for a real one';
  if (typeof value !== 'object' || value === null) return undefined;
  return Reflect.get(value, token) === undefined ? undefined : 'a returned value has a forged prototype';
}

async function inspectPage({ target, options }: Trial, outcome: Outcome): Promise<Seen> {
  const values = outcome.type === 'returned' || outcome.type === 'submitted' ? [outcome.value] : [];
  const seen = values.map((value) => pollutionIn(value, target.token)).find(Boolean);
  if (seen) return seen;
  const next = await options.executor.execute('import json\njson.dumps(1 + 1)');
  return next.type === 'returned' && next.value === '2' ? undefined : `the next run ended as ${next.type}`;
}

async function observe(trial: Trial, outcome: Outcome, stored: Seen): Promise<Seen> {
  const { attempt, target, inbox } = trial;
  const hits = await countHits(trial.options.listenerUrl, target.token);
  if (hits > 0) return `the listener was reached ${hits} times`;
  if (stored) return stored;
  if (inbox.has(target.token)) return 'a message arrived';
  if (attempt.watcher === 'print' && outcome.stdout.includes(target.token.toUpperCase()))
    return 'text became code';
  return attempt.watcher === 'page' ? inspectPage(trial, outcome) : undefined;
}

function describeEnd(outcome: Outcome): string {
  if (outcome.type === 'threw') {
    const lines = outcome.error.message.split('\n');
    return `${outcome.error.type}: ${lines[0] ?? ''}`.slice(0, 160);
  }
  return outcome.type === 'failed' ? `${outcome.code}: ${outcome.message}`.slice(0, 160) : outcome.type;
}

async function runAttempt(trial: Trial): Promise<EscapeRow> {
  const { attempt, target, options } = trial;
  const { timeoutMs = 5000 } = options;
  const run = options.executor.execute(attempt.code(target), {}, { timeoutMs });
  const stored = await watchStorage(target.token, run);
  const outcome = await run;
  await sleep(systemClock, settleMs);
  const seen = await observe(trial, outcome, stored);
  if (seen) await removeToken(target.token).catch(() => undefined);
  return {
    attempt: attempt.id,
    watcher: attempt.watcher,
    leaked: seen !== undefined,
    leaksUnprotected: attempt.leaksUnprotected,
    detail: seen ? `${describeEnd(outcome)}; ${seen}` : describeEnd(outcome),
  };
}

/**
 * One row per attempt, in the order of the attempts, and one for contacts that carried no token. A row says `leaked` only when somebody outside has seen something; an attempt that could
 * not be judged (the listener did not answer, the executor refused) throws, so that silence is never taken for safety.
 */
export async function runEscapeSuite(options: EscapeSuiteOptions): Promise<readonly EscapeRow[]> {
  const { attempts = escapeAttempts, concurrency = 3, listenerUrl, channelName } = options;
  using inbox = new Inbox(channelName);
  const unnamedBefore = await countHits(listenerUrl, unnamed);
  const rows: EscapeRow[] = [];
  const pending = attempts.map((attempt, index) => ({ attempt, index }));
  const work = async (): Promise<void> => {
    for (let next = pending.shift(); next; next = pending.shift()) {
      const target = aim(listenerUrl, channelName);
      rows[next.index] = await runAttempt({ attempt: next.attempt, target, options, inbox });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return [...rows, unnamedRow((await countHits(listenerUrl, unnamed)) - unnamedBefore)];
}

/** Contacts without a token: Python's sockets, for one, speak WebSocket to a bare address. */
function unnamedRow(hits: number): EscapeRow {
  const detail = `the listener was reached ${hits} times without a token`;
  return { attempt: unnamed, watcher: 'network', leaked: hits > 0, leaksUnprotected: true, detail };
}

/** A table for people. */
export function formatEscapeRows(rows: readonly EscapeRow[]): string {
  return rows
    .map(
      ({ attempt, leaked, detail }) =>
        `${leaked ? 'LEAKED ' : 'held   '} ${attempt.padEnd(28)} ${messageOf(detail)}`,
    )
    .join('\n');
}
