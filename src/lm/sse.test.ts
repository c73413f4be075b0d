import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SseLimitError, SseParser } from './sse.ts';
import type { ServerSentEvent } from './sse.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function parseWhole(text: string): ServerSentEvent[] {
  return new SseParser().push(encode(text));
}

function parseCut(bytes: Uint8Array, cuts: readonly number[]): ServerSentEvent[] {
  const parser = new SseParser();
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [...at, bytes.length].flatMap((end, index) => parser.push(bytes.slice(at[index - 1] ?? 0, end)));
}

/** The standard's rules over the whole text at once, written another way. */
function oracle(text: string): ServerSentEvent[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  lines.pop();
  const events: ServerSentEvent[] = [];
  let [data, event, id] = ['', '', ''];
  for (const line of lines) {
    if (line === '') {
      if (data !== '') events.push({ event: event || 'message', data: data.slice(0, -1), id });
      [data, event] = ['', ''];
      continue;
    }
    const [, name, value = ''] = /^([^:]*)(?:: ?([^]*))?$/.exec(line) ?? [];
    if (name === 'data') data += `${value}\n`;
    if (name === 'event') event = value;
    if (name === 'id' && !value.includes('\0')) id = value;
  }
  return events;
}

describe('the rules of the standard', () => {
  test.each([
    ['plain', 'data: one\n\n', [{ event: 'message', data: 'one', id: '' }]],
    ['several data lines', 'data: a\ndata: b\n\n', [{ event: 'message', data: 'a\nb', id: '' }]],
    ['no space after the colon', 'data:x\ndata:  y\n\n', [{ event: 'message', data: 'x\n y', id: '' }]],
    ['a field without a colon', 'data\n\n', [{ event: 'message', data: '', id: '' }]],
    [
      'comments and unknown fields',
      ': hi\nretry: 5\nwhat: x\ndata: z\n\n',
      [{ event: 'message', data: 'z', id: '' }],
    ],
    [
      'a named event with an id that stays',
      'event: e\nid: 7\ndata: 1\n\ndata: 2\n\n',
      [
        { event: 'e', data: '1', id: '7' },
        { event: 'message', data: '2', id: '7' },
      ],
    ],
    ['an id with NUL is not taken', 'id: a\0\ndata: 1\n\n', [{ event: 'message', data: '1', id: '' }]],
    [
      'an event without data is dropped with its name',
      'event: e\n\ndata: 1\n\n',
      [{ event: 'message', data: '1', id: '' }],
    ],
    [
      'CR and CRLF',
      'data: 1\r\rdata: 2\r\n\r\n',
      [
        { event: 'message', data: '1', id: '' },
        { event: 'message', data: '2', id: '' },
      ],
    ],
    [
      'a byte order mark, once',
      '\uFEFFdata: 1\n\n\uFEFFdata: 2\n\n',
      [{ event: 'message', data: '1', id: '' }],
    ],
    ['an event that the end cuts off', 'data: 1\n\ndata: 2\n', [{ event: 'message', data: '1', id: '' }]],
  ])('%s', (_, text, events) => {
    expect(parseWhole(text)).toEqual(events);
    expect(oracle(text)).toEqual(events);
  });

  test('bytes that are not UTF-8 become the replacement character', () => {
    const events = new SseParser().push(Uint8Array.from([...encode('data: '), 0xff, ...encode('\n\n')]));
    expect(events).toEqual([{ event: 'message', data: '\uFFFD', id: '' }]);
  });
});

const piece = fc.oneof(
  fc.constantFrom(
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    ':',
    ' ',
    'data',
    'data: ',
    'event: ',
    'id: ',
    '\0',
    '\uFEFF',
    'é',
    '漢',
    '👩‍👩‍👧',
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));

describe('any way of cutting the bytes', () => {
  test('gives the events of the whole', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 30 }), (source, cuts) => {
        expect(parseCut(encode(source), cuts)).toEqual(oracle(source));
      }),
      { numRuns: 1000 },
    );
  });

  test('byte by byte, with empty chunks between', () => {
    const bytes = encode('\uFEFFid: 1\r\ndata: naïve 👋\r\ndata: x\r\n\r\nevent: y\rdata: z\r\r');
    const parser = new SseParser();
    const events = [...bytes].flatMap((byte) => [
      ...parser.push(Uint8Array.of(byte)),
      ...parser.push(new Uint8Array()),
    ]);
    expect(events).toEqual([
      { event: 'message', data: 'naïve 👋\nx', id: '1' },
      { event: 'y', data: 'z', id: '1' },
    ]);
  });
});

describe('bounds', () => {
  test('a line that never ends', () => {
    const parser = new SseParser({ maxLineChars: 1000 });
    const push = (): void => {
      for (let count = 0; count < 100; count++) parser.push(encode('x'.repeat(99)));
    };
    expect(push).toThrow(SseLimitError);
    expect(push).toThrow(/maxLineChars \(1000\)/);
  });

  test('an event that never ends', () => {
    const parser = new SseParser({ maxEventChars: 1000 });
    expect(() => {
      for (let count = 0; count < 100; count++) parser.push(encode('data: 123456789012\n'));
    }).toThrow(/maxEventChars/);
  });

  test('many events under the bounds pass', () => {
    const parser = new SseParser({ maxLineChars: 20, maxEventChars: 20 });
    const events = Array.from({ length: 500 }, () => parser.push(encode('data: 0123456789\n\n'))).flat();
    expect(events).toHaveLength(500);
  });
});
