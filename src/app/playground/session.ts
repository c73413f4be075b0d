/** The playground's page, alive: it opens the parts, passes wishes on to them, and shows what they say. */
import { isCodedError } from '../../base/index.ts';
import type { Cell, ModelChoice, StorageAct } from '../../elements/index.ts';
import { systemClock } from '../../platform/index.ts';
import { createHub } from '../../telemetry/index.ts';
import type { Hub, StampedEvent } from '../../telemetry/index.ts';
import { EventBuffer } from './event-buffer.ts';
import { KillControl } from './kill-control.ts';
import { ModelControl } from './model-control.ts';
import { toNotice } from './next-step.ts';
import { NumbersControl } from './numbers-control.ts';
import { copyState, createCopyId, isCopyId, storeNameOf } from './playground-store.ts';
import { ProgramControl } from './program-control.ts';
import { RunControl } from './run-control.ts';
import { Services } from './services.ts';
import { shippedSource, SourceControl, stateOfText } from './source-control.ts';
import { StatusControl } from './status-control.ts';
import type { StorageControl } from './storage-control.ts';
import { TableControl } from './table-control.ts';
import type { PlaygroundCommands, PlaygroundView } from './view.ts';
import { ViewState } from './view-state.ts';

/** How often a tab that came second asks whether the first is gone. */
const takeOverMs = 3_000;

export interface SessionOptions {
  readonly onView: (view: PlaygroundView) => void;
  /** Leaves this page for the one of a copy that was made. */
  readonly onCopy: (copyId: string) => void;
  /** What the address says after `copy=`. */
  readonly copyId: string | undefined;
}

interface Controls {
  readonly services: Services;
  readonly program: ProgramControl;
  readonly run: RunControl;
  readonly kill: KillControl;
  readonly model: ModelControl;
  readonly source: SourceControl;
  readonly numbers: NumbersControl;
  /** Comes after the program serves. */
  storage?: StorageControl;
}

/** Everything a reader can do, and the view they see. What fails ends up in the view. */
export class PlaygroundSession implements PlaygroundCommands {
  readonly #state: ViewState;
  readonly #hub: Hub = createHub();
  readonly #table: TableControl;
  readonly #status: StatusControl;
  readonly #onCopy: (copyId: string) => void;
  readonly #copyId: string | undefined;
  #controls: Controls | undefined;
  #isCopying = false;
  #cancelStart: (() => void) | undefined;
  /** The latest choice of a model that came before there was anything to take it up. */
  #early: { readonly choice: ModelChoice; readonly isToBeTested?: boolean } | undefined;

