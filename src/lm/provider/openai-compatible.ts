/** Any server that speaks OpenAI's chat completions over HTTP: OpenAI itself, Ollama, llama.cpp, vLLM, LM Studio, gateways. */
import { isCodedError } from '../../base/index.ts';
import type { CodedError } from '../../base/index.ts';
import { systemClock, systemRandom } from '../../platform/index.ts';
import type { Clock, Random } from '../../platform/index.ts';
import { silentHub } from '../../telemetry/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import { checkRequest } from '../check-request.ts';
import { invalidRequest, lmError } from '../error.ts';
import type { LanguageModel } from '../language-model.ts';
import type { LmRequest, LmResponse, LmStreamPart } from '../message.ts';
import { diagnoseUnreachable } from '../reachability.ts';
import { createRedactor } from '../redact.ts';
import type { Redact } from '../redact.ts';
import { defaultRetryLimits, parseRetryAfter, withRetries } from '../retry.ts';
import type { RetryLimits } from '../retry.ts';
import { runGenerate, runStream } from '../run-call.ts';
import type { CallFrame, RunningCall } from '../run-call.ts';
import { defaultHttpLimits, postJson, readErrorText, readText, redactedCause } from '../transport.ts';
import type { HttpContext, HttpLimits, HttpRequest } from '../transport.ts';
import { toEndpoint } from './endpoint.ts';
import { toRefusalError } from './openai-error.ts';
import { maxTokensNameFor, toChatRequest } from './openai-request.ts';
import type { ChatOptions, MaxTokensName } from './openai-request.ts';
import { readCompletion } from './openai-response.ts';
import { readStream } from './openai-stream.ts';

/** The bounds of every call through HTTP. */
export interface LmLimits extends HttpLimits, RetryLimits {
  /** The whole call, tries and pauses included. Default 300,000 ms. */
  readonly timeoutMs: number;
}

const defaultLmLimits: LmLimits = { ...defaultHttpLimits, ...defaultRetryLimits, timeoutMs: 300_000 };

export interface OpenAiCompatibleOptions {
  /** Up to and without `/chat/completions`, such as `http://localhost:11434/v1`; in a page also relative to its origin. */
  readonly baseUrl: string;
  readonly model: string;
  /** Sent as `Authorization: Bearer …` and nowhere else. Empty means none. */
  readonly apiKey?: string | undefined;
  /** More headers. Their values are treated as secrets, too. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly limits?: Partial<LmLimits> | undefined;
  /** Default: `max_completion_tokens` for OpenAI's reasoning models, `max_tokens` for all others. */
  readonly maxTokensName?: MaxTokensName | undefined;
  /** Asks for token counts in streams. Default true; to be switched off for servers that refuse `stream_options`. */
  readonly streamsUsage?: boolean | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
  readonly hub?: Hub | undefined;
}

/** Throws `lm/invalid-request` when an option is unusable; the key itself is never shown. */
export function openAiCompatible(options: OpenAiCompatibleOptions): LanguageModel {
  return new OpenAiCompatible(options);
}

class OpenAiCompatible implements LanguageModel {
  readonly model: string;
  readonly isScripted = false;
  // private members, so that nothing that prints or clones the model shows the key
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #redact: Redact;
  readonly #limits: LmLimits;
  readonly #chat: ChatOptions;
  readonly #random: Random;
  readonly #frame: CallFrame;

