/** The kill buttons: they end the program's worker behind the runtime's back and tell what became of the program. */
import { CodedError } from '../../base/index.ts';
import type { JsonObject } from '../../base/index.ts';
import { openBroadcast, systemClock, withDeadline } from '../../platform/index.ts';
import type { ProgramControl, ProgramHandle } from './program-control.ts';
import type { Services } from './services.ts';
import type { ViewState } from './view-state.ts';
import { killChannel } from './worker-protocol.ts';

/** A hang is noticed after seconds, and a restart loads the worker anew. */
const recoveryTimeoutMs = 60_000;

/** Kills, waits, and compares the parameters before with those that the restarted module itself reports. */
export class KillControl {
  readonly #state: ViewState;
  readonly #services: Services;
  readonly #program: ProgramControl;

  constructor(state: ViewState, services: Services, program: ProgramControl) {
    this.#state = state;
    this.#services = services;
    this.#program = program;
  }

  /** `close`: the worker closes itself; `hang`: it loops for ever. */
  async kill(way: 'close' | 'hang'): Promise<void> {
    const { handle } = this.#program;
    const worker = handle?.worker;
    if (!handle || worker === undefined) return;
    const before = valuesOf(handle);
    using channel = openBroadcast(killChannel(this.#services.workerName(worker)), () => undefined);
    channel.post(way);
    try {
      const after = await withDeadline(systemClock, { timeoutMs: recoveryTimeoutMs }, () =>
        askAfterRestart(handle, worker),
      );
      this.#tell(`${worker} died and ${handle.worker ?? 'another worker'} took over.`, before, after);
    } catch (error) {
      this.#state.notify('kill', error);
    }
  }

  #tell(what: string, before: JsonObject, after: JsonObject): void {
    const isUnchanged = JSON.stringify(before) === JSON.stringify(after);
    const values = Object.entries(after).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
    const which = isUnchanged ? 'the parameters it had' : 'other parameters';
    this.#state.say(
      'kill',
      `${what} Asked anew, the module has ${which}: ${values.join(', ')}.`,
      isUnchanged ? 'info' : 'error',
    );
  }
}

function valuesOf(handle: ProgramHandle): JsonObject {
  return Object.fromEntries(
    Object.keys(handle.parameters).map((name) => [name, handle.parameter(name).value as never]),
  );
}

async function askAfterRestart(handle: ProgramHandle, worker: string): Promise<JsonObject> {
  await restarted(handle, worker);
  const answers = Object.keys(handle.parameters).map(
    async (name) => [name, (await handle.parameter(name).get()) as never] as const,
  );
  return Object.fromEntries(await Promise.all(answers));
}

/** Resolves when the module runs in another worker. @throws `app/program-ended` when its supervisor gave up */
function restarted(handle: ProgramHandle, worker: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const unsubscribe = handle.onStatus(look);
    function look(): void {
      const { status } = handle;
      if (status === 'running' && handle.worker !== worker) resolve();
      else if (status === 'crashed' || status === 'stopped') reject(ended(status));
      else return;
      unsubscribe();
    }
    look();
  });
}

function ended(status: string): CodedError {
  return new CodedError(
    'app/program-ended',
    'The worker died once too often: the supervisor gave up, as its limit on restarts asks. What was acknowledged is in the store.',
    { fields: { status } },
  );
}
