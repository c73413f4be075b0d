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
  /** Of an imported module. Never throws. */
  readonly module: (source: string, name: string) => Translated | ScriptFault;
  /** Endings that may be left out where a module is imported. */
  readonly endings: readonly string[];
}

/** What stands where it stood. */
export const samePlace = (place: Place): Place => place;

/** The interpreter counts the bytes of a line, everybody else its characters. */
export function countCharacters(code: string): (place: Place) => Place {
  // most tracebacks name few places, and most code never has one
  let lines: readonly string[] | undefined;
  return ({ line, column }) => {
    const text = (lines ??= code.split('\n'))[line - 1] ?? '';
    let sizeBytes = 0;
    let length = 0;
    for (const character of text) {
      if (sizeBytes >= column - 1) break;
      const point = character.codePointAt(0) as number;
      sizeBytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      length += character.length;
    }
    // what is beyond the line's end is as far beyond it
    return { line, column: length + 1 + Math.max(0, column - 1 - sizeBytes) };
  };
}

/** A fault of the made code, in the caller's. */
export function originalFault(fault: ScriptFault, toOriginal: (place: Place) => Place): ScriptFault {
  const { line, column } = fault;
  return line === null || column === null ? fault : { ...fault, ...toOriginal({ line, column }) };
}

/** As {@link Translation.module}, for what is JavaScript already. */
const untranslated = (code: string): Translated => ({ code, toOriginal: samePlace });

export const noTranslation: Translation = {
  script: untranslated,
  module: untranslated,
  endings: ['.js', '.mjs', '.json'],
};
