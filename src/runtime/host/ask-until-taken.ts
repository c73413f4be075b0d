/** What a module has to take in the end, whatever happens to its worker meanwhile. */
import { isCodedError } from '../../base/index.ts';
import { sleep } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { HostedModuleRecord } from './hosted.ts';
import { whyOver } from './module-supervisors.ts';

/** Why a call may not have come to its owner, who can be asked again. */
const refusedForNow: ReadonlySet<string> = new Set([
  'actor/mailbox-full',
  'actor/peer-died',
  'port/timeout',
  'port/too-many-calls',
  'runtime/module-restarting',
]);
/** Between two attempts; each pause is twice the one before. */
const firstPauseMs = 1;
const maxPauseMs = 1_000;

/**
 * Asks until the module has answered, or is over. Only for what may be done twice. One that runs is asked in the turn of the call: before anything
 * that somebody asks of it later.
 * @param bodyOf asked for in each attempt
 * @throws what the method throws, and what ended the module or its supervisor
 */
export async function askUntilTaken(
  clock: Clock,
  module: HostedModuleRecord,
  method: string,
  bodyOf: () => unknown,
): Promise<unknown> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, maxPauseMs)) {
    try {
      // its worker answers or is killed: a limit of time would only leave the owner behind
      return await module.call(method, bodyOf(), { timeoutMs: Infinity });
    } catch (error) {
      if (module.isOver || whyOver(module.supervisor)) throw error;
      if (!isCodedError(error) || !refusedForNow.has(error.code)) throw error;
    }
    await sleep(clock, pauseMs);
  }
}
