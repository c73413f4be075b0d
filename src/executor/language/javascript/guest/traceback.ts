/** Reads the interpreter's own tracebacks. */
import type { Place } from './script.ts';

/** A text that the interpreter has read, by the name under which it shows in tracebacks. */
export interface KnownSource {
  /** Left out for the code of the run. */
  readonly file?: string;
  readonly toOriginal: (place: Place) => Place;
}

/** Where something is, in the code of the run or in a module that was given with it. */
export interface SourcePlace extends Place {
  readonly file?: string;
}

export interface Traceback {
  /** Frames of the guest's code and below, none of ours. */
  readonly text: string;
  /** Where the guest's own code, or a module of it, stands highest. */
  readonly place: SourcePlace | undefined;
  /** The line of the run's own code that stands highest. */
  readonly runLine: number | null;
  /** It was thrown by nothing that ran: a text could not be compiled. */
  readonly isCompiling: boolean;
}

interface Frame {
  readonly place: SourcePlace;
  readonly isBare: boolean;
  readonly line: string;
}

const position = /:(?<line>\d+):(?<column>\d+)(?<close>\)?)$/u;
/** Where a name may begin: `at f (name:1:2)`, and `at name:1:2` for what could not be compiled. */
const opening = /\(|at /gu;
/** No module has a longer name. */
const longestName = 1024;

function readFrame(line: string, find: (name: string) => KnownSource | undefined): Frame | undefined {
  const found = position.exec(line);
  const groups = found?.groups;
  if (!groups) return undefined;
  const start = Math.max(0, found.index - longestName - 4);
  const text = line.slice(start, found.index);
  for (const { index, 0: words } of text.matchAll(opening)) {
    const at = index + words.length;
    const source = find(text.slice(at));
    if (!source) continue;
    const { file, toOriginal } = source;
    const place = toOriginal({ line: Number(groups['line']), column: Number(groups['column']) });
    return {
      place: file === undefined ? place : { ...place, file },
      isBare: groups['close'] === '' && line.slice(0, start + at).trim() === 'at',
      line: `${line.slice(0, start + at)}${file ?? text.slice(at)}:${place.line}:${place.column}${groups['close']}`,
    };
  }
  return undefined;
}

/** @param find knows the texts by their names */
export function tracebackOf(stack: string, find: (name: string) => KnownSource | undefined): Traceback {
  const lines = stack
    .split('\n')
    .filter((line) => line !== '' && !line.includes('<harness>') && !line.includes('<output>'));
  const frames = lines.map((line) => readFrame(line, find));
  const known = frames.filter((frame) => frame !== undefined);
  return {
    text: lines.map((line, index) => frames[index]?.line ?? line).join('\n'),
    place: known[0]?.place,
    runLine: known.find(({ place }) => place.file === undefined)?.place.line ?? null,
    isCompiling: lines.length === 0 || frames[0]?.isBare === true,
  };
}
