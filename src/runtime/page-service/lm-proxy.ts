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
  const ask = (
    method: string,
    request: LmRequest,
    options: LmCallOptions,
    onDelta?: (body: unknown) => void,
  ): Promise<LmResponse> => {
    const body: LmServiceBody = { request, timeoutMs: options.timeoutMs };
    // the model on the page ends the call by its own limit; a second timer here would only hide its error
    const callOptions = { signal: options.signal, span: options.span, timeoutMs: Infinity, onDelta };
    return context.callPage(lmService, method, body, callOptions) as Promise<LmResponse>;
  };
  return {
    ...description,
    generate: (request, options = {}) => ask('lm-generate', request, options),
    stream: (request, options = {}) => streamParts(request, options, ask),
  };
}

type Ask = (
  method: string,
  request: LmRequest,
  options: LmCallOptions,
  onDelta: (body: unknown) => void,
) => Promise<LmResponse>;

async function* streamParts(
  request: LmRequest,
  options: LmCallOptions,
  ask: Ask,
): AsyncGenerator<LmStreamPart> {
  const parts = new Channel<LmStreamPart>(maxBufferedParts);
  const left = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal;
  const overflow = (): void => {
    parts.close(
      new CodedError(
        'runtime/stream-overflow',
        `the reader is more than ${maxBufferedParts} stream parts behind`,
      ),
    );
    // a reader that stands still would let the model go on
    left.abort();
  };
  ask('lm-stream', request, { ...options, signal }, (part) => {
    if (!parts.push(part as LmDelta)) overflow();
  }).then(
    (response) => {
      if (!parts.push({ type: 'response-end', response })) overflow();
      parts.close();
    },
    (error: unknown) => parts.close(error),
  );
  try {
    yield* parts;
  } finally {
    left.abort();
  }
}
