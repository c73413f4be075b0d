/** Changes a text without moving its lines, and finds the way back from a place in the new text. */
import type { Place } from './script.ts';

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Edits do not overlap; none adds or takes a line. */
export class Edits {
  readonly #source: string;
  readonly #edits: Edit[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  replace(start: number, end: number, text: string): void {
    const edit = { start, end, text };
    const at = this.#edits.findLastIndex((other) => other.start <= start) + 1;
    this.#edits.splice(at, 0, edit);
  }

  /** Leaves spaces, and line ends. */
  blank(start: number, end: number): void {
    this.replace(start, end, this.#source.slice(start, end).replaceAll(/[^\n\r\u2028\u2029]/g, ' '));
  }

  text(): string {
    let end = 0;
    let text = '';
    for (const edit of this.#edits) {
      text += this.#source.slice(end, edit.start) + edit.text;
      ({ end } = edit);
    }
    return text + this.#source.slice(end);
  }

  /** Columns count UTF-16 units, as the compilers do. A place inside something inserted is the place where it was. */
  toOriginal({ line, column }: Place): Place {
    let shift = 0;
    for (const { start, end, text } of this.#edits) {
      const added = text.length - (end - start);
      if (added === 0 || this.#lineOf(start) !== line) continue;
      const startColumn = start - (this.#source.lastIndexOf('\n', start - 1) + 1) + 1;
      if (column - shift < startColumn) break;
      shift = Math.min(shift + added, column - startColumn);
    }
    return { line, column: column - shift };
  }

  #lineOf(offset: number): number {
    let line = 1;
    for (
      let at = this.#source.indexOf('\n');
      at !== -1 && at < offset;
      at = this.#source.indexOf('\n', at + 1)
    ) {
      line += 1;
    }
    return line;
  }
}
