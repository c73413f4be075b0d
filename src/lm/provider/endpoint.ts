/** Where requests go and with what: options of a person, checked before the first call. */
import { hiddenValue, invalidRequest } from '../error.ts';

export interface EndpointOptions {
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface Endpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What must not appear in any message. */
  readonly secrets: readonly string[];
}

/** Headers and queries also hold words such as `true`, which no message may lose. */
const minOtherSecretChars = 8;

const path = '/chat/completions';

/** Throws `lm/invalid-request`. Values that may be secret are never shown: not the key, not a header, not a query. */
export function toEndpoint(options: EndpointOptions): Endpoint {
  const { model, apiKey = '' } = options;
  if (typeof model !== 'string' || model.trim() === '') {
    throw invalidRequest('no model', 'model', model, 'the name of a model');
  }
  // fetch would put an illegal key into the text of its own error
  if (!/^[\x21-\x7e]*$/.test(apiKey)) {
    throw invalidRequest(model, 'apiKey', hiddenValue, 'visible ASCII characters without spaces');
  }
  const headers = checkHeaders(model, options.headers ?? {}, apiKey !== '');
  const url = toUrl(model, options.baseUrl);
  const others = [...Object.values(headers), ...url.searchParams.values()];
  return {
    url: url.href,
    headers: apiKey === '' ? headers : { ...headers, authorization: `Bearer ${apiKey}` },
    secrets: [apiKey, ...others.filter((value) => value.length >= minOtherSecretChars)],
  };
}

function toUrl(model: string, baseUrl: string): URL {
  const expected = 'an http or https address without user name and password';
  const base = typeof location === 'object' && location.origin !== 'null' ? location.origin : undefined;
  // an address that cannot be read may be a key in the wrong field
  if (!URL.canParse(baseUrl, base)) throw invalidRequest(model, 'baseUrl', hiddenValue, expected);
  const url = new URL(baseUrl, base);
  if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw invalidRequest(model, 'baseUrl', hiddenValue, expected);
  }
  url.hash = '';
  const trimmed = url.pathname.replace(/\/+$/, '');
  url.pathname = trimmed.endsWith(path) ? trimmed : trimmed + path;
  return url;
}

function checkHeaders(
  model: string,
  given: Readonly<Record<string, string>>,
  hasKey: boolean,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    const lower = name.toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(lower)) {
      throw invalidRequest(model, 'headers', name, 'names of letters, digits and dashes');
    }
    if (typeof value !== 'string' || !/^[\x20-\x7e]*$/.test(value)) {
      throw invalidRequest(model, `headers.${lower}`, hiddenValue, 'a text of visible ASCII characters');
    }
    if (lower === 'content-type' || (lower === 'authorization' && hasKey)) {
      throw invalidRequest(model, `headers.${lower}`, hiddenValue, 'no such header: it is set by the call');
    }
    headers[lower] = value;
  }
  return headers;
}
