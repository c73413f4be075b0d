/** A streamed chat completion: pieces as they come, the whole response at the end. */
import type { CodedError } from '../../base/index.ts';
import { lmError } from '../error.ts';
import type { LmOutput, LmStreamPart, LmUsage } from '../message.ts';
import { SseLimitError, SseParser } from '../sse.ts';
import { readChunks, readText } from '../transport.ts';
import type { HttpContext } from '../transport.ts';
import { readChunk, readCompletion, toResponse } from './openai-response.ts';
import type { ReadContext } from './openai-response.ts';

/** Some servers ignore `stream: true` and send the whole answer as JSON; that is one piece per answer. */
export async function* readStream(
  http: HttpContext,
  context: ReadContext,
  response: Response,
): AsyncGenerator<LmStreamPart, void, undefined> {
  if (response.headers.get('content-type')?.startsWith('application/json')) {
    const whole = readCompletion(context, await readText(http, response));
    for (const [index, { text }] of whole.outputs.entries()) {
      if (text !== '') yield { type: 'text-delta', index, text };
    }
    yield { type: 'response-end', response: whole };
    return;
  }
  const assembly = new Assembly(context);
  for await (const data of readEvents(http, context, response)) {
    if (data === '[DONE]') {
      assembly.isDone = true;
      break;
    }
    yield* assembly.add(data);
  }
  yield { type: 'response-end', response: assembly.finish() };
}

async function* readEvents(
  http: HttpContext,
  context: ReadContext,
  response: Response,
): AsyncGenerator<string, void, undefined> {
  const parser = new SseParser();
  try {
    for await (const chunk of readChunks(http, response)) {
      for (const event of parser.push(chunk)) yield event.data.trim();
    }
  } catch (thrown) {
    throw thrown instanceof SseLimitError ? toLimitError(context, thrown) : thrown;
  }
}

class Assembly {
  isDone = false;
  readonly #context: ReadContext;
  readonly #texts: string[][] = [];
  readonly #finishReasons: (string | null)[] = [];
  #model: string | undefined;
  #id: string | undefined;
  #usage: LmUsage | undefined;

  constructor(context: ReadContext) {
    this.#context = context;
  }

  *add(data: string): Generator<LmStreamPart, void, undefined> {
    const chunk = readChunk(this.#context, data);
    this.#model ??= chunk.model;
    this.#id ??= chunk.id;
    // some servers count as they go: the last count is the whole
    this.#usage = chunk.usage ?? this.#usage;
    for (const { index, text, finishReason } of chunk.pieces) {
      const texts = (this.#texts[index] ??= []);
      this.#finishReasons[index] = finishReason ?? this.#finishReasons[index] ?? null;
      if (text === '') continue;
      texts.push(text);
      yield { type: 'text-delta', index, text };
    }
  }

  /** A connection may close cleanly in the middle of an answer; only a sign of the end proves that all came. */
  finish(): ReturnType<typeof toResponse> {
    const count = this.#texts.length;
    const outputs = Array.from({ length: count }, (_, index): LmOutput => ({
      text: (this.#texts[index] ?? []).join(''),
      finishReason: this.#finishReasons[index] ?? null,
    }));
    const isWhole = this.isDone || outputs.every((output) => output.finishReason !== null);
    if (count === 0 || !isWhole) throw truncated(this.#context, outputs);
    return toResponse(this.#context, { model: this.#model, id: this.#id, usage: this.#usage }, outputs);
  }
}

function truncated(context: ReadContext, outputs: readonly LmOutput[]): CodedError {
  const receivedChars = outputs.reduce((sum, output) => sum + output.text.length, 0);
  return lmError(
    'lm/response-invalid',
    `the stream ended before the answer did, after ${receivedChars} characters`,
    {
      model: context.model,
      reason: 'truncated',
      more: { receivedChars },
      isRetryable: true,
    },
  );
}

function toLimitError(context: ReadContext, error: SseLimitError): CodedError {
  return lmError('lm/response-invalid', error.message, {
    model: context.model,
    reason: 'too-large',
    more: { limit: error.limit, allowedChars: error.allowedChars },
    cause: error,
  });
}
