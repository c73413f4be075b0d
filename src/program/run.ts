/**
 * The run context of one call: settings, span, trace, usage, deadline and cancellation. It travels with the call and is handed
 * to `forward`; nothing here is global, so calls that interleave never see each other's.
 */
import { CodedError, isJson } from '../base/index.ts';
import type { Json } from '../base/index.ts';
import type { Clock, DeadlineOptions } from '../platform/index.ts';
import { cancellation, systemClock, systemRandom, withDeadline } from '../platform/index.ts';
import { createSpan, silentHub } from '../telemetry/index.ts';
import type { SpanContext } from '../telemetry/index.ts';
import { giveBrand, hasBrand, runBrand } from './kind.ts';
import { programLimits } from './limits.ts';
import type { RunWire } from './run-wire.ts';
import { currentDefaults, mergeSettings } from './settings.ts';
import type { CallOptions, CallSettings, Settings } from './settings.ts';
import { Stopper } from './stopper.ts';
import { Trace } from './trace.ts';
import { Usage } from './usage.ts';
import { bindView, createViewScope } from './view.ts';

export interface RunDeadline {
  /** On the monotonic clock of this realm. */
  readonly atMonotonicMs: number;
  /** Milliseconds left, never below 0. */
  remainingMs(): number;
}

export interface Run {
  readonly settings: Settings;
  /** What the caller said for this call alone; never inherited. */
  readonly options: CallOptions;
  /** Aborts when the call is cancelled, times out or ends. Hand it to everything that waits. */
  readonly signal: AbortSignal;
  readonly deadline: RunDeadline | undefined;
  /** The span of this call; calls inside it are its children. */
  readonly span: SpanContext;
  /** Undefined when tracing is off. */
  readonly trace: Trace | undefined;
  readonly usage: Usage;
  /** Class name of the running module; undefined in a {@link context}, where none runs. */
  readonly kind: string | undefined;
  /** Where the running module is in the program, such as `hops[0]`; empty for the root. */
  readonly path: string;
  /** Calls around this one, here and in the realms that it came from. */
  readonly depth: number;
  /** True once the call has settled. Calls through it then fail with `program/run-ended`. */
  readonly isEnded: boolean;
  /** The same run with other settings: `this.answer.call(x, run.with({ lm }))`. */
  with(settings: Settings): Run;
  /** A module bound to this run, for modules that are not fields, such as one made inside `forward`. */
  bind<T extends object>(module: T): T;
  /** Puts a line into the event stream. Text beyond 2,000 characters is cut. */
  note(text: string, data?: Json): void;
  /** The part that can cross to another realm, as plain data; {@link continueRun} takes it up there. */
  toWire(): RunWire;
}

/** Takes what ends a run, and calls it once when something does. The returned function ends that. */
export type StopSource = (stop: (error: CodedError) => void) => () => void;

/** Hears of work that goes on although whoever waited for it was told of its end. It settles when the work really ends. */
export type LeaveListener = (work: Promise<unknown>) => void;

export interface RunRequest {
  readonly parent?: Run | undefined;
  readonly settings?: CallSettings | undefined;
  /** The called module; undefined for a context. */
  readonly module?: object;
  /** Class name of the called module. */
  readonly kind?: string;
  /** Where the called module is in the program. */
  readonly path?: string;
  /** Ends the run in the place of a signal and of a timer: whoever gives it keeps the time. */
  readonly onStop?: StopSource | undefined;
  /** Gets what goes on after its end: work of this call and of calls inside it that did not heed the signal. */
  readonly onLeave?: LeaveListener | undefined;
  /** Set when the parent is in another realm. */
  readonly origin?: { readonly span: SpanContext; readonly depth: number; readonly isTraced: boolean };
}

/** One call from its start to its end. The runs made of it by `with` end with it. */
interface Frame {
  readonly module: object | undefined;
  /** The call around this one in this realm, of this copy of the library. */
  readonly around: Frame | undefined;
  readonly stopper: Stopper;
  readonly onLeave: LeaveListener | undefined;
  readonly clock: Clock;
  /** Minted for the first who asks. */
  readonly span: SpanContext;
  readonly usage: Usage;
  readonly depth: number;
  /** On the monotonic clock. */
  readonly startMs: number;
  readonly deadlineMs: number | undefined;
  isEnded: boolean;
}

class ActiveRun implements Run {
  static {
    giveBrand(this.prototype, runBrand);
  }

  readonly settings: Settings;
  readonly options: CallOptions;
  readonly kind: string | undefined;
  readonly path: string;
  readonly trace: Trace | undefined;
  readonly #frame: Frame;

