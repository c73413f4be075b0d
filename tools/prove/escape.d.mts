import type { EscapeRow } from '../../src/executor/escape/escape-suite.ts';
import type { WallKind, Watcher } from '../../src/executor/escape/attempt.ts';
import type { EngineName } from '../engine.mjs';

export interface Setting {
  /** Default `chromium`. */
  readonly engine?: EngineName;
  readonly walls: WallKind;
  /** `file`: `sandbox/frame.html` with its own header. `srcdoc`: written into the page. Without walls there is none. */
  readonly frame: 'file' | 'srcdoc';
  /** Only the attempts that these would see. Default: all. */
  readonly watchers?: readonly Watcher[];
}

/** A row of the suite, as JSON carries it. */
export type EscapeResult = Omit<EscapeRow, 'shown'> & { readonly shown?: string };

/** Fills the folder with a copy of the built app that has the escape suite beside its files. */
export function prepareApp(folder: string): Promise<void>;
/** Serves that folder as the setting wants it. */
export function serveSetting(
  folder: string,
  setting: Setting,
): Promise<{ url: string; close: () => Promise<void> }>;
/** Calls a function of `escape-suite.js` in a page of a browser of its own. */
export function callSuite(
  folder: string,
  setting: Setting,
  name: 'run' | 'ask',
  values: readonly unknown[],
): Promise<unknown>;
/** Makes every attempt in the app, in a browser of its own; throws when one could not be judged. */
export function runIn(
  folder: string,
  setting: Setting,
  listenerUrl: string,
): Promise<readonly EscapeResult[]>;
