/** JavaScript as an engine: each session, and each run of its own, has an interpreter with memory of its own. */
import { systemClock } from '../../../../platform/index.ts';
import type { Clock } from '../../../../platform/index.ts';
import type { Engine, EngineRun, GuestOutput, SavedState } from '../../../guest/engine.ts';
import { isInterrupted } from '../../../guest/interrupt-flag.ts';
import type { LostName } from '../../../outcome.ts';
import type { RunRequest } from '../../../sandbox/protocol.ts';
import type { SaveBounds } from '../../../sandbox/session-protocol.ts';
import { HostFunctions } from './host-functions.ts';
import type { InterpreterImage } from './interpreter-image.ts';
import { Interpreter } from './interpreter.ts';
import type { InterpreterOptions } from './interpreter.ts';
import { Modules } from './modules.ts';
import { Run } from './run.ts';
import { openSession, SessionImages } from './session.ts';
import type { Translation } from './translation.ts';

export interface JavaScriptOptions {
  readonly module: WebAssembly.Module;
  readonly memoryBytes: number;
  readonly fileBytes: number;
  readonly stackBytes: number;
  readonly interrupt: SharedArrayBuffer | undefined;
  readonly translation: Translation;
  readonly output: GuestOutput;
  readonly clock?: Clock;
}

/** What a run is over for, before its code is. */
export type Ending =
  | { readonly type: 'submitted'; readonly result: string }
  | { readonly type: 'time' | 'stopped' | 'output' };

/** An interpreter, and what lives as long as it. */
interface Place {
  readonly interpreter: Interpreter;
  readonly host: HostFunctions;
  readonly modules: Modules;
}

export class JavaScriptEngine implements Engine {
  readonly interruptName = 'InterruptError';
  readonly #options: JavaScriptOptions;
  readonly #clock: Clock;
  /** Made ahead: a run finds it ready. */
  #place: Promise<Place>;
  /** The one that has run something, unless it was lost. */
  #used: Place | undefined;
  readonly #images: SessionImages = new SessionImages();
  /** While it is asked what it has left. */
  #saveEndMs = Infinity;
  /** For all interpreters after the first. */
  #image: Promise<InterpreterImage | undefined> | undefined;
  #run: Run | undefined;
  #runs = 0;

  private constructor(options: JavaScriptOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#place = this.#open();
  }

  static async create(options: JavaScriptOptions): Promise<JavaScriptEngine> {
    const engine = new JavaScriptEngine(options);
    await engine.#place;
    return engine;
  }

  async run({ request: bytes, buffers, timeoutMs }: EngineRun): Promise<string> {
    const endMs = this.#clock.monotonic() + timeoutMs;
    const request = JSON.parse(new TextDecoder().decode(bytes)) as RunRequest;
    const place = await this.#place;
    this.#used = place;
    const { interpreter, host, modules } = place;
    modules.add(request.imports);
    const { fileBytes, translation } = this.#options;
    const name = `<run-${++this.#runs}>`;
    const run = new Run({
      interpreter,
      host,
      modules,
      request,
      name,
      fileBytes,
      translation,
      endMs,
      clock: this.#clock,
    });
    this.#run = run;
    host.begin(run, buffers, request.outputBytes);
    try {
      const result = await run.result();
      if (run.isBroken) this.#replace();
      else interpreter.release();
      return result;
    } finally {
      this.#run = undefined;
      host.end();
    }
  }

  stop(): void {
    this.#run?.end({ type: 'stopped' });
  }

  renew(): void {
    if (!this.#used) return;
    this.#used = undefined;
    this.#runs = 0;
    // a session never comes here, and one run may be all: what is made once is made for those that follow
    this.#image ??= Interpreter.image(this.#parts()).catch(() => undefined);
    this.#place = this.#open();
    // told to the next run
    this.#place.catch(() => undefined);
  }

  save(bounds: SaveBounds, isIdle: boolean): SavedState | 'later' | undefined {
    if (!this.#used) return undefined;
    this.#saveEndMs = this.#clock.monotonic() + bounds.timeMs;
    try {
      return this.#images.save({ ...this.#used, runs: this.#runs }, bounds, isIdle);
    } finally {
      this.#saveEndMs = Infinity;
    }
  }

  async restore(parts: readonly Uint8Array[]): Promise<readonly LostName[]> {
    const session = openSession(parts);
    if (!session) return [];
    const options = this.#parts();
    const { host, modules } = options;
    modules.restore(session.modules);
    this.#used = { interpreter: await Interpreter.restore(options, session.image), host, modules };
    this.#runs = session.runs;
    this.#place = Promise.resolve(this.#used);
    return [];
  }

  /** The session goes on, with nothing of what it had. */
  #replace(): void {
    this.#options.output.loseState();
    this.renew();
  }

  async #open(): Promise<Place> {
    const parts = this.#parts();
    const { host, modules } = parts;
    return { interpreter: await Interpreter.create(parts, await this.#image), host, modules };
  }

  #parts(): InterpreterOptions & Omit<Place, 'interpreter'> {
    const { module, memoryBytes, stackBytes, output, translation } = this.#options;
    const host = new HostFunctions(output, this.#clock);
    const modules = new Modules(translation.module, translation.endings);
    return { module, memoryBytes, stackBytes, host, modules, mustEnd: () => this.#mustEnd() };
  }

  #mustEnd(): boolean {
    const run = this.#run;
    if (!run) return this.#clock.monotonic() >= this.#saveEndMs;
    const { interrupt } = this.#options;
    if (interrupt && isInterrupted(interrupt)) run.end({ type: 'stopped' });
    return run.isOver();
  }
}
