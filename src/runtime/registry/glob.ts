/**
 * Patterns over module ids: `?` is one character and `*` any number of them, both within a segment; `**` crosses segments.
 * Segments end at `.` and `/`. All states are stepped together, so no pattern makes a match take longer than
 * the length of the pattern times that of the id.
 */
import { CodedError } from '../../base/index.ts';

/** A pattern is written by hand; a longer one is a mistake or an attack. */
export const maxPatternCharacters = 256;

const wildcard = /[*?]/u;
const wellFormed = /^[\w.:/*?-]+$/u;
const isSeparator = (character: string): boolean => character === '.' || character === '/';

/** One place in a pattern. `segments` is `**` with a separator after it, at the start of a segment: no segment, or some. */
type Token =
  | { readonly type: 'text' | 'segments'; readonly text: string }
  | { readonly type: 'one' | 'run' | 'any' };

export interface Glob {
  readonly pattern: string;
  /** Whether the pattern is the id itself. */
  readonly isExact: boolean;
  matches(id: string): boolean;
}

function tokenize(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length;) {
    const character = pattern.charAt(at);
    const stars = /^\*+/u.exec(pattern.slice(at))?.[0].length ?? 0;
    if (stars >= 2) {
      const startsSegment = at === 0 || isSeparator(pattern.charAt(at - 1));
      const text = pattern.charAt(at + stars);
      const isSegments = startsSegment && isSeparator(text);
      tokens.push(isSegments ? { type: 'segments', text } : { type: 'any' });
      at += stars + (isSegments ? 1 : 0);
      continue;
    }
    if (stars === 1) tokens.push({ type: 'run' });
    else tokens.push(character === '?' ? { type: 'one' } : { type: 'text', text: character });
    at++;
  }
  return tokens;
}

/** Adds a place and every place that is reached from it without reading. */
function enter(places: Set<number>, tokens: readonly Token[], place: number): void {
  for (let at = place; !places.has(at); at++) {
    places.add(at);
    const type = tokens[at]?.type;
    if (type !== 'run' && type !== 'any' && type !== 'segments') return;
  }
}

/** Where one character leads from one place. */
function advance(next: Set<number>, tokens: readonly Token[], at: number, character: string): void {
  const token = tokens[at];
  switch (token?.type) {
    case undefined:
      return;
    case 'text':
      if (token.text === character) enter(next, tokens, at + 1);
      return;
    case 'one':
      if (!isSeparator(character)) enter(next, tokens, at + 1);
      return;
    case 'run':
      if (!isSeparator(character)) enter(next, tokens, at);
      return;
    case 'any':
      return enter(next, tokens, at);
    case 'segments':
      // a negative place is within the segments that `**` takes, which end at its separator only
      next.add(-at - 1);
      if (token.text === character) enter(next, tokens, at + 1);
  }
}

function step(places: ReadonlySet<number>, tokens: readonly Token[], character: string): Set<number> {
  const next = new Set<number>();
  for (const place of places) advance(next, tokens, place < 0 ? -place - 1 : place, character);
  return next;
}

/** @throws `runtime/pattern-invalid` */
function checkPattern(pattern: string): string {
  if (typeof pattern === 'string' && pattern.length <= maxPatternCharacters && wellFormed.test(pattern))
    return pattern;
  const value = String(pattern).slice(0, 200);
  const expectation = `1 to ${maxPatternCharacters} letters, digits, "_", ".", ":", "/", "-", "*" or "?"`;
  throw new CodedError(
    'runtime/pattern-invalid',
    `pattern ${JSON.stringify(value.slice(0, 40))} is not ${expectation}`,
    {
      fields: { field: 'pattern', value, expectation },
    },
  );
}

/** @throws `runtime/pattern-invalid` */
export function parseGlob(pattern: string): Glob {
  checkPattern(pattern);
  if (!wildcard.test(pattern)) return { pattern, isExact: true, matches: (id) => id === pattern };
  const tokens = tokenize(pattern);
  return {
    pattern,
    isExact: false,
    matches: (id) => {
      let places = new Set<number>();
      enter(places, tokens, 0);
      for (const character of id) {
        if (places.size === 0) return false;
        places = step(places, tokens, character);
      }
      return places.has(tokens.length);
    },
  };
}
