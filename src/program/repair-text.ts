/** Finds where a broken text ends inside broken JSON, and what it says. */
import { stripEnd } from './python-text.ts';

/** Where the text stands: as a key, as the value of a member, or as an item of a list. */
export type TextPlace = 'key' | 'value' | 'item';

export interface FoundText {
  readonly text: string;
  /** The index behind the text and its closing quote. */
  readonly end: number;
}

/** How far ahead a quote is examined for what follows it, in UTF-16 units. */
const lookAhead = 256;

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

/** What must follow a quote for it to close the text; the end of everything always may. */
const followers: Readonly<Record<TextPlace, RegExp>> = {
  key: /^\s*(?:[:}]|$)/,
  value:
    /^\s*(?:$|[}\]]|\/\/|\/\*|#|,\s*(?:$|[}\]#]|\/[/*]|["'“][^"'”\n]*["'”]\s*:|[\p{L}_][\p{L}\p{N}_-]*\s*:)|["'“][^"'”\n]*["'”]\s*:)/u,
  item: /^\s*(?:$|[,\]})]|\/\/|\/\*|#|["'“])/,
};

/** What ends a text whose closing quote never comes. */
const stops: Readonly<Record<TextPlace, RegExp>> = { key: /[:\s]/g, value: /\}/g, item: /\]/g };

/** A text that opens with a quote at `start`. A quote that nothing fitting follows belongs to the text. */
export function readQuotedText(source: string, start: number, place: TextPlace): FoundText {
  const quote = source.charAt(start) === '“' ? '”' : source.charAt(start);
  let text = '';
  let index = start + 1;
  while (index < source.length) {
    const character = source.charAt(index);
    if (character === '\\') {
      const escape = readEscape(source, index);
      text += escape.text;
      index = escape.end;
    } else if (character === quote && closes(source, index, place)) return { text, end: index + 1 };
    else {
      text += character;
      index += 1;
    }
  }
  return readUnclosedText(source, start, place);
}

/** A text without quotes: up to what ends its place, without white space at its end. */
export function readBareText(source: string, start: number, place: TextPlace): FoundText {
  const end = place === 'value' ? endOfBareValue(source, start) : firstMatch(bareStops[place], source, start);
  return { text: stripEnd(source.slice(start, end)), end };
}

const bareStops: Readonly<Record<'key' | 'item', RegExp>> = { key: /[:\s]/g, item: /[,\]]/g };
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

function readUnclosedText(source: string, start: number, place: TextPlace): FoundText {
  const end = firstMatch(stops[place], source, start + 1);
  return { text: stripEnd(source.slice(start + 1, end)), end };
}

function firstMatch(pattern: RegExp, source: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(source)?.index ?? source.length;
}