  constructor(
    frame: Frame,
    parts: Pick<Run, 'settings' | 'options' | 'kind' | 'path'> & { trace: Trace | undefined },
  ) {
    this.#frame = frame;
    this.settings = parts.settings;
    this.options = parts.options;
    this.kind = parts.kind;
    this.path = parts.path;
    this.trace = parts.trace;
  }

  /** Undefined for runs of another copy of the library. */
  static stopperOf(run: Run): Stopper | undefined {
    return #frame in run ? run.#frame.stopper : undefined;
  }

  static frameOf(run: Run): Frame | undefined {
    return #frame in run ? run.#frame : undefined;
  }

  get signal(): AbortSignal {
    return this.#frame.stopper.signal;
  }

  get span(): SpanContext {
    return this.#frame.span;
  }

  get usage(): Usage {
    return this.#frame.usage;
  }

  get depth(): number {
    return this.#frame.depth;
  }

  get isEnded(): boolean {
    return this.#frame.isEnded;
  }

  get deadline(): RunDeadline | undefined {
    const { deadlineMs, clock } = this.#frame;
    if (deadlineMs === undefined) return undefined;
    return { atMonotonicMs: deadlineMs, remainingMs: () => Math.max(0, deadlineMs - clock.monotonic()) };
  }

  with(settings: Settings): Run {
    const merged = mergeSettings(this.settings, settings);
    const trace = settings.trace === undefined ? this.trace : (settings.trace ?? undefined);
    return new ActiveRun(this.#frame, {
      settings: merged,
      options: this.options,
      kind: this.kind,
      path: this.path,
      trace,
    });
  }

  bind<T extends object>(module: T): T {
    return bindView(module, createViewScope(this), pathOfStranger(this, module));
  }

  note(text: string, data?: Json): void {
    const { telemetry = silentHub } = this.settings;
    if (!telemetry.isActive) return;
    const cut = text.slice(0, programLimits.noteCharacters);
    telemetry.emit({
      type: 'note',
      text: this.path === '' ? cut : `${this.path}: ${cut}`,
      span: this.span,
      ...(data === undefined ? {} : { data: isJson(data) ? data : 'not JSON' }),
    });
  }

  toWire(): RunWire {
    const remainingMs = this.deadline?.remainingMs();
    return {
      span: this.span,
      path: this.path,
      depth: this.depth,
      isTraced: this.trace !== undefined,
      values: this.settings.values ?? {},
      ...(remainingMs === undefined ? {} : { remainingMs }),
    };
  }
}

/** The path of a module that no field of the running program holds. In a context it is the root. */
export function pathOfStranger(run: Run, module: object): string {
  if (run.kind === undefined) return run.path;
  const name = `(${module.constructor.name})`;
  return run.path === '' ? name : `${run.path}.${name}`;
}

/** The modules that are running: that of this run first, then those around it. */
export function* callersOf(run: Run): Iterable<object> {
  for (let frame = ActiveRun.frameOf(run); frame; frame = frame.around) {
    if (frame.module) yield frame.module;
  }
}

/** When the run began, on its monotonic clock; undefined for runs of another copy of the library. */
export function startOf(run: Run): number | undefined {
  return ActiveRun.frameOf(run)?.startMs;
}

/** True for runs of this or another copy of the library. */
export function isRun(value: unknown): value is Run {
  return hasBrand(value, runBrand);
}

/**
 * Runs `work` in a run of its own, inside `request.parent` or at the top. Settles at the latest when the deadline or the signal
 * says so, even when `work` goes on; the run has ended then, and its signal is aborted.
 * @throws `program/run-ended`, `program/too-deep`, `port/timeout`, `port/cancelled`
 */
export async function withRun<T>(request: RunRequest, work: (run: Run) => Promise<T>): Promise<T> {
  const { parent, settings } = request;
  if (parent) assertOpen(parent);
  const inherited = mergeSettings(parent?.settings ?? currentDefaults(), settings);
  const timeoutMs = ownTimeoutMs(parent, settings?.timeoutMs);
  const limit = { timeoutMs: request.onStop ? undefined : timeoutMs, signal: settings?.signal };
  const frame = createFrame(request, inherited);
  const run = createRun(frame, request, inherited);
  const unfollow = parent && followParent(frame.stopper, parent);
  const leave = request.onStop?.((error) => frame.stopper.stop(() => error));
  try {
    return await runWithin(frame, limit, () => work(run));
  } finally {
    unfollow?.();
    leave?.();
    frame.isEnded = true;
    frame.stopper.stop(() => runEnded(run.path));
  }
}

