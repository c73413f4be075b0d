/** What a module did lately, bounded in entries and in bytes, and the figures that follow from it. */
import type { ErrorCode } from '../../base/index.ts';
import { estimateBytes } from './estimate-bytes.ts';
import type { RuntimeLimits } from '../limits.ts';

export interface ExecutionRecord {
  readonly input: unknown;
  readonly output?: unknown;
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly traceId: string;
}

/** Durations in milliseconds; rates as ratios. Durations cover what the history still holds, counts everything since the page started the module. */
export interface ModuleMetrics {
  /** Calls of `forward` that have ended. */
  readonly calls: number;
  readonly successes: number;
  /** 1 before the first call. */
  readonly successRatio: number;
  /** Failed calls by the code of their error; at most 100 codes, further ones under `other`. */
  readonly failures: Readonly<Record<string, number>>;
  readonly meanMs: number;
  /** Nearest rank: half of the calls took no longer. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** When the newest call that has ended began, wall-clock milliseconds since 1970. */
  readonly lastCallAtMs: number | undefined;
  readonly restarts: number;
  /** Since the last start or restart; 0 while the module does not run. */
  readonly uptimeMs: number;
  /** Calls of `forward` that have not ended: those that run, those in the mailbox, and those that wait for a restart. */
  readonly mailboxLength: number;
}

/** What a module is doing now. */
export type ModuleActivity = Pick<ModuleMetrics, 'restarts' | 'uptimeMs' | 'mailboxLength'>;

const maxFailureCodes = 100;

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;

export class ExecutionHistory {
  readonly #limits: RuntimeLimits;
  readonly #records: { readonly record: ExecutionRecord; readonly bytes: number }[] = [];
  #bytes = 0;
  #calls = 0;
  #successes = 0;
  #lastCallAtMs: number | undefined;
  readonly #failures = new Map<string, number>();

  constructor(limits: RuntimeLimits) {
    this.#limits = limits;
  }

  /** Oldest first. */
  get records(): readonly ExecutionRecord[] {
    return this.#records.map(({ record }) => record);
  }

  add(record: ExecutionRecord): void {
    const bytes =
      estimateBytes(record.input) + estimateBytes(record.output) + estimateBytes(record.error?.message);
    this.#calls++;
    this.#lastCallAtMs = record.startedAtMs;
    if (record.error) this.#countFailure(record.error.code);
    else this.#successes++;
    this.#records.push({ record, bytes });
    this.#bytes += bytes;
    while (
      this.#records.length > this.#limits.executionHistoryEntries ||
      this.#bytes > this.#limits.executionHistoryBytes
    ) {
      this.#bytes -= this.#records.shift()?.bytes ?? this.#bytes;
    }
  }

  metrics(activity: ModuleActivity): ModuleMetrics {
    const durations = this.#records.map(({ record }) => record.durationMs).toSorted((a, b) => a - b);
    const sum = durations.reduce((total, duration) => total + duration, 0);
    return {
      calls: this.#calls,
      successes: this.#successes,
      successRatio: this.#calls === 0 ? 1 : this.#successes / this.#calls,
      failures: Object.fromEntries(this.#failures),
      meanMs: durations.length === 0 ? 0 : sum / durations.length,
      p50Ms: quantile(durations, 0.5),
      p95Ms: quantile(durations, 0.95),
      p99Ms: quantile(durations, 0.99),
      lastCallAtMs: this.#lastCallAtMs,
      ...activity,
    };
  }

  // codes are whatever a program throws: a program that makes them up must not fill memory
  #countFailure(code: string): void {
    const isKnown = this.#failures.has(code) || this.#failures.size < maxFailureCodes;
    const counted = isKnown ? code : 'other';
    this.#failures.set(counted, (this.#failures.get(counted) ?? 0) + 1);
  }
}
