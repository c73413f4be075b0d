/** Every bound of the runtime, with its reason. */
export interface RuntimeLimits {
  /** A call to a module without its own limit ends after this long. */
  readonly callTimeoutMs: number;
  /** Calls of one module that wait for its restart; more get `runtime/module-restarting`. */
  readonly maxWaitingCalls: number;
  /** Tries of a call that was declared idempotent and lost its worker, the first one included. */
  readonly maxAttempts: number;
  /** Updates kept per parameter, on the page and in the store, oldest dropped first. */
  readonly parameterHistoryEntries: number;
  /** Time from a change to the write of its history, so that many changes share one write. */
  readonly historyDelayMs: number;
  /** Estimated bytes of one parameter's history, oldest dropped first. */
  readonly parameterHistoryBytes: number;
  /** Calls kept in a module's history, oldest dropped first. */
  readonly executionHistoryEntries: number;
  /** Estimated bytes of one module's execution history, oldest dropped first: inputs may be large. */
  readonly executionHistoryBytes: number;
  /** Modules in the registry, running or not; more get `runtime/registry-full`. */
  readonly maxRegisteredModules: number;
  /**
   * Modules that have stopped or crashed and were never registered by themselves: the registry keeps so many, with what ended them, and
   * forgets the oldest first.
   */
  readonly maxEndedModules: number;
  /** Listeners of the registry; more get `runtime/too-many-watchers`: each hears of every module. */
  readonly maxWatchers: number;
  /** Dependencies of one module. */
  readonly maxDependencies: number;
  /** Characters of a module's metadata as JSON text: they are copied for everyone who looks. */
  readonly maxMetadataCharacters: number;
}

export const defaultRuntimeLimits: RuntimeLimits = {
  callTimeoutMs: 120_000,
  maxWaitingCalls: 1_000,
  maxAttempts: 3,
  parameterHistoryEntries: 100,
  historyDelayMs: 250,
  parameterHistoryBytes: 64 * 1024,
  executionHistoryEntries: 1_000,
  executionHistoryBytes: 4 * 1024 * 1024,
  maxRegisteredModules: 10_000,
  maxEndedModules: 1_000,
  maxWatchers: 1_000,
  maxDependencies: 100,
  maxMetadataCharacters: 64 * 1024,
};
