/** The program's source: edit, compile, try in a worker apart, and only then exchange the module that serves. */
import { CodedError, isCodedError, messageOf } from '../../base/index.ts';
import type { CodeProblem } from '../../elements/index.ts';
import { systemClock, withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
// oxlint-disable-next-line import/default -- the bundler gives a file's text as a default export
import shipped from './ask-table.ts?raw';
import { compileEdit } from './compile-edit.ts';
import type { ProgramControl } from './program-control.ts';
import type { Services } from './services.ts';
import { SourceKeeper } from './source-keeper.ts';
import { entryAddress, spawnModulesWorker } from './spawn-modules-worker.ts';
import type { SourceView } from './view.ts';
import type { ViewState } from './view-state.ts';
import { isModuleCheck } from './worker-protocol.ts';
import type { ModuleCheck } from './worker-protocol.ts';

/** How long an edited module may take to load: an endless loop at its top level must not hold the page. */
const loadTimeoutMs = 10_000;

/** As the editor shows it: with the name a user of the package imports. */
export const shippedSource: string = shipped.replaceAll("'./vivarium.ts'", "'vivarium'");

/** A failure on the way leaves the module that was running. */
export class SourceControl {
  readonly #state: ViewState;
  readonly #services: Services;
  readonly #program: ProgramControl;
  /** What the editor held when the module that serves was applied. */
  #runningText: string = shippedSource;
  readonly #keeper: SourceKeeper;
  /** The program has started here, so the store is not another tab's. */
  #isOwner = false;

  constructor(state: ViewState, services: Services, program: ProgramControl, clock: Clock = systemClock) {
    this.#state = state;
    this.#services = services;
    this.#program = program;
    this.#keeper = new SourceKeeper({
      store: services.store,
      clock,
      onWrite: (failure) =>
        failure === undefined ? state.dismiss('source') : state.notify('source', failure, 'warning'),
    });
  }

  /** Brings back the edit of an earlier page, to look at and apply: what once hung the program must not start by itself. */
  async restore(): Promise<void> {
    try {
      const kept = await this.#keeper.load();
      // what the reader has begun to type goes before
      if (kept !== undefined && this.#state.current.source.text === shippedSource) this.edit(kept);
    } catch (error) {
      this.#state.notify('source', error, 'warning');
    }
  }

  edit(text: string): void {
    // typing does not end an apply: its buttons stay off until the worker has answered
    const isApplying = this.#state.current.source.state === 'applying';
    const state = isApplying ? 'applying' : stateOfText(text, this.#runningText);
    this.#state.update({ source: { text, original: shippedSource, state } });
    this.#keep();
  }

  /** To be called when the program was started by another way than `apply`. */
  noteStart(): void {
    this.#isOwner = true;
    this.#keep();
    if (this.#state.current.source.state !== 'down') return;
    this.#show({ state: stateOfText(this.#state.current.source.text, this.#runningText) });
  }

  /** True when the text that the editor held at the call now serves. */
  async apply(): Promise<boolean> {
    const { text } = this.#state.current.source;
    this.#show({ state: 'applying' });
    const isShipped = text === shippedSource;
    let address: string | undefined;
    try {
      if (!isShipped) {
        address = await publish(text);
        await tryModule(address);
      }
      await this.#exchange(address);
      this.#runningText = text;
      this.#show({ state: stateOfText(this.#state.current.source.text, text) });
      return true;
    } catch (error) {
      if (address !== undefined) URL.revokeObjectURL(address);
      const isDown = this.#program.handle === undefined;
      this.#show({ state: isDown ? 'down' : 'failed', problem: toProblem(error) });
      return false;
    }
  }

  /** Back to the module as it was shipped. */
  reset(): Promise<boolean> {
    this.edit(shippedSource);
    return this.apply();
  }

  /** The worker's module is exchanged with its worker; parameters come back from the store. */
  async #exchange(address: string | undefined): Promise<void> {
    const before = this.#services.edit;
    if (address === before) return;
    try {
      await this.#program.stop();
      this.#services.edit = address;
      await this.#program.start();
    } catch (error) {
      this.#services.edit = before;
      await this.#startAgain();
      throw error;
    }
    // a restarted worker imports the address again, so only the one before it may go
    if (before !== undefined) URL.revokeObjectURL(before);
  }

  /** The module from before. When it fails, too, nothing serves, and the reader gets the button that starts it. */
  async #startAgain(): Promise<void> {
    try {
      await this.#program.start();
    } catch (error) {
      this.#state.notify('start', error);
      this.#state.update({ canStart: true, isReady: false });
    }
  }

  #keep(): void {
    const { text } = this.#state.current.source;
    if (this.#isOwner) this.#keeper.keep(text === shippedSource ? undefined : text);
  }

  #show(change: { readonly state: SourceView['state']; readonly problem?: CodeProblem }): void {
    const { text, original } = this.#state.current.source;
    this.#state.update({ source: { text, original, ...change } });
  }
}

/** How a text stands to the one that serves. */
export function stateOfText(text: string, runningText: string): 'original' | 'edited' | 'applied' {
  if (text !== runningText) return 'edited';
  return text === shippedSource ? 'original' : 'applied';
}

async function publish(text: string): Promise<string> {
  const code = await compileEdit(text, entryAddress());
  return URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
}

/** @throws `app/module-load-failed` when it throws, exports no module, or takes too long */
async function tryModule(address: string): Promise<void> {
  const worker = spawnModulesWorker('module-check', { check: address });
  try {
    const check = await withDeadline(systemClock, { timeoutMs: loadTimeoutMs }, () => answerOf(worker));
    if (check.isLoadable) return;
    const [, line, column] = /ask-table\.ts:(\d+):(\d+)/u.exec(check.stack) ?? [];
    throw loadFailed(check.message, line === undefined ? {} : { line: Number(line), column: Number(column) });
  } catch (error) {
    if (isCodedError(error, 'port/timeout'))
      throw loadFailed(`it did not finish loading within ${loadTimeoutMs / 1000} s`, {});
    throw error;
  } finally {
    worker.terminate();
  }
}

function answerOf(worker: Worker): Promise<ModuleCheck> {
  return new Promise((resolve, reject) => {
    worker.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (isModuleCheck(data)) resolve(data);
    });
    worker.addEventListener('error', (event) =>
      reject(loadFailed(event.message || 'the worker did not start', {})),
    );
  });
}

function loadFailed(reason: string, place: { readonly line?: number; readonly column?: number }): CodedError {
  return new CodedError('app/module-load-failed', `The edited module does not load: ${reason}`, {
    fields: place,
  });
}

function toProblem(error: unknown): CodeProblem {
  const fields = isCodedError(error) ? error.fields : {};
  const { line, column } = fields;
  return {
    message: messageOf(error),
    ...(typeof line === 'number' ? { line } : {}),
    ...(typeof column === 'number' ? { column } : {}),
  };
}
