/**
 * Why a request from a page got no answer. A browser hides the cause of a failed cross-origin fetch, but two probes tell
 * it apart in most pages: one that needs the server's permission (CORS) and one that needs none.
 */
import { systemClock } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import { httpFetch } from './transport.ts';

export interface Reachability {
  readonly code: 'lm/cors-refused' | 'lm/network' | 'lm/unreachable-or-cors';
  /** `no-permission`, `no-answer`, `answers-now`, `offline`, `mixed-content`, `content-security-policy` or `embedder-policy`. */
  readonly reason: string;
  /** One plain sentence on what to do. */
  readonly advice: string;
}

export interface DiagnoseOptions {
  /** Names of the headers that the failed request carried: a server may permit the page and yet refuse a header. */
  readonly headerNames?: readonly string[];
  /** Longest wait for each probe. Default 5,000 ms. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

const defaultProbeTimeoutMs = 5000;
/** Browsers report a violation in a later task than the failed fetch. */
const violationReportMs = 50;

/**
 * Finds out why a fetch of `url` failed. Probes carry no key. It never throws: what cannot be told is `lm/unreachable-or-cors`.
 *
 * - `lm/cors-refused`: the server is there, but does not let this page read its answers.
 * - `lm/network`: no server answers at that address, or the page itself may not go there.
 * - `lm/unreachable-or-cors`: a page under `Cross-Origin-Embedder-Policy: require-corp` cannot tell these apart.
 */
export async function diagnoseUnreachable(url: string, options: DiagnoseOptions = {}): Promise<Reachability> {
  if (!isHttpAddress(url)) return noAnswer('that is no whole address, such as http://localhost:11434/v1');
  if (!isCrossOrigin(url)) return noAnswer('nothing answers at that address');
  if (isMixedContent(url)) return mixedContent;
  if (typeof navigator === 'object' && navigator.onLine === false && !isLoopback(url)) return offline;
  const probe = new Probe(url, options);
  const policy = watchContentSecurityPolicy(url);
  try {
    if (await probe.canRead()) return answersNow;
    if (await probe.canReach()) return corsRefused(url);
    await probe.pause(violationReportMs);
    if (policy.isViolated()) return refusedByPage;
    return (await probe.embedderPolicy()) === 'tells' ? noAnswer(addressAdvice(url)) : cannotTell(url);
  } finally {
    policy.stop();
  }
}

class Probe {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;

  constructor(url: string, options: DiagnoseOptions) {
    this.#url = url;
    this.#headers = Object.fromEntries((options.headerNames ?? []).map((name) => [name, 'probe']));
    this.#clock = options.clock ?? systemClock;
    this.#timeoutMs = options.timeoutMs ?? defaultProbeTimeoutMs;
    this.#signal = options.signal;
  }

  /** Whether the server lets this page read an answer, with the same header names as the failed request. */
  canRead(): Promise<boolean> {
    return this.#settles(this.#url, { headers: this.#headers });
  }

  /** Whether anything answers there. The answer is opaque, so no permission is needed. */
  canReach(): Promise<boolean> {
    return this.#settles(this.#url, { mode: 'no-cors' });
  }

  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(delayMs, resolve));
  }

  /** `require-corp` blocks the probe that needs no permission, so its failure then says nothing. A page can read its own header. */
  async embedderPolicy(): Promise<'tells' | 'hides'> {
    let policy: string | null = 'unknown';
    await this.#settles(location.href, { method: 'HEAD' }, (response) => {
      policy = response.headers.get('cross-origin-embedder-policy');
    });
    return policy === null || /^\s*(credentialless|unsafe-none)\b/.test(policy) ? 'tells' : 'hides';
  }

  async #settles(url: string, init: RequestInit, read?: (response: Response) => void): Promise<boolean> {
    const controller = new AbortController();
    const stop = (): void => controller.abort();
    const cancelTimer = this.#clock.after(this.#timeoutMs, stop);
    this.#signal?.addEventListener('abort', stop, { once: true });
    if (this.#signal?.aborted) stop();
    try {
      const shared: RequestInit = { credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer' };
      const response = await httpFetch(url, { ...shared, ...init, signal: controller.signal });
      read?.(response);
      return true;
    } catch {
      return false;
    } finally {
      cancelTimer();
      this.#signal?.removeEventListener('abort', stop);
      controller.abort();
    }
  }
}

function watchContentSecurityPolicy(url: string): { isViolated: () => boolean; stop: () => void } {
  let isViolated = false;
  const { origin } = new URL(url);
  const onViolation = (event: Event): void => {
    isViolated ||= 'blockedURI' in event && String(event.blockedURI).startsWith(origin);
  };
  globalThis.addEventListener('securitypolicyviolation', onViolation);
  return {
    isViolated: () => isViolated,
    stop: () => globalThis.removeEventListener('securitypolicyviolation', onViolation),
  };
}

/** `localhost:11434/v1` is an address too, but of the scheme `localhost`. */
function isHttpAddress(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/** False outside browsers: there no other origin has a say. */
function isCrossOrigin(url: string): boolean {
  return typeof location === 'object' && location.origin !== new URL(url).origin;
}

function isLoopback(url: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
}

function isMixedContent(url: string): boolean {
  return (
    isSecureContext && location.origin.startsWith('https:') && url.startsWith('http:') && !isLoopback(url)
  );
}

const answersNow: Reachability = {
  code: 'lm/network',
  reason: 'answers-now',
  advice: 'the server answers this page, so the connection broke by chance; try again',
};
const offline: Reachability = {
  code: 'lm/network',
  reason: 'offline',
  advice: 'this machine is offline',
};
const mixedContent: Reachability = {
  code: 'lm/network',
  reason: 'mixed-content',
  advice:
    'a page from https may not call http addresses: serve the endpoint over https, or open the page from localhost',
};
const refusedByPage: Reachability = {
  code: 'lm/network',
  reason: 'content-security-policy',
  advice: "this page's Content-Security-Policy does not allow that address: add it to connect-src",
};

function noAnswer(advice: string): Reachability {
  return { code: 'lm/network', reason: 'no-answer', advice };
}

function addressAdvice(url: string): string {
  return `nothing answers at ${new URL(url).origin}: is the server running, and is the address right?`;
}

function corsRefused(url: string): Reachability {
  return { code: 'lm/cors-refused', reason: 'no-permission', advice: permissionAdvice(url) };
}

function cannotTell(url: string): Reachability {
  return {
    code: 'lm/unreachable-or-cors',
    reason: 'embedder-policy',
    advice: `either nothing answers at ${new URL(url).origin}, or ${permissionAdvice(url)}`,
  };
}

/** What the person who runs the server has to do; the ports and hosts are the products' documented defaults. */
function permissionAdvice(url: string): string {
  const { hostname, port } = new URL(url);
  const page = location.origin;
  if (port === '11434') return `Ollama refuses this page: start it with OLLAMA_ORIGINS=${page}`;
  if (port === '1234') return 'LM Studio refuses this page: switch CORS on in its server settings';
  if (hostname.endsWith('anthropic.com')) {
    return 'Anthropic refuses pages unless the header anthropic-dangerous-direct-browser-access: true is sent';
  }
  return (
    `the server does not permit this page to read its answers: it must send Access-Control-Allow-Origin: ${page} ` +
    'and allow the headers authorization and content-type, or be called through a proxy on the origin of the page'
  );
}
