/** What a call may be told besides its input. Settings travel with the call; only defaults live in the realm. */
import { CodedError } from '../base/index.ts';
import type { JsonObject } from '../base/index.ts';
import type { Executor } from '../executor/index.ts';
import type { LanguageModel, LmConfig } from '../lm/index.ts';
import type { Clock, Random } from '../platform/index.ts';
import type { Hub } from '../telemetry/index.ts';
import type { Adapter } from './adapter/adapter.ts';
import type { DemoLike } from './field-record.ts';
import type { Signature } from './signature.ts';
import type { Trace } from './trace.ts';

/** A piece of an answer as it is being written. */
export interface PredictDelta {
  /** The predictor, such as `write.predict`. */
  readonly path: string;
  /** Which of several answers. */
  readonly index: number;
  readonly text: string;
  /** Absent for 1. A greater one than before: the work is done once more, and this replaces what came of `path` and `index` so far. */
  readonly attempt?: number;
}

/** Inherited by every call inside the call that was given them. */
export interface Settings {
  readonly lm?: LanguageModel | undefined;
  /** Runs the code that a program was given or wrote. */
  readonly executor?: Executor | undefined;
  /** Default: the Chat adapter. */
  readonly adapter?: Adapter | undefined;
  /** When given, predictors stream, and each piece is reported here. It must not throw; when it does, a note says so. */
  readonly onDelta?: ((delta: PredictDelta) => void) | undefined;
  /** Where predictions are recorded; null records nothing. Default: a new trace for each top-level call. */
  readonly trace?: Trace | null | undefined;
  readonly telemetry?: Hub | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
  /** Calls of language models that each module remembers. Default 1,000; 0 remembers none. */
  readonly historyEntries?: number | undefined;
  /** The program's own settings. Members are inherited one by one, and travel to other realms. */
  readonly values?: JsonObject | undefined;
}

/** Meant for the called module alone, as `run.options` in its `forward`. */
export interface CallOptions {
  /** The language model for this predictor, before its own and before the inherited one. */
  readonly lm?: LanguageModel | undefined;
  /** Merged over the predictor's own. */
  readonly config?: LmConfig | undefined;
  /** In place of the predictor's own. */
  readonly demos?: readonly DemoLike[] | undefined;
  /** In place of the predictor's own. */
  readonly signature?: Signature | undefined;
  /** False leaves the prediction out of the trace. Default true. */
  readonly isTraced?: boolean | undefined;
}

export interface CallSettings extends Settings, CallOptions {
  /** Milliseconds until the call ends with `port/timeout`. Never extends the time of the call around it. */
  readonly timeoutMs?: number | undefined;
  /** Ends the call with `port/cancelled`, or with the coded error that is the reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface Defaults extends Settings {
  /**
   * Whether calls outside a run are refused with `program/run-missing` everywhere in this realm. Hosts of modules set it.
   * Default false.
   */
  readonly requireRun?: boolean | undefined;
}

let defaults: Defaults = Object.freeze({});

/**
 * Sets what top-level calls start from when they are told nothing else. Calls that run already never see the change.
 * The returned function brings back what was before.
 */
export function configure(changes: Defaults): () => void {
  const before = defaults;
  defaults = Object.freeze({
    ...mergeSettings(before, changes),
    requireRun: changes.requireRun ?? before.requireRun,
  });
  return () => {
    defaults = before;
  };
}

export function currentDefaults(): Defaults {
  return defaults;
}

const inherited = [
  'lm',
  'executor',
  'adapter',
  'onDelta',
  'trace',
  'telemetry',
  'clock',
  'random',
  'historyEntries',
] as const;

/** `changes` over `settings`; undefined changes nothing. @throws `program/settings-invalid` */
export function mergeSettings(settings: Settings, changes: Settings | undefined): Settings {
  if (changes === undefined) return settings;
  assertHistoryEntries(changes.historyEntries);
  const merged: Record<string, unknown> = {};
  for (const name of inherited) {
    const value = changes[name] === undefined ? settings[name] : changes[name];
    if (value !== undefined) merged[name] = value;
  }
  const values = mergeValues(settings, changes);
  if (values !== undefined) merged.values = values;
  return Object.freeze(merged);
}

function assertHistoryEntries(entries: number | undefined): void {
  if (entries === undefined || (Number.isSafeInteger(entries) && entries >= 0)) return;
  throw new CodedError(
    'program/settings-invalid',
    `historyEntries is ${entries}, expected an integer of at least 0`,
    { fields: { name: 'historyEntries', value: String(entries) } },
  );
}

/** As {@link mergeSettings}, with what is meant for the called module alone. */
export function mergeCallSettings(
  settings: CallSettings | undefined,
  changes: CallSettings | undefined,
): CallSettings | undefined {
  if (!settings || !changes) return changes ?? settings;
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  return { ...settings, ...Object.fromEntries(given), values: mergeValues(settings, changes) };
}

function mergeValues(settings: Settings, changes: Settings): JsonObject | undefined {
  return changes.values === undefined ? settings.values : { ...settings.values, ...changes.values };
}
