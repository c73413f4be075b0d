/** What was asked and answered last, for people who wonder why. */
import { systemClock } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import { invalidRequest } from './error.ts';
import type { LanguageModel, LmCallOptions } from './language-model.ts';
import type { LmContentPart, LmMessage, LmRequest, LmResponse, LmStreamPart } from './message.ts';

/** One call that ended with a response. */
export interface LmHistoryEntry {
  /** When the response was whole, in milliseconds since 1970. */
  readonly atMs: number;
  readonly model: string;
  readonly request: LmRequest;
  readonly response: LmResponse;
}

export interface LmHistory {
  /** Oldest first. */
  readonly entries: readonly LmHistoryEntry[];
  add(entry: LmHistoryEntry): void;
  clear(): void;
}

/** @param capacity entries kept, oldest dropped first; default 1,000: prompts are long, and a tab's memory is not */
export function createHistory(capacity: number = 1000): LmHistory {
  if (!Number.isInteger(capacity) || capacity < 0) {
    throw invalidRequest('history', 'capacity', capacity, 'an integer of at least 0');
  }
  const entries: LmHistoryEntry[] = [];
  return {
    entries,
    add(entry) {
      entries.push(entry);
      if (entries.length > capacity) entries.shift();
    },
    clear: () => void entries.splice(0),
  };
}

/** The same model, with every response noted. Failed and abandoned calls are not. */
export function withHistory(
  model: LanguageModel,
  history: LmHistory,
  clock: Clock = systemClock,
): LanguageModel {
  const note = (request: LmRequest, response: LmResponse): void =>
    history.add({ atMs: clock.now(), model: model.model, request, response });
  return {
    model: model.model,
    isScripted: model.isScripted,
    async generate(request: LmRequest, options?: LmCallOptions): Promise<LmResponse> {
      const response = await model.generate(request, options);
      note(request, response);
      return response;
    },
    stream: (request: LmRequest, options?: LmCallOptions): AsyncIterable<LmStreamPart> => {
      const parts = model.stream(request, options);
      return {
        [Symbol.asyncIterator]: () => {
          const iterator = parts[Symbol.asyncIterator]();
          return {
            async next() {
              const item = await iterator.next();
              if (!item.done && item.value.type === 'response-end') note(request, item.value.response);
              return item;
            },
            return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
          };
        },
      };
    },
  };
}

/** The last `count` calls as text, laid out as DSPy's `inspect_history` does without colours. */
export function inspectHistory(entries: readonly LmHistoryEntry[], count: number = 1): string {
  const shown = count > 0 ? entries.slice(-count) : [];
  return `${shown.map(showEntry).join('')}\n\n\n\n`;
}

function showEntry({ atMs, request, response }: LmHistoryEntry): string {
  const [first, ...others] = response.outputs;
  return [
    `\n\n\n\n[${new Date(atMs).toISOString()}]\n\n`,
    ...request.messages.map(showMessage),
    `Response:\n\n${stripPython(first?.text ?? '')}\n\n`,
    others.length > 0 ? ` \t (and ${others.length} other completions)\n` : '',
  ].join('');
}

function showMessage({ role, content }: LmMessage): string {
  const body = typeof content === 'string' ? `${stripPython(content)}\n` : content.map(showPart).join('');
  return `${role.charAt(0).toUpperCase()}${role.slice(1)} message:\n\n${body}\n\n`;
}

function showPart(part: LmContentPart): string {
  if (part.type === 'text') return `${stripPython(part.text)}\n`;
  const [head = '', bytes] = part.url.split('base64,');
  const shown =
    bytes === undefined
      ? `<image_url: ${part.url}>`
      : `<${head}base64,<IMAGE BASE 64 ENCODED(${bytes.length})>`;
  return `${stripPython(shown)}\n\n`;
}

// oxlint-disable-next-line no-control-regex -- Python strips control characters too
const whiteSpace = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** White space as Python's `str.strip` sees it: with the information separators and NEL, without the byte order mark. */
function stripPython(text: string): string {
  // walks from the end: an anchored pattern takes quadratic time on long runs inside the text
  let end = text.length;
  while (end > 0 && whiteSpace.test(text.charAt(end - 1))) end -= 1;
  let start = 0;
  while (start < end && whiteSpace.test(text.charAt(start))) start += 1;
  return text.slice(start, end);
}