  constructor({ onView, onCopy, copyId }: SessionOptions) {
    this.#state = new ViewState(onView);
    this.#onCopy = onCopy;
    this.#copyId = copyId;
    if (copyId !== undefined && isCopyId(copyId)) this.#state.update({ copyId });
    this.#status = new StatusControl(this.#state);
    this.#table = new TableControl(this.#state, (table) => void this.#controls?.numbers.update(table));
    this.#state.update({ source: { text: shippedSource, original: shippedSource, state: 'original' } });
    const buffer = new EventBuffer(systemClock, (events) => this.#onEvents(events));
    this.#hub.subscribe((event) => {
      buffer.add(event);
      this.#onEvent(event);
    });
  }

  /** Loads the example and starts the program; either may fail and leave the other. */
  async open(): Promise<void> {
    await Promise.all([this.#table.loadExample(), this.startProgram()]);
  }

  /** Opens what is not open yet. Also the way back after the supervisor gave up or another tab was in the way. */
  async startProgram(): Promise<void> {
    this.#state.update({ canStart: false });
    try {
      const controls = (this.#controls ??= await this.#open());
      this.#takeUpEarlyWishes(controls);
      await controls.program.start();
      controls.source.noteStart();
      void controls.model.noteStart();
      void this.#openStorage(controls);
      this.#state.dismiss('start');
    } catch (error) {
      const isElsewhere = isCodedError(error, 'runtime/module-running-elsewhere');
      this.#state.notify('start', error, 'error', isElsewhere ? 'work-on-copy' : undefined);
      this.#state.update({ canStart: true, isReady: false });
      if (isElsewhere) this.#startLater();
    }
  }

  /** The other tab may be closed at any time; nobody should have to watch for it. */
  #startLater(): void {
    this.#cancelStart?.();
    this.#cancelStart = systemClock.after(takeOverMs, () => {
      if (this.#state.current.canStart) void this.startProgram();
    });
  }

  askQuestion(question: string): void {
    const { run, model } = this.#controls ?? {};
    if (model?.refusal === undefined) return void run?.ask(question);
    this.#state.update({ question, outcome: { state: 'failed', question, error: toNotice(model.refusal) } });
  }

  stopRun(): void {
    this.#controls?.run.stop();
  }

  editQuestion(question: string): void {
    this.#state.update({ question });
  }

  loadFile(file: Blob & { readonly name?: string }): void {
    void this.#table.loadFile(file);
  }

  loadExample(): void {
    void this.#table.loadExample();
  }

  editCell(row: number, column: number, value: Cell): void {
    this.#table.editCell(row, column, value);
  }

  chooseAxes(axes: { readonly x?: string; readonly y?: string }): void {
    this.#controls?.numbers.chooseAxes(axes);
  }

  setParameter(name: string, value: unknown): void {
    void this.#controls?.program.setParameter(name, value);
  }

  chooseModel(choice: ModelChoice): void {
    if (this.#controls) return void this.#controls.model.choose(choice);
    this.#early = { choice };
    this.#state.update({ choice });
  }

  testEndpoint(choice: ModelChoice): void {
    if (this.#controls) return void this.#controls.model.test(choice);
    this.#early = { choice, isToBeTested: true };
    this.#state.update({ endpointTest: { state: 'running' } });
  }

  editSource(text: string): void {
    if (this.#controls) return this.#controls.source.edit(text);
    const state = stateOfText(text, shippedSource);
    this.#state.update({ source: { text, original: shippedSource, state } });
  }

  applySource(): void {
    void this.#applyAndRerun();
  }

  resetSource(): void {
    void this.#controls?.source.reset();
  }

  killWorker(way: 'close' | 'hang'): void {
    void this.#controls?.kill.kill(way);
  }

  actOnStorage(act: StorageAct): void {
    void this.#controls?.storage?.act(act);
  }

  dismissNotice(id: string): void {
    this.#state.dismiss(id);
  }

  workOnCopy(): void {
    void this.#copy();
  }

  async #copy(): Promise<void> {
    const { services } = this.#controls ?? {};
    if (!services || this.#isCopying) return;
    this.#isCopying = true;
    try {
      const copyId = createCopyId();
      await copyState(services.store, copyId);
      this.#state.dismiss('copy');
      this.#onCopy(copyId);
    } catch (error) {
      this.#state.notify('copy', error);
    } finally {
      this.#isCopying = false;
    }
  }

  async #open(): Promise<Controls> {
    const services = await Services.open(this.#hub, storeNameOf(this.#copyId));
    try {
      return await this.#openControls(services);
    } catch (error) {
      // each further start would open another store, frame and interpreter beside these
      await services[Symbol.asyncDispose]().catch(() => undefined);
      throw error;
    }
  }

  async #openControls(services: Services): Promise<Controls> {
    const program = new ProgramControl(this.#state, services);
    const controls: Controls = {
      services,
      program,
      run: new RunControl(this.#state, program, services.store),
      kill: new KillControl(this.#state, services, program),
      model: new ModelControl(this.#state, services, this.#hub),
      source: new SourceControl(this.#state, services, program),
      numbers: new NumbersControl(this.#state, services.compute),
    };
    this.#status.describeStore(services.store);
    await controls.model.restore();
    await controls.run.restore();
    await controls.source.restore();
    const { table } = this.#state.current;
    if (table.rows.length > 0) void controls.numbers.update(table);
    return controls;
  }

  /** Nobody needs it to ask: it is loaded behind what they need. */
  async #openStorage(controls: Controls): Promise<void> {
    try {
      if (!controls.storage) {
        const { StorageControl: Control } = await import('./storage-control.ts');
        const { runtime, store, journal, quota } = controls.services;
        const now = (): number => systemClock.now();
        controls.storage = new Control(this.#state, { runtime, store, journal, quota, now });
      }
      await controls.storage.refresh();
    } catch (error) {
      this.#state.notify('storage', error, 'warning');
    }
  }

  #takeUpEarlyWishes({ model }: Controls): void {
    const early = this.#early;
    this.#early = undefined;
    if (!early) return;
    void model.choose(early.choice);
    if (early.isToBeTested) void model.test(early.choice);
  }

  async #applyAndRerun(): Promise<void> {
    const { source, run } = this.#controls ?? {};
    if (!source || !run || !(await source.apply())) return;
    const { question } = this.#state.current;
    if (question.trim() !== '') await run.ask(question);
  }

  #onEvent(event: StampedEvent): void {
    this.#status.onEvent(event);
    this.#controls?.run.onEvent(event);
    if (event.type === 'store-quota') this.#controls?.storage?.noteRoom();
    if (event.type === 'platform-degrade' && event.what === 'store')
      this.#state.say(
        'store',
        `This browser refuses storage here, so nothing outlives this page: ${event.reason}`,
        'warning',
      );
  }

  #onEvents(events: readonly StampedEvent[]): void {
    this.#state.update({ events });
    const { program, storage } = this.#controls ?? {};
    if (!program) return;
    program.refresh();
    if (events.at(-1)?.type === 'parameter-change') void storage?.keep();
  }
}
