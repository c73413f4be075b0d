/** Everything observable, as one union. Events are plain data, named noun-verb. */
import type { Json } from '../base/index.ts';

/** Causality: which call caused which, across actors and workers. Ids are hex, as in W3C Trace Context. */
export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
}

export interface EventError {
  readonly code: string;
  readonly message: string;
}

interface Known {
  /** A worker joined the pool. */
  'worker-start': { readonly worker: string };
  /** A worker is gone; every actor in it is lost with it. */
  'worker-lost': { readonly worker: string; readonly cause: string; readonly actors: number };
  /** The watchdog suspects or kills a worker that does not answer. */
  'watchdog-suspect': { readonly worker: string; readonly silentMs: number };
  'watchdog-kill': { readonly worker: string; readonly silentMs: number };
  'actor-start': { readonly actor: string; readonly kind: string; readonly worker: string };
  'actor-exit': { readonly actor: string; readonly reason: string; readonly error?: EventError };
  'supervisor-restart': {
    readonly supervisor: string;
    readonly child: string;
    readonly reason: string;
    readonly restartsLeft: number;
  };
  'supervisor-give-up': { readonly supervisor: string; readonly child: string };
  'call-start': { readonly actor: string; readonly method: string };
  'call-end': { readonly actor: string; readonly method: string; readonly durationMs: number };
  'call-fail': {
    readonly actor: string;
    readonly method: string;
    readonly durationMs: number;
    readonly error: EventError;
  };
  'parameter-change': { readonly module: string; readonly name: string; readonly cause: string };
  /** A module has an entry in the registry; it need not run. */
  'module-register': { readonly module: string; readonly kind: string };
  'module-start': { readonly module: string; readonly kind: string };
  /** Its actor ended by a failure, or could not be started. With `willRestart` its supervisor starts it again. */
  'module-crash': { readonly module: string; readonly error: EventError; readonly willRestart: boolean };
  'module-restart': { readonly module: string; readonly restarts: number };
  /** Another version, or another class, took the module's place and its state. */
  'module-swap': { readonly module: string; readonly fromKind: string; readonly toKind: string };
  'module-version-change': { readonly module: string; readonly from: string; readonly to: string };
  /** A swap failed; the module serves as before. */
  'module-swap-fail': { readonly module: string; readonly kind: string; readonly error: EventError };
  /** New code came in development and could not be taken, such as a file with a syntax error. */
  'hot-update-fail': { readonly message: string; readonly file?: string };
  /**
   * It was stopped, or ended by itself. `graceful`: within its time; `killed`: it was dropped when its time was over, or lost its worker
   * while it stopped; `ended`: by itself, without an error.
   */
  'module-stop': {
    readonly module: string;
    readonly how?: 'graceful' | 'killed' | 'ended';
    readonly error?: EventError;
  };
  /** The registry forgot it. */
  'module-unregister': { readonly module: string };
  /** A module that `module` depends on does not serve any more; `whenDown` is what its calls do meanwhile. */
  'dependency-down': {
    readonly module: string;
    readonly dependency: string;
    readonly whenDown: 'wait' | 'fail' | 'degrade';
  };
  'dependency-up': { readonly module: string; readonly dependency: string };
  /**
   * A sub-module that is an actor of its own is down: `whenDown` says what happens to calls of it. Not final while it is being
   * restarted.
   */
  'sub-module-fail': {
    readonly module: string;
    readonly subModule: string;
    readonly isFinal: boolean;
    readonly whenDown: 'fail' | 'local' | 'restart';
  };
  'checkpoint-save': { readonly module: string; readonly checkpoint: string };
  'store-reopen': { readonly store: string; readonly cause: string };
  /**
   * The browser found its own database damaged, threw it away with all that was acknowledged, and made an empty one. Only Chromium says
   * so. `reason` is the browser's.
   */
  'store-lost': { readonly store: string; readonly reason: string };
  /** The room to write has become ample, low or full, or is not known any more. */
  'store-quota': {
    readonly store: string;
    readonly level: 'unknown' | 'ample' | 'low' | 'full';
    readonly usageBytes: number | undefined;
    readonly quotaBytes: number | undefined;
    /** Whether the browser promised not to evict the origin. */
    readonly isPersisted: boolean;
  };
  'store-fail': { readonly store: string; readonly error: EventError };
  /** The platform lacks something and a lesser way is used. */
  'platform-degrade': {
    readonly what: string;
    readonly from: string;
    readonly to: string;
    readonly reason: string;
  };
  'device-select': { readonly device: string; readonly reason: string };
  /** A module's forward, `path` being its place in the program, empty for the root. */
  'forward-start': { readonly kind: string; readonly path: string };
  'forward-end': { readonly kind: string; readonly path: string; readonly durationMs: number };
  'forward-fail': {
    readonly kind: string;
    readonly path: string;
    readonly durationMs: number;
    readonly error: EventError;
  };
  'lm-start': { readonly model: string };
  'lm-end': {
    readonly model: string;
    readonly durationMs: number;
    readonly inputTokens: number;
    readonly outputTokens: number;
  };
  'lm-retry': {
    readonly model: string;
    readonly attempt: number;
    readonly delayMs: number;
    readonly error: EventError;
  };
  'lm-fail': { readonly model: string; readonly durationMs: number; readonly error: EventError };
  'sandbox-start': {
    readonly sandbox: string;
    readonly language: string;
    readonly durationMs: number;
    /** It started from a snapshot of another interpreter's memory. */
    readonly isFromSnapshot?: boolean;
  };
  /** No interpreter could be started. */
  'sandbox-fail': { readonly language: string; readonly durationMs: number; readonly error: EventError };
  'sandbox-kill': { readonly sandbox: string; readonly cause: string };
  /** An interpreter's memory was taken, and is kept for later starts; `sizeBytes` as it is stored, `imageBytes` as it is used. */
  'snapshot-make': {
    readonly language: string;
    readonly sizeBytes: number;
    readonly imageBytes: number;
    readonly durationMs: number;
  };
  /** A snapshot could not be used, made or kept; interpreters boot. */
  'snapshot-drop': { readonly language: string; readonly reason: string };
  /** An executor accepted a call. It may yet wait: for its turn, its packages, an interpreter. */
  'execution-start': { readonly execution: string; readonly language: string };
  /** One for each start. */
  'execution-end': {
    readonly execution: string;
    readonly language: string;
    /** Left out where the code reached no interpreter. */
    readonly sandbox?: string;
    /** The outcome's type; `refused` where the call was rejected after all, such as for packages that could not be had. */
    readonly outcome: string;
    /** Which limit, where one was exceeded. */
    readonly limit?: string;
    /** Why it was `denied`, `failed` or `refused`. */
    readonly code?: string;
    /** Before the code was handed to an interpreter. */
    readonly waitMs: number;
    /** From then on. */
    readonly durationMs: number;
  };
  /** An optimizer works on a program of this kind; `module` is its id where it is hosted. */
  'compile-start': { readonly optimizer: string; readonly kind: string; readonly module?: string };
  /** At most one in 50 ms for each compilation. */
  'compile-progress': {
    readonly optimizer: string;
    readonly kind: string;
    readonly module?: string;
    readonly step: string;
    readonly done: number;
    readonly total: number;
  };
  'compile-end': {
    readonly optimizer: string;
    readonly kind: string;
    readonly module?: string;
    readonly durationMs: number;
  };
  'compile-fail': {
    readonly optimizer: string;
    readonly kind: string;
    readonly module?: string;
    readonly durationMs: number;
    readonly error: EventError;
  };
  /** A program's own note. */
  note: { readonly text: string; readonly data?: Json };
}

export type EventType = keyof Known;
export type EventOf<T extends EventType> = { readonly type: T } & Known[T] & { readonly span?: SpanContext };
/** One thing that happened, before the hub stamps it. */
export type TelemetryEvent = { [T in EventType]: EventOf<T> }[EventType];
/** An event as listeners see it: `atMs` is wall-clock milliseconds since 1970. */
export type StampedEvent = TelemetryEvent & { readonly atMs: number };
