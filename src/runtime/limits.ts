/** Every bound of the runtime, with its reason. */
export interface RuntimeLimits {
  /** A call to a module without its own limit ends after this long. */
  readonly callTimeoutMs: number;
  /** Calls of one module that wait for its restart; more get `runtime/module-restarting`. */
  readonly maxWaitingCalls: number;
  /**
   * Once a module has ended, its id and its lock are kept until its last writes are done and a start of it that is under way has ended;
   * after this long they are free all the same.
   */
  readonly endTimeoutMs: number;
  /** A module file that is imported by its address must be there by then: the module's mailbox waits for it. */
  readonly importTimeoutMs: number;
  /** Tries of a call that was declared idempotent and lost its worker, the first one included. */
  readonly maxAttempts: number;
  /** Sub-modules of one module that may be declared actors of their own; each is one more actor to start and to supervise. */
  readonly maxSubModuleActors: number;
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
  /** A compilation without its own limit ends after this long: optimizers that ask a model take long, none takes for ever. */
  readonly compileTimeoutMs: number;
  /** Examples of one training set that cross to a worker. */
  readonly compileTrainsetEntries: number;
  /** Estimated bytes of one training set; half of what one message may hold. */
  readonly compileTrainsetBytes: number;
  /** Time between two reports of progress that cross to the page, so that a busy optimizer cannot flood it. */
  readonly compileProgressMs: number;
  /** Shared parameters of one runtime: each is held in memory for good. */
  readonly maxSharedParameters: number;
  /** Bytes of a file that is imported: it is read into memory to be checked whole. */
  readonly maxImportBytes: number;
}

export const defaultRuntimeLimits: RuntimeLimits = {
  callTimeoutMs: 120_000,
  maxWaitingCalls: 1_000,
  endTimeoutMs: 30_000,
  importTimeoutMs: 10_000,
  maxAttempts: 3,
  maxSubModuleActors: 1_000,
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
  compileTimeoutMs: 3_600_000,
  compileTrainsetEntries: 100_000,
  compileTrainsetBytes: 32 * 1024 * 1024,
  compileProgressMs: 50,
  maxSharedParameters: 1_000,
  maxImportBytes: 256 * 1024 * 1024,
};
