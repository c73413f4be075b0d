/** What a server's refusal means. */
import type { CodedError } from '../../base/index.ts';
import { lmError } from '../error.ts';
import type { LmErrorCode } from '../error.ts';
import type { Redact } from '../redact.ts';

export interface Refusal {
  readonly model: string;
  readonly status: number;
  /** The body as text; may be anything. */
  readonly body: string;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly redact: Redact;
}

interface Complaint {
  readonly message: string;
  readonly providerCode: string | undefined;
}

const maxMessageChars = 500;

/** An HTTP answer that is not 2xx, as a typed error. */
export function toRefusalError(refusal: Refusal): CodedError {
  const { model, status, requestId, retryAfterMs, redact } = refusal;
  const complaint = readComplaint(refusal.body, redact);
  const code = classify(status, complaint);
  const said = complaint.message === '' ? '' : `: ${complaint.message}`;
  return lmError(code, `${explain(code, status)}${said}`, {
    model,
    status,
    providerCode: complaint.providerCode,
    requestId: requestId === undefined ? undefined : redact(requestId),
    retryAfterMs,
    isRetryable: code === 'lm/server' ? status !== 501 : undefined,
  });
}

/** An error that a server sent inside a 200 answer or a stream. */
export function toStreamedError(model: string, value: unknown, redact: Redact): CodedError {
  const complaint = readComplaint(JSON.stringify({ error: value }), redact);
  const inner = isObject(value) ? Number(value['code'] ?? value['status']) : Number.NaN;
  const status = Number.isInteger(inner) && inner >= 400 && inner < 600 ? inner : undefined;
  const code = status === undefined ? classifyText(complaint) : classify(status, complaint);
  return lmError(code ?? 'lm/server', `the server reported an error: ${complaint.message}`, {
    model,
    status,
    providerCode: complaint.providerCode,
  });
}

const byStatus: ReadonlyMap<number, LmErrorCode> = new Map<number, LmErrorCode>([
  [401, 'lm/auth'],
  [402, 'lm/billing'],
  [403, 'lm/auth'],
  [404, 'lm/model-not-found'],
  [408, 'lm/timeout'],
  [429, 'lm/rate-limited'],
]);

function classify(status: number, complaint: Complaint): LmErrorCode {
  const byText = status < 500 ? classifyText(complaint) : undefined;
  if (byText !== undefined) return byText;
  const known = byStatus.get(status);
  if (known) return known;
  return status >= 500 ? 'lm/server' : 'lm/invalid-request';
}

/** Some causes share a status with others; the provider's words tell them apart. */
function classifyText({ message, providerCode = '' }: Complaint): LmErrorCode | undefined {
  if (/context_length_exceeded|exceed_context_size/.test(providerCode)) return 'lm/context-window-exceeded';
  if (
    /maximum context length|context (window|size|length) (is )?exceed|exceeds the .*context|prompt is too long/i.test(
      message,
    )
  ) {
    return 'lm/context-window-exceeded';
  }
  if (/insufficient_quota|billing/.test(providerCode)) return 'lm/billing';
  return providerCode === 'model_not_found' ? 'lm/model-not-found' : undefined;
}

const explanations: Partial<Record<LmErrorCode, string>> = {
  'lm/auth': 'the server refused the key',
  'lm/billing': 'the account cannot pay for the call',
  'lm/context-window-exceeded': 'the prompt is longer than the model can read',
  'lm/model-not-found': 'the server does not know this model, or nothing is at that base URL',
  'lm/rate-limited': 'too many requests',
  'lm/server': 'the server failed',
  'lm/timeout': 'the server gave up waiting',
};

function explain(code: LmErrorCode, status: number): string {
  if (isRedirect(status)) return 'the server redirects; give the final address as base URL';
  return `${explanations[code] ?? 'the server refused the request'} (${status})`;
}

/** 0 is how a browser shows a redirect that it was told not to follow. */
function isRedirect(status: number): boolean {
  return status === 0 || (status >= 300 && status < 400);
}

function readComplaint(body: string, redact: Redact): Complaint {
  const parsed = tryParse(body);
  const root = isObject(parsed) ? parsed : {};
  const error = root['error'] ?? root;
  const detail = isObject(error) ? error : {};
  const message = firstText([error, detail['message'], root['message'], root['detail']]);
  const providerCode = firstText([detail['code'], detail['type']]);
  return {
    message: abbreviate(redact(message ?? (isObject(parsed) ? '' : body.trim()))),
    providerCode: providerCode === undefined ? undefined : abbreviate(redact(providerCode)),
  };
}

function firstText(candidates: readonly unknown[]): string | undefined {
  return candidates.find((value): value is string => typeof value === 'string' && value !== '');
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Cut after redaction: a cut through a secret would leave half of it. */
function abbreviate(text: string): string {
  return text.length > maxMessageChars ? `${text.slice(0, maxMessageChars)}…` : text;
}
