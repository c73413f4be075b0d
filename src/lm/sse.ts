/**
 * Server-sent events, read piece by piece by the rules of the HTML standard, section 9.2.6:
 * any way of cutting the bytes gives the same events. An event that the stream's end cuts off is dropped.
 */

export interface ServerSentEvent {
  /** `message` when the stream named none. */
  readonly event: string;
  readonly data: string;
  /** The last id seen so far, or ''. */
  readonly id: string;
}

export interface SseLimits {
  /** A server that never ends a line would fill the memory. Default 1,048,576 characters. */
  readonly maxLineChars: number;
  /** So would one that never ends an event. Default 4,194,304 characters. */
  readonly maxEventChars: number;
}

export const defaultSseLimits: SseLimits = { maxLineChars: 2 ** 20, maxEventChars: 2 ** 22 };

/** The bound that a stream broke. The caller turns it into its own error. */
export class SseLimitError extends Error {
  readonly limit: keyof SseLimits;
  readonly allowedChars: number;

  constructor(limit: keyof SseLimits, allowedChars: number) {
    super(`the event stream exceeds ${limit} (${allowedChars})`);
    this.name = 'SseLimitError';
    this.limit = limit;
    this.allowedChars = allowedChars;
  }
}

/** One parser reads one stream. */
export class SseParser {
  readonly #limits: SseLimits;
  // strips the byte order mark, keeps half a code point for the next chunk, replaces what is not UTF-8
  readonly #decoder = new TextDecoder('utf-8');
  #line: string[] = [];
  #lineChars = 0;
  #skipLineFeed = false;
  #data: string[] = [];
  #eventChars = 0;
  #event = '';
  #id = '';

  constructor(limits: Partial<SseLimits> = {}) {
    this.#limits = { ...defaultSseLimits, ...limits };
  }

  /** The events that `chunk` completes. Throws {@link SseLimitError}. */
  push(chunk: Uint8Array): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    let text = this.#decoder.decode(chunk, { stream: true });
    if (this.#skipLineFeed && text !== '') {
      if (text.startsWith('\n')) text = text.slice(1);
      this.#skipLineFeed = false;
    }
    let start = 0;
    for (let at = nextLineEnd(text, 0); at !== -1; at = nextLineEnd(text, start)) {
      this.#keep(text.slice(start, at));
      this.#endLine(events);
      start = at + 1;
      if (text[at] !== '\r') continue;
      if (start === text.length) this.#skipLineFeed = true;
      else if (text[start] === '\n') start += 1;
    }
    this.#keep(text.slice(start));
    return events;
  }

  #keep(piece: string): void {
    this.#lineChars += piece.length;
    if (this.#lineChars > this.#limits.maxLineChars) {
      throw new SseLimitError('maxLineChars', this.#limits.maxLineChars);
    }
    if (piece !== '') this.#line.push(piece);
  }

  #endLine(events: ServerSentEvent[]): void {
    const line = this.#line.join('');
    this.#line = [];
    this.#lineChars = 0;
    if (line === '') this.#dispatch(events);
    else if (!line.startsWith(':')) this.#readField(line);
  }

  #readField(line: string): void {
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const rest = colon === -1 ? '' : line.slice(colon + 1);
    const value = rest.startsWith(' ') ? rest.slice(1) : rest;
    if (name === 'data') this.#addData(value);
    else if (name === 'event') this.#event = value;
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
  }

  #addData(value: string): void {
    this.#eventChars += value.length + 1;
    if (this.#eventChars > this.#limits.maxEventChars) {
      throw new SseLimitError('maxEventChars', this.#limits.maxEventChars);
    }
    this.#data.push(value);
  }

  #dispatch(events: ServerSentEvent[]): void {
    if (this.#data.length > 0) {
      events.push({ event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id });
    }
    this.#data = [];
    this.#eventChars = 0;
    this.#event = '';
  }
}

function nextLineEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 10 || code === 13) return at;
  }
  return -1;
}
