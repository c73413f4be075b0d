/** Finds where a broken text ends inside broken JSON, and what it says. */
import { stripEnd } from './python-text.ts';

/** Where the text stands: as a key, as the value of a member, or as an item of a list. */
export type TextPlace = 'key' | 'value' | 'item';

export interface FoundText {
  readonly text: string;
  /** The index behind the text and its closing quote. */
  readonly end: number;
}

/** Counts what reading costs, so that a text made to be read over and over ends. */
export interface WorkBudget {
  /** @throws when nothing is left */
  spend(characters: number): void;
}

/** How far ahead a quote is examined for what follows it, in UTF-16 units. */
const lookAhead = 256;

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

/** What must follow a quote for it to close the text; the end of everything always may. */
const followers: Readonly<Record<TextPlace, RegExp>> = {
  key: /^(?![\p{L}\p{N}_])/u,
  value:
    /^\s*(?:$|[}\]]|\/\/|\/\*|#|,\s*(?:$|[}\]#]|\/[/*]|["'“][^"'”\n]*(?:["'”]\s*:|$)|[\p{L}_][\p{L}\p{N}_-]*\s*:)|["'“][^"'”\n]*["'”]\s*:)/u,
  item: /^\s*(?:$|[,\]})]|\/\/|\/\*|#|["'“])/,
};

/** What ends a text whose closing quote never comes. */
const stops: Readonly<Record<TextPlace, string>> = { key: ': \n\t', value: '}', item: ']' };

/**
 * A text that opens with a quote at `start`. A quote that nothing fitting follows belongs to the text; a member that
 * begins inside a value shows that the closing quote was forgotten.
 */
export function readQuotedText(
  source: string,
  start: number,
  place: TextPlace,
  budget: WorkBudget,
): FoundText {
  const quote = source.charAt(start) === '“' ? '”' : source.charAt(start);
  const closed = readUntil(source, start + 1, (character, index) => {
    if (character === quote) return closes(source, index, place);
    return place === 'value' && character === ',' && beginsMember(source, index, quote);
  });
  budget.spend(closed.end - start);
  if (closed.end < source.length) {
    const isClosed = source[closed.end] === quote;
    return { text: isClosed ? closed.text : stripEnd(closed.text), end: closed.end + (isClosed ? 1 : 0) };
  }
  const unclosed = readUntil(source, start + 1, (character) => stops[place].includes(character));
  return { text: stripEnd(unclosed.text), end: unclosed.end };
}

/** Reads escapes on the way; `end` is the length of the source when nothing stopped it. */
function readUntil(
  source: string,
  start: number,
  isEnd: (character: string, index: number) => boolean,
): FoundText {
  let text = '';
  let index = start;
  while (index < source.length && !isEnd(source.charAt(index), index)) {
    const isEscape = source[index] === '\\' && index + 1 < source.length;
    const piece = isEscape ? readEscape(source, index) : { text: source.charAt(index), end: index + 1 };
    text += piece.text;
    index = piece.end;
  }
  return { text, end: Math.min(index, source.length) };
}

/** A text without quotes: up to what ends its place, without white space at its end. */
export function readBareText(source: string, start: number, place: TextPlace, budget: WorkBudget): FoundText {
  const end = place === 'value' ? endOfBareValue(source, start) : firstMatch(bareStops[place], source, start);
  budget.spend(end - start);
  return { text: stripEnd(source.slice(start, end)), end };
}

const bareStops: Readonly<Record<'key' | 'item', RegExp>> = { key: /[:\s"'“”]/g, item: /[,\]]/g };
const nextMember = /^,\s*(?:$|[}\]]|["'“][^"'”\n]*["'”]\s*:|[\p{L}_][\p{L}\p{N}_-]*\s*:)/u;

/** A comma inside belongs to the text unless a next member follows. */
function endOfBareValue(source: string, start: number): number {
  const pattern = /[,}]/g;
  pattern.lastIndex = start;
  for (let match = pattern.exec(source); match !== null; match = pattern.exec(source)) {
    if (match[0] === '}' || nextMember.test(source.slice(match.index, match.index + lookAhead)))
      return match.index;
  }
  return source.length;
}

function closes(source: string, index: number, place: TextPlace): boolean {
  return followers[place].test(source.slice(index + 1, index + 1 + lookAhead));
}

function readEscape(source: string, index: number): FoundText {
  const character = source.charAt(index + 1);
  const digits = /^(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})/.exec(source.slice(index + 1, index + 6))?.[0];
  if (digits !== undefined) {
    return {
      text: String.fromCharCode(Number.parseInt(digits.slice(1), 16)),
      end: index + 1 + digits.length,
    };
  }
  if (Object.hasOwn(escapes, character)) return { text: escapes[character] ?? '', end: index + 2 };
  return { text: `${'\\"\'“”/'.includes(character) ? '' : '\\'}${character}`, end: index + 2 };
}

/** A comma, then a key in the text's own quotes, then a colon. */
function beginsMember(source: string, index: number, quote: string): boolean {
  const rest = source.slice(index + 1, index + 1 + lookAhead).trimStart();
  const close = rest.startsWith(quote) ? rest.indexOf(quote, 1) : -1;
  return (
    close > 0 &&
    rest
      .slice(close + 1)
      .trimStart()
      .startsWith(':')
  );
}

function firstMatch(pattern: RegExp, source: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(source)?.index ?? source.length;
}
