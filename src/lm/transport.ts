/** The only place of this layer that touches the network: one exchange, its answer read within bounds. */
import { isCodedError, messageOf } from '../base/index.ts';
import type { CodedError } from '../base/index.ts';
import type { CallLimit } from './call-limit.ts';
import { lmError } from './error.ts';
import type { Redact } from './redact.ts';

export interface HttpLimits {
  /** Largest request body. Default 33,554,432 bytes: a prompt beyond it is a mistake. */
  readonly maxRequestBytes: number;
  /** Largest answer, after decompression, streams included. Default 16,777,216 bytes: a server that never stops would fill the memory. */
  readonly maxResponseBytes: number;
  /** How much of an error answer is read. Default 65,536 bytes. */
  readonly maxErrorBytes: number;
  /** Longest wait for the first byte. Default 120,000 ms: a local server may have to load its model first. */
  readonly firstByteTimeoutMs: number;
  /** Longest silence between two pieces of an answer. Default 60,000 ms. */
  readonly idleTimeoutMs: number;
}

export const defaultHttpLimits: HttpLimits = {
  maxRequestBytes: 2 ** 25,
  maxResponseBytes: 2 ** 24,
  maxErrorBytes: 2 ** 16,
  firstByteTimeoutMs: 120_000,
  idleTimeoutMs: 60_000,
};

export interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What every step of an exchange needs. */
export interface HttpContext {
  readonly call: CallLimit;
  readonly limits: HttpLimits;
  readonly redact: Redact;
}

/** Plain fetch, for probes. */
export function httpFetch(url: string, init: RequestInit): Promise<Response> {
  return fetch(url, init);
}

/** Posts JSON and answers at the response's head, whatever its status. Throws what fetch threw, or the call's own end. */
export async function postJson(context: HttpContext, request: HttpRequest): Promise<Response> {
  const { call, limits } = context;
  call.check();
  const sizeBytes = new TextEncoder().encode(request.body).byteLength;
  if (sizeBytes > limits.maxRequestBytes) {
    throw lmError('lm/invalid-request', `the request has ${sizeBytes} bytes, more than maxRequestBytes`, {
      model: call.model,
      more: { sizeBytes, maxRequestBytes: limits.maxRequestBytes },
    });
  }
  const exchange = fetch(request.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...request.headers },
    body: request.body,
    // a redirect would turn the POST into a GET, or carry the prompt to a place that nobody named
    redirect: 'manual',
    cache: 'no-store',
    referrerPolicy: 'no-referrer',
    signal: call.signal,
  });
  return await call.within(limits.firstByteTimeoutMs, 'first-byte', exchange);
}

/** The body piece by piece. Leaving early closes the connection. Errors: `lm/response-invalid`, `lm/network`, `lm/timeout`, `lm/cancelled`. */
export async function* readChunks(
  context: HttpContext,
  response: Response,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { call, limits } = context;
  if (!response.body) return;
  const reader = response.body.getReader();
  let sizeBytes = 0;
  try {
    for (;;) {
      const isFirst = sizeBytes === 0;
      const timeoutMs = isFirst ? limits.firstByteTimeoutMs : limits.idleTimeoutMs;
      const piece = await call.within(timeoutMs, isFirst ? 'first-byte' : 'idle', reader.read());
      if (piece.done) return;
      sizeBytes += piece.value.byteLength;
      if (sizeBytes > limits.maxResponseBytes) throw tooLarge(context);
      yield piece.value;
    }
  } catch (thrown) {
    throw isCodedError(thrown) ? thrown : brokenConnection(context, thrown);
  } finally {
    // also after a timeout: whoever waits for nothing must not hold a connection
    reader.cancel().catch(() => undefined);
  }
}

/** The whole body as text. */
export async function readText(context: HttpContext, response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of readChunks(context, response)) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

/** The beginning of an error answer; what cannot be read is left out, for the status says enough. */
export async function readErrorText(context: HttpContext, response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let sizeBytes = 0;
  try {
    for await (const chunk of readChunks(context, response)) {
      text += decoder.decode(chunk, { stream: true });
      sizeBytes += chunk.byteLength;
      if (sizeBytes >= context.limits.maxErrorBytes) break;
    }
  } catch (thrown) {
    if (isCodedError(thrown, 'lm/cancelled')) throw thrown;
  }
  return text;
}

/** What fetch or a stream threw, with its nested causes, without secrets. Node hides the real cause one level down. */
export function redactedCause(redact: Redact, thrown: unknown): Error {
  const inner = thrown instanceof Error && thrown.cause !== undefined ? `: ${messageOf(thrown.cause)}` : '';
  return new Error(redact(messageOf(thrown) + inner));
}

function tooLarge({ call, limits }: HttpContext): CodedError {
  const { maxResponseBytes } = limits;
  return lmError('lm/response-invalid', `the answer is larger than ${maxResponseBytes} bytes`, {
    model: call.model,
    reason: 'too-large',
    more: { maxResponseBytes },
  });
}

function brokenConnection({ call, redact }: HttpContext, thrown: unknown): CodedError {
  return lmError('lm/network', 'the connection broke in the middle of the answer', {
    model: call.model,
    reason: 'connection-broken',
    cause: redactedCause(redact, thrown),
  });
}
