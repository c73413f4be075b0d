/** Every bound of an executor, by name. */
import { CodedError, deepFreeze } from '../base/index.ts';

/** All are finite; counts and sizes are integers. */
export interface ExecutorLimits {
  /** Longest a run may take. */
  readonly wallTimeMs: number;
  /** How long a guest that was asked to stop may take before its interpreter is ended. Python answers in about 4 ms. */
  readonly interruptGraceMs: number;
  /** Longest an interpreter may take to start, loading its files included. */
  readonly bootTimeoutMs: number;
  /**
   * Longest the frame may take to confirm a command; after that it counts as lost and a new one is made. When the page itself was stalled
   * meanwhile the wait begins anew, at most three times.
   */
  readonly frameAnswerMs: number;
  /** The interpreter's heap, enforced by the engine; rounded down to 64 KiB, at least what the language needs: 64 MiB for Python. */
  readonly memoryBytes: number;
  /** Files the guest keeps; they live outside the heap. In Python and Postgres each file, folder and link counts, too: 384 bytes, its name, where it leads. */
  readonly fileBytes: number;
  /** Printed text of one run, both streams together, as UTF-8. */
  readonly outputBytes: number;
  /** The code of one run, as UTF-8. */
  readonly codeBytes: number;
  /** Variables and files handed to one run. */
  readonly inputBytes: number;
  /**
   * The value and variables that one run brings back; more ends it as `exceeded: result`. The same bound holds for what the page needs to read them: 48 bytes for each list, object or
   * entry of a map, 8 for each item, which is about 340,000 objects at most.
   */
  readonly resultBytes: number;
  /** Nesting of values, both ways; also what stops a cycle. */
  readonly valueDepth: number;
  /**
   * Calls of tools in one run; one more ends it as `exceeded: calls`. Calls whose arguments have keys that were chosen to take long end it as
   * `exceeded: keys` after half a second, all calls of a run together.
   */
  readonly toolCalls: number;
  /** What one call hands to its tool, as JSON and bytes together; counted as `resultBytes` is. */
  readonly toolArgumentBytes: number;
  /** What one tool answers. Each interpreter keeps so much memory for it where the page is isolated; the platform fills it when it is used. */
  readonly toolResultBytes: number;
  /** Rich values that one run shows; one more ends it as `exceeded: display`. */
  readonly displays: number;
  /** All rich values of one run together, as characters; pictures are in base64. More ends it as `exceeded: display`. */
  readonly displayBytes: number;
  /** Packages that one run gets, what they need included. */
  readonly packages: number;
  /** How far from what was asked for a package may be that is needed by one that is needed. */
  readonly packageDepth: number;
  /** Files in all packages of a run. */
  readonly packageFiles: number;
  /** Packages of one run, unpacked. Once they are there they count as `fileBytes` too. */
  readonly packageBytes: number;
  /** One wheel, as it is handed over or downloaded. */
  readonly packageDownloadBytes: number;
  /** All pages of an index that are read for one run, what it asks for itself included; one page, or a lock file, has at most 16 MiB. */
  readonly packageListBytes: number;
  /** Longest that the packages of a run may take to be had; a run does not begin before. */
  readonly packageTimeoutMs: number;
  /** One-shot runs at the same time; each has an interpreter of about 50 MB. As many more may have their packages being fetched meanwhile. */
  readonly concurrentExecutions: number;
  /** One-shot runs that wait for a place, in order of call, so that a hundred callers at once are all served; and, counted by themselves, those that wait until others have their packages. */
  readonly queuedExecutions: number;
  /** Sessions open at the same time. */
  readonly sessions: number;
  /** Runs that wait inside one session. */
  readonly queuedPerSession: number;
  /**
   * What of a session is put aside, variables and files together, for the time when its interpreter must be ended; 0: nothing. Held on the page.
   * Packages come on top, up to `packageBytes`.
   */
  readonly checkpointBytes: number;
  /** Longest that putting it aside may take; so long the session's next run may have to wait. After twice that the interpreter is ended. */
  readonly checkpointMs: number;
  /**
   * What takes long to put aside (Python: more than 4 ms; JavaScript: memory of more than 4 MiB; WebAssembly: files of more than 4 MiB) and was
   * changed in place at most waits until nothing has run for so long. Variables that were added or replaced never wait, nor do Python's containers that
   * became longer or shorter.
   */
  readonly checkpointIdleMs: number;
  /** Longest that an interpreter may take to make of it what the last one was; then the session goes on afresh. */
  readonly restoreMs: number;
  /** Interpreters started ahead; 0 starts none before the first run. */
  readonly warmSandboxes: number;
  /** The most that the kept snapshots of a language's interpreter may have together, compressed; Python's has about 5 MB. One that is larger is not kept. */
  readonly snapshotBytes: number;
  /**
   * Builds, of those that share a cache, for which a language's snapshot is kept: the ones used last. Older ones are deleted, as are those that go beyond
   * `snapshotBytes`; their interpreters boot once more.
   */
  readonly snapshotBuilds: number;
  /** After this a snapshot is made anew, and with it the seed of Python's string hashes, which all interpreters from one snapshot share. */
  readonly snapshotAgeMs: number;
  /** Longest that a start waits for a kept snapshot before it goes on without. */
  readonly snapshotReadMs: number;
}