/** Runs `work` in a new top-level run: `context({ lm }, (run) => program.call(input, run))`. */
export function context<T>(settings: CallSettings, work: (run: Run) => Promise<T>): Promise<T> {
  return withRun({ settings }, work);
}

function createFrame(request: RunRequest, inherited: Settings): Frame {
  const { parent, settings, origin, module } = request;
  const around = parent ?? origin;
  const { clock = systemClock, random = systemRandom } = inherited;
  const frameAround = parent && ActiveRun.frameOf(parent);
  const startMs = clock.monotonic();
  let span: SpanContext | undefined;
  return {
    module,
    around: frameAround,
    stopper: new Stopper(),
    onLeave: request.onLeave ?? frameAround?.onLeave,
    clock,
    get span() {
      return (span ??= createSpan(around?.span, random));
    },
    usage: new Usage(parent?.usage),
    depth: nextDepth(around?.depth ?? 0),
    startMs,
    deadlineMs: deadlineOf(parent, settings?.timeoutMs, startMs),
    isEnded: false,
  };
}

function nextDepth(around: number): number {
  const depth = around + 1;
  if (depth > programLimits.callDepth) {
    throw new CodedError('program/too-deep', `calls are nested deeper than ${programLimits.callDepth}`, {
      fields: { limit: programLimits.callDepth },
    });
  }
  return depth;
}

function deadlineOf(
  parent: Run | undefined,
  timeoutMs: number | undefined,
  startMs: number,
): number | undefined {
  const aroundMs = parent?.deadline?.atMonotonicMs;
  if (timeoutMs === undefined || timeoutMs === Infinity) return aroundMs;
  return Math.min(startMs + timeoutMs, aroundMs ?? Infinity);
}

function createRun(frame: Frame, request: RunRequest, inherited: Settings): Run {
  const { parent, settings, kind, path = '', origin } = request;
  const { lm, config, demos, signature, isTraced } = settings ?? {};
  return new ActiveRun(frame, {
    settings: inherited,
    options: Object.freeze({ lm, config, demos, signature, isTraced }),
    kind,
    path,
    trace: traceFor(inherited, parent, settings?.trace, origin?.isTraced ?? true),
  });
}

function traceFor(
  inherited: Settings,
  parent: Run | undefined,
  given: Trace | null | undefined,
  isTraced: boolean,
): Trace | undefined {
  if (given !== undefined) return given ?? undefined;
  if (parent) return parent.trace;
  if (inherited.trace !== undefined) return inherited.trace ?? undefined;
  return isTraced ? new Trace() : undefined;
}

/** Only a limit that ends before the parent's needs a timer: the parent's reaches us by its signal. */
function ownTimeoutMs(parent: Run | undefined, timeoutMs: number | undefined): number | undefined {
  if (timeoutMs === undefined) return undefined;
  if (!(timeoutMs >= 0)) {
    throw new CodedError('program/settings-invalid', `timeoutMs is ${timeoutMs}, expected 0 or more`, {
      fields: { name: 'timeoutMs', value: String(timeoutMs) },
    });
  }
  return timeoutMs < (parent?.deadline?.remainingMs() ?? Infinity) ? timeoutMs : undefined;
}

/** The end of the run around a call stops the call. */
function followParent(stopper: Stopper, parent: Run): () => void {
  const around = ActiveRun.stopperOf(parent);
  if (around) return around.onStop((error) => stopper.stop(() => error));
  const { signal } = parent;
  const follow = (): void => stopper.stop(() => cancellation(signal));
  if (signal.aborted) follow();
  signal.addEventListener('abort', follow, { once: true });
  return () => signal.removeEventListener('abort', follow);
}

/** Most calls have no limit of their own and need neither a timer nor a signal. */
function runWithin<T>(
  { stopper, onLeave, clock }: Frame,
  limit: DeadlineOptions,
  work: () => Promise<T>,
): Promise<T> {
  if (limit.timeoutMs === undefined && limit.signal === undefined) return stopper.race(work, onLeave);
  return withDeadline(clock, limit, (inner) => {
    inner.addEventListener('abort', () => stopper.stop(() => cancellation(inner)), { once: true });
    return stopper.race(work, onLeave);
  });
}

function assertOpen(run: Run): void {
  if (run.isEnded) throw runEnded(run.path);
}

function runEnded(path: string): CodedError {
  return new CodedError(
    'program/run-ended',
    `the run of ${path === '' ? 'the program' : path} has ended; a module or closure was kept from it. Pass the present run instead`,
    { fields: { path } },
  );
}
