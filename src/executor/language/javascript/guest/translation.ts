/** What stands between the caller's code and JavaScript. For JavaScript itself: nothing. */
import type { Place, ScriptFault } from './script.ts';

export interface Translated {
  readonly code: string;
  /** From a place in `code` to the caller's. */
  readonly toOriginal: (place: Place) => Place;
}

export interface Translation {
  /** Of the code of a run. Never throws. */
  readonly script: (source: string) => Translated | ScriptFault;
  /** Of an imported module; throws what the import is to fail with. */
  readonly module: (source: string, name: string) => string;
  /** Endings that may be left out where a module is imported. */
  readonly endings: readonly string[];
}

const same = (place: Place): Place => place;

export const noTranslation: Translation = {
  script: (code) => ({ code, toOriginal: same }),
  module: (source) => source,
  endings: ['.js', '.mjs', '.json'],
};
