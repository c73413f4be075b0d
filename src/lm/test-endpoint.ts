/** "Test this endpoint": one small call and one small stream, and what their outcome says about each link of the chain. */
import { isCodedError, messageOf } from '../base/index.ts';
import type { ErrorCode } from '../base/index.ts';
import { systemClock } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import type { LmErrorCode } from './error.ts';
import type { LanguageModel, LmCallOptions } from './language-model.ts';
import type { LmRequest } from './message.ts';

/** `unknown`: an earlier link failed, so this one was not reached. */
export type EndpointVerdict = 'ok' | 'failed' | 'unknown';

export interface EndpointReport {
  readonly model: string;
  readonly isScripted: boolean;
  /** Whether a server answers at the address. */
  readonly reachable: EndpointVerdict;
  /** Whether it lets this page read its answers. */
  readonly cors: EndpointVerdict;
  /** Whether it takes the key. */
  readonly auth: EndpointVerdict;
  /** Whether it knows the model. */
  readonly modelKnown: EndpointVerdict;
  /** Whether its answer is a chat completion. */
  readonly answer: EndpointVerdict;
  /** Whether it streams: `failed` means that answers come in one piece or not at all. */
  readonly streaming: EndpointVerdict;
  /** From the call to the whole answer; null when there was none. */
  readonly latencyMs: number | null;
  /** From the call to the first streamed piece; null when there was none. */
  readonly firstTextMs: number | null;
  /** The model's own name for itself; null when it did not answer. */
  readonly answeredBy: string | null;
  /** The first failure: its code, and its message with what to do. `lm/unexpected`: the model threw something without a code. */
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
}

export interface TestEndpointOptions extends LmCallOptions {
  readonly clock?: Clock | undefined;
}

const defaultTimeoutMs = 30_000;

const smallRequest: LmRequest = {
  messages: [{ role: 'user', content: 'Count from one to five, in words.' }],
  // room for models that think first; others end by themselves long before
  config: { maxTokens: 512 },
};

/** Never throws: every failure is in the report. `timeoutMs` bounds each of the two calls; default 30,000. */
export async function testEndpoint(
  model: LanguageModel,
  options: TestEndpointOptions = {},
): Promise<EndpointReport> {
  const { clock = systemClock, timeoutMs = defaultTimeoutMs, signal, span } = options;
  const call: LmCallOptions = { timeoutMs, signal, span };
  const report = { model: model.model, isScripted: model.isScripted };
  const startMs = clock.monotonic();
  try {
    const response = await model.generate(smallRequest, call);
    const latencyMs = clock.monotonic() - startMs;
    const streamed = await testStream(model, call, clock);
    return { ...report, ...allOk, ...streamed, latencyMs, answeredBy: response.model };
  } catch (thrown) {
    return { ...report, ...allUnknown, ...verdictsOf(thrown), ...nothingMeasured, error: toError(thrown) };
  }
}

type Links = Pick<EndpointReport, 'reachable' | 'cors' | 'auth' | 'modelKnown' | 'answer'>;

const allOk: Links = { reachable: 'ok', cors: 'ok', auth: 'ok', modelKnown: 'ok', answer: 'ok' };
const allUnknown: Links & Pick<EndpointReport, 'streaming'> = {
  reachable: 'unknown',
  cors: 'unknown',
  auth: 'unknown',
  modelKnown: 'unknown',
  answer: 'unknown',
  streaming: 'unknown',
};
const nothingMeasured = { latencyMs: null, firstTextMs: null, answeredBy: null };

/** The links that a failure proves sound, and the one that it proves broken. */
const verdicts: Readonly<Record<string, Partial<Links>>> = {
  'lm/network': { reachable: 'failed' },
  'lm/cors-refused': { reachable: 'ok', cors: 'failed' },
  'lm/auth': { reachable: 'ok', cors: 'ok', auth: 'failed' },
  'lm/billing': { reachable: 'ok', cors: 'ok', auth: 'ok', answer: 'failed' },
  'lm/rate-limited': { reachable: 'ok', cors: 'ok', answer: 'failed' },
  'lm/model-not-found': { reachable: 'ok', cors: 'ok', auth: 'ok', modelKnown: 'failed' },
  'lm/invalid-request': { reachable: 'ok', cors: 'ok', auth: 'ok', answer: 'failed' },
  'lm/context-window-exceeded': {
    reachable: 'ok',
    cors: 'ok',
    auth: 'ok',
    modelKnown: 'ok',
    answer: 'failed',
  },
  'lm/response-invalid': { reachable: 'ok', cors: 'ok', answer: 'failed' },
  'lm/server': { reachable: 'ok', cors: 'ok', answer: 'failed' },
  'lm/script-exhausted': { ...allOk, answer: 'failed' },
  'lm/script-failed': { ...allOk, answer: 'failed' },
};

function verdictsOf(thrown: unknown): Partial<Links> {
  return isCodedError(thrown) ? (verdicts[thrown.code] ?? {}) : {};
}

async function testStream(
  model: LanguageModel,
  call: LmCallOptions,
  clock: Clock,
): Promise<Pick<EndpointReport, 'streaming' | 'firstTextMs' | 'error'>> {
  const startMs = clock.monotonic();
  let firstTextMs: number | null = null;
  let pieces = 0;
  try {
    for await (const part of model.stream(smallRequest, call)) {
      if (part.type !== 'text-delta') continue;
      firstTextMs ??= clock.monotonic() - startMs;
      pieces += 1;
    }
    return { streaming: streamingOf(pieces), firstTextMs, error: null };
  } catch (thrown) {
    return { streaming: 'failed', firstTextMs, error: toError(thrown) };
  }
}

/** A model that thought until its limit sent no text, which says nothing about streaming. */
function streamingOf(pieces: number): EndpointVerdict {
  if (pieces === 0) return 'unknown';
  return pieces > 1 ? 'ok' : 'failed';
}

function toError(thrown: unknown): EndpointReport['error'] {
  const unexpected: LmErrorCode = 'lm/unexpected';
  return { code: isCodedError(thrown) ? thrown.code : unexpected, message: messageOf(thrown) };
}
