/** What a module did lately, bounded in entries and in bytes, and the figures that follow from it. */
import type { ErrorCode } from '../base/index.ts';
import { estimateBytes } from './estimate-bytes.ts';
import type { RuntimeLimits } from './limits.ts';

export interface ExecutionRecord {
  readonly input: unknown;
  readonly output?: unknown;
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly traceId: string;
}

/** Durations in milliseconds; rates as ratios. They cover what the history still holds, counts everything. */
export interface ModuleMetrics {
  readonly calls: number;
  readonly successes: number;
  readonly successRatio: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly restarts: number;
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

export class ExecutionHistory {
  readonly #limits: RuntimeLimits;
  readonly #records: { readonly record: ExecutionRecord; readonly bytes: number }[] = [];
  #bytes = 0;
  #calls = 0;
  #successes = 0;

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
    if (!record.error) this.#successes++;
    this.#records.push({ record, bytes });
    this.#bytes += bytes;
    while (
      this.#records.length > this.#limits.executionHistoryEntries ||
      this.#bytes > this.#limits.executionHistoryBytes
    ) {
      this.#bytes -= this.#records.shift()?.bytes ?? this.#bytes;
    }
  }

  metrics(restarts: number): ModuleMetrics {
    const durations = this.#records.map(({ record }) => record.durationMs).toSorted((a, b) => a - b);
    const sum = durations.reduce((total, duration) => total + duration, 0);
    return {
      calls: this.#calls,
      successes: this.#successes,
      successRatio: this.#calls === 0 ? 1 : this.#successes / this.#calls,
      meanMs: durations.length === 0 ? 0 : sum / durations.length,
      p50Ms: quantile(durations, 0.5),
      p95Ms: quantile(durations, 0.95),
      p99Ms: quantile(durations, 0.99),
      restarts,
    };
  }
}
