/** The worker's side of the page's language model. */
import type { ActorContext } from '../../actor/index.ts';
import { Channel, CodedError } from '../../base/index.ts';
import type { LanguageModel, LmCallOptions, LmRequest, LmResponse, LmStreamPart } from '../../lm/index.ts';
import { lmService } from './lm-service.ts';
import type { LmDelta, LmServiceBody } from './lm-service.ts';

/** What a worker knows of the model without asking. */
export interface LmDescription {
  readonly model: string;
  readonly isScripted: boolean;
}

/** Stream parts that wait for a slow reader; beyond it the stream ends with `runtime/stream-overflow`. */
const maxBufferedParts = 65_536;

export function createLmProxy(context: ActorContext, description: LmDescription): LanguageModel {
  const { model } = description;
  const ask: Ask = async (method, request, options, onDelta) => {
    const body: LmServiceBody = { request, timeoutMs: options.timeoutMs };
    // the model on the page ends the call by its own limit; a second timer here would only hide its error
    const callOptions = { signal: options.signal, span: options.span, timeoutMs: Infinity, onDelta };
    try {
      return (await context.callPage(lmService, method, body, callOptions)) as LmResponse;
    } catch (error) {
      throw options.signal?.aborted ? cancelled(model, error) : error;
    }
  };
  return {
    ...description,
    generate: (request, options = {}) => ask('lm-generate', request, options),
    stream: (request, options = {}) => ({
      [Symbol.asyncIterator]: () => new LmStream(model, request, options, ask),
    }),
  };
}

type Ask = (
  method: string,
  request: LmRequest,
  options: LmCallOptions,
  onDelta?: (body: unknown) => void,
) => Promise<LmResponse>;

function cancelled(model: string, cause?: unknown): CodedError {
  const fields = { model };
  return new CodedError('lm/cancelled', 'the call was cancelled', { fields, cause });
}

/** Sends nothing before the first read. Leaving ends the call on the page, also while a read waits. */
class LmStream implements AsyncIterator<LmStreamPart> {
  readonly #parts = new Channel<LmStreamPart>(maxBufferedParts);
  readonly #reader = this.#parts[Symbol.asyncIterator]();
  readonly #left = new AbortController();
  readonly #model: string;
  #begin: (() => void) | undefined;

  constructor(model: string, request: LmRequest, options: LmCallOptions, ask: Ask) {
    this.#model = model;
    this.#begin = () => {
      const { signal: given } = options;
      const signal = given ? AbortSignal.any([given, this.#left.signal]) : this.#left.signal;
      ask('lm-stream', request, { ...options, signal }, (part) => this.#push(part as LmDelta)).then(
        (response) => {
          this.#push({ type: 'response-end', response });
          this.#parts.close();
        },
        (error: unknown) => this.#parts.close(error),
      );
    };
  }

  next(): Promise<IteratorResult<LmStreamPart>> {
    this.#begin?.();
    this.#begin = undefined;
    return this.#reader.next();
  }

  async return(): Promise<IteratorResult<LmStreamPart>> {
    this.#begin = undefined;
    this.#parts.close(cancelled(this.#model));
    this.#left.abort();
    await this.#reader.return?.();
    return { done: true, value: undefined };
  }

  #push(part: LmStreamPart): void {
    if (this.#parts.push(part)) return;
    const text = `the reader is more than ${maxBufferedParts} stream parts behind`;
    this.#parts.close(new CodedError('runtime/stream-overflow', text));
    // a reader that stands still would let the model go on
    this.#left.abort();
  }
}