  constructor(options: OpenAiCompatibleOptions) {
    const { url, headers, secrets } = toEndpoint(options);
    this.model = options.model;
    this.#url = url;
    this.#headers = headers;
    this.#redact = createRedactor(secrets);
    this.#limits = checkedLimits(options.model, options.limits);
    this.#chat = {
      maxTokensName: options.maxTokensName ?? maxTokensNameFor(options.model),
      streamsUsage: options.streamsUsage ?? true,
    };
    this.#random = options.random ?? systemRandom;
    this.#frame = {
      model: options.model,
      clock: options.clock ?? systemClock,
      hub: options.hub ?? silentHub,
      timeoutMs: this.#limits.timeoutMs,
    };
  }

  generate(request: LmRequest, options: Parameters<LanguageModel['generate']>[1] = {}): Promise<LmResponse> {
    return runGenerate(this.#frame, options, async (call) => {
      const tries = this.#tries(call, request, false, (http, response) => this.#readWhole(http, response));
      for await (const response of tries) return response;
      throw lmError('lm/response-invalid', 'the server sent no answer', { model: this.model });
    });
  }

  stream(
    request: LmRequest,
    options: Parameters<LanguageModel['stream']>[1] = {},
  ): AsyncIterable<LmStreamPart> {
    return runStream(this.#frame, options, (call) =>
      this.#tries(call, request, true, (http, response) =>
        readStream(http, { model: this.model, redact: this.#redact }, response),
      ),
    );
  }

  /** Every try of one call, until one delivers. */
  #tries<T>(
    call: RunningCall,
    request: LmRequest,
    isStream: boolean,
    read: (http: HttpContext, response: Response) => AsyncIterable<T>,
  ): AsyncGenerator<T, void, undefined> {
    checkRequest(this.model, request);
    const chat = toChatRequest(this.model, request, { isStream, ...this.#chat });
    const outgoing: HttpRequest = { url: this.#url, headers: this.#headers, body: JSON.stringify(chat) };
    const http: HttpContext = { call: call.limit, limits: this.#limits, redact: this.#redact };
    const exchange = (): AsyncGenerator<T, void, undefined> => this.#exchange(http, outgoing, read);
    return withRetries(
      {
        call: call.limit,
        random: this.#random,
        limits: this.#limits,
        onRetry: (attempt, delayMs, error) => call.observer.retry(attempt, delayMs, error),
      },
      exchange,
    );
  }

  async *#exchange<T>(
    http: HttpContext,
    outgoing: HttpRequest,
    read: (http: HttpContext, response: Response) => AsyncIterable<T>,
  ): AsyncGenerator<T, void, undefined> {
    const response = await this.#post(http, outgoing);
    if (!response.ok) throw await this.#toRefusal(http, response);
    yield* read(http, response);
  }

  async #post(http: HttpContext, outgoing: HttpRequest): Promise<Response> {
    try {
      return await postJson(http, outgoing);
    } catch (thrown) {
      throw isCodedError(thrown) ? thrown : await this.#toNetworkError(http, thrown);
    }
  }

  async #toNetworkError({ call }: HttpContext, thrown: unknown): Promise<CodedError> {
    const diagnosis = diagnoseUnreachable(this.#url, {
      headerNames: ['content-type', ...Object.keys(this.#headers)],
      clock: call.clock,
      signal: call.signal,
    });
    const { code, reason, advice } = await call.race(diagnosis);
    const { origin, pathname } = new URL(this.#url);
    return lmError(code, `no answer could be read from ${origin}: ${advice}`, {
      model: this.model,
      reason,
      more: { url: origin + pathname },
      isRetryable: isPassing(reason),
      cause: redactedCause(this.#redact, thrown),
    });
  }

  async #toRefusal(http: HttpContext, response: Response): Promise<CodedError> {
    const { headers, status } = response;
    return toRefusalError({
      model: this.model,
      status,
      body: await readErrorText(http, response),
      requestId: headers.get('x-request-id') ?? headers.get('request-id') ?? undefined,
      retryAfterMs: parseRetryAfter(headers, this.#frame.clock.now()),
      redact: this.#redact,
    });
  }

  async *#readWhole(http: HttpContext, response: Response): AsyncGenerator<LmResponse, void, undefined> {
    yield readCompletion({ model: this.model, redact: this.#redact }, await readText(http, response));
  }
}

/** A limit that is no number would be no limit. */
function checkedLimits(model: string, given: Partial<LmLimits> = {}): LmLimits {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaultLmLimits, name)) {
      throw invalidRequest(
        model,
        `limits.${name}`,
        value,
        `one of ${Object.keys(defaultLmLimits).join(', ')}`,
      );
    }
    if (typeof value !== 'number' || !(value >= 0)) {
      throw invalidRequest(model, `limits.${name}`, value, 'a number of at least 0');
    }
  }
  return { ...defaultLmLimits, ...given };
}

/** Whether waiting may help. A server's refusal, and a page's own rules, stay. */
function isPassing(reason: string): boolean {
  return !['no-permission', 'mixed-content', 'content-security-policy'].includes(reason);
}