const mebibyte = 2 ** 20;

/** The defaults. */
export const defaultLimits: ExecutorLimits = deepFreeze({
  wallTimeMs: 10_000,
  interruptGraceMs: 250,
  bootTimeoutMs: 60_000,
  frameAnswerMs: 5_000,
  memoryBytes: 256 * mebibyte,
  fileBytes: 32 * mebibyte,
  outputBytes: mebibyte,
  codeBytes: mebibyte,
  inputBytes: 64 * mebibyte,
  resultBytes: 16 * mebibyte,
  valueDepth: 64,
  toolCalls: 256,
  toolArgumentBytes: mebibyte,
  toolResultBytes: mebibyte,
  displays: 256,
  displayBytes: 8 * mebibyte,
  packages: 64,
  packageDepth: 16,
  packageFiles: 10_000,
  packageBytes: 32 * mebibyte,
  packageDownloadBytes: 16 * mebibyte,
  packageListBytes: 64 * mebibyte,
  packageTimeoutMs: 60_000,
  concurrentExecutions: 4,
  queuedExecutions: 128,
  sessions: 8,
  queuedPerSession: 16,
  checkpointBytes: 32 * mebibyte,
  checkpointMs: 1_000,
  checkpointIdleMs: 50,
  restoreMs: 5_000,
  warmSandboxes: 1,
  snapshotBytes: 16 * mebibyte,
  snapshotBuilds: 2,
  snapshotAgeMs: 7 * 86_400_000,
  snapshotReadMs: 2_000,
});

/** The lowest value that makes sense, where that is not 1. */
const least: Partial<Record<keyof ExecutorLimits, number>> = {
  interruptGraceMs: 0,
  fileBytes: 0,
  toolCalls: 0,
  displays: 0,
  displayBytes: 0,
  queuedExecutions: 0,
  queuedPerSession: 0,
  checkpointBytes: 0,
  checkpointIdleMs: 0,
  warmSandboxes: 0,
  snapshotAgeMs: 0,
};

/** Where the platform itself ends. */
const most: Partial<Record<keyof ExecutorLimits, number>> = {
  memoryBytes: 4096 * mebibyte,
  toolResultBytes: 1024 * mebibyte,
  // deeper trees overflow the guest's own stack
  valueDepth: 200,
};

/**
 * Defaults, overridden; throws `executor/limit-invalid` naming the field.
 * @param leastMemoryBytes the language's own; default that of Python
 */
export function resolveLimits(
  limits: Partial<ExecutorLimits> = {},
  leastMemoryBytes: number = 64 * mebibyte,
): ExecutorLimits {
  for (const [field, value] of Object.entries(limits)) {
    const name = field as keyof ExecutorLimits;
    const low = name === 'memoryBytes' ? leastMemoryBytes : (least[name] ?? 1);
    const high = most[name] ?? Number.MAX_SAFE_INTEGER;
    const isKnown = name in defaultLimits;
    if (isKnown && Number.isInteger(value) && value >= low && value <= high) continue;
    const expected = isKnown ? `an integer from ${low} to ${high}` : 'a limit that exists';
    throw new CodedError(
      'executor/limit-invalid',
      `limits.${field} is ${String(value)}, expected ${expected}`,
      {
        fields: { field, value: String(value), expected },
      },
    );
  }
  return deepFreeze({ ...defaultLimits, ...limits });
}
