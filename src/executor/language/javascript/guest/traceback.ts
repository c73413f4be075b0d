/** Reads the interpreter's own tracebacks. */
import type { Place } from './script.ts';

export interface Traceback {
  /** Frames of the guest's code and below, none of ours. */
  readonly text: string;
  /** Where the guest's own code stands highest. */
  readonly line: number | null;
  readonly column: number | null;
}

const frame = /^(?<before>.*?)(?<name><run-\d+>):(?<line>\d+):(?<column>\d+)(?<after>.*)$/u;

export function tracebackOf(stack: string, toOriginal: (place: Place) => Place): Traceback {
  let first: Place | undefined;
  const lines = stack
    .split('\n')
    .filter((line) => line !== '' && !line.includes('<harness>') && !line.includes('<output>'))
    .map((line) => {
      const groups = frame.exec(line)?.groups;
      if (!groups) return line;
      const place = toOriginal({ line: Number(groups['line']), column: Number(groups['column']) });
      first ??= place;
      return `${groups['before']}${groups['name']}:${place.line}:${place.column}${groups['after']}`;
    });
  return { text: lines.join('\n'), line: first?.line ?? null, column: first?.column ?? null };
}
