/** What a supervision tree says of itself, in words that need no knowledge of OTP. */
import type { Strategy, SupervisorSnapshot } from '../actor/index.ts';
import type { Dependency, SubModuleWhenDown } from '../runtime/index.ts';

/** What a supervisor still bears, and within which time. */
export type Budget = Pick<SupervisorSnapshot, 'restartsLeft' | 'maxRestarts' | 'maxSeconds'>;

/** A dependency of a module, and whether it is missing now. */
export interface ShownDependency extends Dependency {
  readonly isDown: boolean;
}

/** A sub-module that is an actor of its own, and whether it is missing now. */
export interface ShownPart {
  /** Where it is in its module. */
  readonly path: string;
  readonly whenDown: SubModuleWhenDown;
  readonly isDown: boolean;
}

const strategies: Readonly<Record<Strategy, string>> = {
  'one-for-one': 'one for one: what fails is started again, alone',
  'one-for-all': 'one for all: what fails is started again with all its siblings',
  'rest-for-one': 'rest for one: what fails is started again with its siblings that started after it',
};

/** What a supervisor does when a child fails. */
export function strategyWords(strategy: Strategy): string {
  return strategies[strategy];
}

/** `2 of 3 restarts left`. */
export function restartsLeftWords({ restartsLeft, maxRestarts }: Budget): string {
  return `${restartsLeft} of ${maxRestarts} ${maxRestarts === 1 ? 'restart' : 'restarts'} left`;
}

/** The budget with its window, and what follows when it is spent. */
export function budgetWords(budget: Budget): string {
  const { restartsLeft, maxRestarts, maxSeconds } = budget;
  if (maxRestarts === 0) return 'no restarts: it gives up at the first failure';
  const words = `${restartsLeft} of ${maxRestarts} ${maxRestarts === 1 ? 'restart' : 'restarts'} left in this ${maxSeconds} s window`;
  return restartsLeft === 0 ? `${words}: it gives up at the next failure` : words;
}

/** By the reason of an exit or of a restart. Those that name a cause or an error have it after a colon. */
const reasons: ReadonlyMap<string, string> = new Map([
  ['normal', 'it ended by itself'],
  ['shutdown', 'it was stopped'],
  ['shutdown: gave up', 'it gave up'],
  ['crashed', 'it crashed'],
  ['start-failed', 'it could not start'],
  ['killed', 'it did not stop in time and was killed'],
  ['worker-lost', 'its worker is gone'],
  ['worker-lost: ended', 'its worker ended'],
  ['worker-lost: killed', 'its worker was killed'],
  ['worker-lost: start-failed', 'its worker could not start'],
  ['worker-lost: stop-timeout', 'its worker did not stop in time and was killed'],
  ['worker-hung', 'its worker did not answer in time and was killed'],
  ['protocol-violated', 'its worker broke the protocol and was killed'],
]);

const openReasons: readonly (readonly [prefix: string, words: string])[] = [
  ['start failed: ', 'it could not start'],
  ['worker-lost: ', 'its worker is gone'],
];

/** Why a child ended or could not start. A reason that is not known here is said as it is. */
export function reasonWords(reason: string): string {
  const known = reasons.get(reason);
  if (known !== undefined) return known;
  const open = openReasons.find(([prefix]) => reason.startsWith(prefix));
  return open ? `${open[1]}: ${reason.slice(open[0].length)}` : reason;
}

const whileDown: Readonly<Record<Dependency['whenDown'], string>> = {
  wait: 'calls wait',
  fail: 'calls fail',
  degrade: 'calls go on',
};

/** What calls do without a dependency; while it is missing, what they do now. */
export function dependencyWords({ id, whenDown, isDown }: ShownDependency): string {
  return isDown ? `${id} (down: ${whileDown[whenDown]})` : `${id} (${whileDown[whenDown]} while it is down)`;
}

const whilePartDown: Readonly<Record<SubModuleWhenDown, string>> = {
  fail: 'its calls fail',
  local: 'its calls run in the module itself',
  restart: 'its calls wait',
};

/** The same of a sub-module. */
export function partWords({ path, whenDown, isDown }: ShownPart): string {
  const words = whilePartDown[whenDown];
  return isDown ? `${path} (down: ${words})` : `${path} (${words} while it is down)`;
}

/** `1 restart`, `2 restarts`. */
export function restartCountWords(count: number): string {
  return count === 1 ? '1 restart' : `${count} restarts`;
}
