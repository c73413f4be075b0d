/** What `<vivarium-storage>` shows, as plain data, and what its reader can ask for. */
import type { StorageLevel } from './storage-words.ts';
import type { Notice } from './vivarium-notice.ts';

export interface StorageSnapshot {
  readonly name: string;
  readonly atMs: number;
  readonly sizeBytes: number;
}

/** One line of what a restore would change, in words. */
export interface StorageChange {
  readonly what: string;
  readonly present: string;
  readonly past: string;
}

/** What a restore would do, before it is done. */
export interface StoragePreview {
  /** A snapshot's name, or milliseconds since 1970. */
  readonly source: string | number;
  readonly changes: readonly StorageChange[];
  /** How many there are in all. */
  readonly total: number;
}

export interface StorageView {
  readonly level: StorageLevel;
  readonly usageBytes: number | undefined;
  readonly quotaBytes: number | undefined;
  /** What is kept outlives the page. */
  readonly isDurable: boolean;
  /** The browser promised not to evict it. */
  readonly isPersisted: boolean;
  /** Newest first. */
  readonly snapshots: readonly StorageSnapshot[];
  /** The earliest time that can be gone back to; undefined: none can. */
  readonly earliestMs: number | undefined;
  /** Something is under way. */
  readonly isBusy: boolean;
  readonly preview?: StoragePreview;
  /** What was done last. */
  readonly news: string;
  readonly error?: Notice;
}

/** Before anything is known. */
export const unknownStorage: StorageView = {
  level: 'unknown',
  usageBytes: undefined,
  quotaBytes: undefined,
  isDurable: true,
  isPersisted: false,
  snapshots: [],
  earliestMs: undefined,
  isBusy: true,
  news: '',
};

/** What `storage-act` asks for. */
export type StorageAct =
  | { readonly act: 'persist' | 'cancel' | 'export-now' }
  | { readonly act: 'take' | 'delete' | 'export'; readonly name: string }
  | { readonly act: 'preview' | 'restore'; readonly source: string | number }
  | { readonly act: 'import'; readonly file: File };
