/** The bounds of the program layer, in one place. Each has a hostile test beside the code that keeps it. */

export interface ProgramLimits {
  /** Updates that one parameter remembers. Default 100. */
  readonly historyEntries: number;
  /** Bytes of old and new values that one parameter remembers; a larger single update keeps its time and cause only. Default 1 MiB. */
  readonly historyBytes: number;
  /** Bytes of one parameter value. Default 64 MiB. */
  readonly valueBytes: number;
  /** Calls of language models that one module remembers, unless a call says otherwise; DSPy keeps 10,000. Default 1,000. */
  readonly lmHistoryEntries: number;
  /** Bytes of these, as long as they are in memory: prompts are long, and a tab's memory is not. Default 4 MiB. */
  readonly lmHistoryBytes: number;
  /** Nesting of a list or map value. Default 64. */
  readonly valueDepth: number;
  /** Calls inside calls. A program that calls itself for ever ends here. Default 100. */
  readonly callDepth: number;
  /** Parts of a composition, or examples of a batch, that run at once unless said otherwise; DSPy's `num_threads`. Default 8. */
  readonly concurrency: number;
  /** The most that may be asked for instead. Default 1,024. */
  readonly maxConcurrency: number;
  /** Items of one list that `map` takes, and examples of one batch. Default 100,000. */
  readonly composedItems: number;
  /** Entries of one trace, oldest dropped first, as in DSPy. Default 10,000. */
  readonly traceEntries: number;
  /** Models that one usage record tells apart; further models are counted under `other`. Default 100. */
  readonly usageModels: number;
  /** Modules inside modules. Default 64. */
  readonly moduleDepth: number;
  /** Depth of {@link describe} unless said otherwise. Default 5. */
  readonly discoveryDepth: number;
  /** Values of one list, map or object that are searched for modules; a container with none among them is data. Default 4,096. */
  readonly containerScan: number;
  /** Characters of a saved program that is read. Default 64 Mi. */
  readonly stateCharacters: number;
  /** Characters of one note. Default 2,000. */
  readonly noteCharacters: number;
}

export const programLimits: ProgramLimits = Object.freeze({
  historyEntries: 100,
  historyBytes: 1024 * 1024,
  valueBytes: 64 * 1024 * 1024,
  lmHistoryEntries: 1000,
  lmHistoryBytes: 4 * 1024 * 1024,
  valueDepth: 64,
  callDepth: 100,
  concurrency: 8,
  maxConcurrency: 1024,
  composedItems: 100_000,
  traceEntries: 10_000,
  usageModels: 100,
  moduleDepth: 64,
  discoveryDepth: 5,
  containerScan: 4096,
  stateCharacters: 64 * 1024 * 1024,
  noteCharacters: 2000,
});
