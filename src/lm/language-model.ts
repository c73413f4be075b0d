/** The one interface to language models. Its laws are in `language-model.contract.ts`. */
import type { SpanContext } from '../telemetry/index.ts';
import type { LmRequest, LmResponse, LmStreamPart } from './message.ts';

export interface LmCallOptions {
  /** Ends the call with `lm/cancelled`. */
  readonly signal?: AbortSignal | undefined;
  /** The whole call, retries and stream included; after it the call ends with `lm/timeout`. Default: the model's own limit. */
  readonly timeoutMs?: number | undefined;
  /** The span that the call's telemetry events carry. */
  readonly span?: SpanContext | undefined;
}

/** Every call ends: with a response or with an `lm/…` error. Calls are independent of each other. */
export interface LanguageModel {
  /** The name that people see, such as `gpt-4o-mini`; scripted models begin with `scripted/`. */
  readonly model: string;
  /** True when the answers were written beforehand. Interfaces must say so. */
  readonly isScripted: boolean;
  generate(request: LmRequest, options?: LmCallOptions): Promise<LmResponse>;
  /** Nothing is sent before the first read. Leaving the loop early closes the connection. */
  stream(request: LmRequest, options?: LmCallOptions): AsyncIterable<LmStreamPart>;
}
