/** Telemetry of calls: each start is followed by exactly one end or failure. */
import type { CodedError } from '../base/index.ts';
import type { Clock } from '../platform/index.ts';
import type { EventError, Hub, SpanContext, TelemetryEvent } from '../telemetry/index.ts';
import type { LmResponse } from './message.ts';

/** The events of one call. */
export class CallObserver {
  readonly #hub: Hub;
  readonly #clock: Clock;
  readonly #model: string;
  readonly #span: { readonly span?: SpanContext };
  readonly #startMs: number;
  #isEnded = false;

  constructor(hub: Hub, clock: Clock, model: string, span?: SpanContext) {
    this.#hub = hub;
    this.#clock = clock;
    this.#model = model;
    this.#span = span ? { span } : {};
    this.#startMs = clock.monotonic();
    this.#emit({ type: 'lm-start', model });
  }

  retry(attempt: number, delayMs: number, error: CodedError): void {
    this.#emit({ type: 'lm-retry', model: this.#model, attempt, delayMs, error: toEventError(error) });
  }

  end(response: LmResponse): void {
    const { inputTokens, outputTokens } = response.usage;
    this.#finish({
      type: 'lm-end',
      model: this.#model,
      durationMs: this.#durationMs(),
      inputTokens,
      outputTokens,
    });
  }

  fail(error: CodedError): void {
    this.#finish({
      type: 'lm-fail',
      model: this.#model,
      durationMs: this.#durationMs(),
      error: toEventError(error),
    });
  }

  #finish(event: TelemetryEvent): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#emit(event);
  }

  #durationMs(): number {
    return this.#clock.monotonic() - this.#startMs;
  }

  #emit(event: TelemetryEvent): void {
    this.#hub.emit({ ...event, ...this.#span });
  }
}

function toEventError({ code, message }: CodedError): EventError {
  return { code, message };
}
