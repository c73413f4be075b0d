/** Reads the columns of a source map whose lines are those of the source. */
import type { Place } from '../../javascript/guest/script.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Base 64 VLQ: five bits a letter, the lowest first, the sign in the lowest bit of all (Source Map revision 3). */
function readNumbers(segment: string): readonly number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const letter of segment) {
    const bits = alphabet.indexOf(letter);
    value += (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    value = shift = 0;
  }
  return numbers;
}

interface Segment {
  readonly made: number;
  readonly original: number;
}

/** From a place in the made code to its place in the source. Both count from 1. */
export function readColumns(mappings: string): (place: Place) => Place {
  let original = 0;
  const lines = mappings.split(';').map((line) => {
    let made = 0;
    return line
      .split(',')
      .filter((segment) => segment !== '')
      .map((segment): Segment => {
        const [madeStep = 0, , , originalStep = 0] = readNumbers(segment);
        made += madeStep;
        original += originalStep;
        return { made, original };
      });
  });
  return ({ line, column }) => {
    const segment = lines[line - 1]?.findLast(({ made }) => made <= column - 1);
    return segment ? { line, column: segment.original + (column - 1 - segment.made) + 1 } : { line, column };
  };
}
