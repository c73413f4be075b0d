/** A tool that reaches the network for a guest, as far as the executor's policy goes. */
import { CodedError, messageOf } from '../../base/index.ts';
import { readWhole } from '../../platform/index.ts';
import type { GuestValue } from '../guest-value.ts';
import type { Tool, ToolCall } from '../tool.ts';
import { decide } from './decide.ts';

/** How a tool of {@link createFetchTool} reaches the network. */
export interface FetchToolOptions {
  /** The platform's `fetch`, or one of the caller's. It must honour `redirect`, `credentials` and `signal`. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Of one answer's body; default 512 KiB, below `limits.toolResultBytes`. */
  readonly maxResponseBytes?: number;
  /** Of one request's body; default 512 KiB. */
  readonly maxRequestBytes?: number;
}

const defaultBytes = 512 * 1024;
const maxHeaders = 32;
const maxHeaderLength = 8192;
const maxUrlLength = 8192;

/** What a guest may say about itself; nothing that names the page, proves who it is, or changes how the request is read. */
const allowedHeaders = new Set(['accept', 'accept-language', 'content-type']);

function invalid(field: string, expected: string): CodedError {
  return new CodedError('executor/tool-arguments-invalid', `${field}: expected ${expected}`, {
    fields: { field, expected },
  });
}

/**
 * Called as `fetch(url, method="GET", headers={}, body=None)`; answers `{ status, headers, body }` with the body as bytes. Origin and method must be
 * in the policy's `network`, else the run ends as `denied`. No credentials and no referrer go along, of the headers only `Accept`, `Accept-Language` and
 * `Content-Type`. A redirect is refused: the platform does not show where it leads before it goes there. In the guest it fails with
 * `executor/tool-arguments-invalid`, or `executor/fetch-failed` for a network, a redirect or an answer that is too large.
 */
export function createFetchTool(options: FetchToolOptions): Tool {
  return {
    parameters: ['url', 'method', 'headers', 'body'],
    call: (call) => fetchFor(call, options),
  };
}

async function fetchFor({ named, policy, signal }: ToolCall, options: FetchToolOptions): Promise<GuestValue> {
  const { maxResponseBytes = defaultBytes, maxRequestBytes = defaultBytes } = options;
  const url = readUrl(named['url']);
  const method = readMethod(named['method'] ?? 'GET');
  const { isAllowed, rule } = decide(policy, { permission: 'network', origin: url.origin, method });
  if (!isAllowed) {
    const name = `${method} ${url.origin}`;
    throw new CodedError('executor/denied', `the policy denies ${name}`, {
      fields: { permission: 'network', name, rule },
    });
  }
  const body = readBody(named['body'] ?? null, maxRequestBytes);
  const init: RequestInit = {
    method,
    headers: readHeaders(named['headers'] ?? null),
    body,
    signal,
    credentials: 'omit',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
    cache: 'no-store',
  };
  try {
    const response = await options.fetch(url.href, init);
    // for a fetch of the caller's that follows all the same
    if (response.redirected || response.type === 'opaqueredirect') throw new Error('the server redirects');
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await readWhole(response.body, (sizeBytes) => {
        if (sizeBytes > maxResponseBytes)
          throw new Error(`the answer has more than ${maxResponseBytes} bytes`);
      }),
    };
  } catch (error) {
    throw new CodedError('executor/fetch-failed', `${method} ${url.origin}: ${messageOf(error)}`, {
      fields: { origin: url.origin, method },
      cause: error,
    });
  }
}

function readUrl(value: unknown): URL {
  const isText = typeof value === 'string' && value.length <= maxUrlLength && URL.canParse(value);
  const url = isText ? new URL(value) : undefined;
  if (!url || !/^https?:$/u.test(url.protocol) || url.username || url.password) {
    throw invalid('url', 'a whole address of http or https without a user');
  }
  return url;
}

function readMethod(value: unknown): string {
  if (typeof value === 'string' && /^[A-Za-z]{1,20}$/u.test(value)) return value.toUpperCase();
  throw invalid('method', 'a method such as "GET"');
}

function readHeaders(value: unknown): Headers {
  const headers = new Headers();
  if (value === null) return headers;
  const expected = `an object of at most ${maxHeaders} texts under ${[...allowedHeaders].join(', ')}`;
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid('headers', expected);
  const entries = Object.entries(value as Record<string, unknown>);
  if (entries.length > maxHeaders) throw invalid('headers', expected);
  for (const [name, text] of entries) {
    const isSound =
      typeof text === 'string' && text.length <= maxHeaderLength && /^[\t\x20-\x7e]*$/u.test(text);
    if (!isSound || !allowedHeaders.has(name.toLowerCase())) throw invalid('headers', expected);
    headers.set(name, text);
  }
  return headers;
}

function readBody(value: unknown, maxBytes: number): Uint8Array<ArrayBuffer> | null {
  if (value === null) return null;
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  if (bytes instanceof Uint8Array && bytes.length <= maxBytes) return new Uint8Array(bytes);
  throw invalid('body', `text or at most ${maxBytes} bytes`);
}
