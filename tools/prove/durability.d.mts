export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

export interface KillReport {
  readonly kills: Readonly<Record<'worker' | 'page' | 'browser', number>>;
  /** Operations that were under way in those who were killed. */
  readonly cutShort: Readonly<Record<'worker' | 'page' | 'browser', number>>;
  /** Writes. */
  readonly acknowledged: number;
  /** Of them, those that were asked to be strict. */
  readonly strict: number;
  readonly violations: readonly Violation[];
  readonly logFile: string;
}

export interface KillOptions {
  /** `good`, or a broken store. */
  readonly kind: string;
  /** Of each kind. */
  readonly kills: number;
  readonly seed: string;
  /** Goes on until all of these are found; without them until anything is. */
  readonly wanted?: readonly string[];
  readonly print?: (line: string) => void;
}

/** What each broken store must be caught at. */
export const brokenStores: Readonly<Record<string, readonly string[]>>;
/** Kills of each kind, and what the checker found. */
export function runKills(options: KillOptions): Promise<KillReport>;
