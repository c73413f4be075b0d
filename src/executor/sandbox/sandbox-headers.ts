/**
 * The headers that keep a guest in, as data. `tools/build-assets.mjs` writes them to `sandbox/headers.json`, which every server reads: the
 * development server, the preview, the tests, any host.
 */

/** Headers of one kind of answer. */
export type Headers = Readonly<Record<string, string>>;

/** What the frame's document may do: run our script, compile wasm, start workers from blobs. No connection of any kind. */
const frameRules: readonly string[] = [
  "default-src 'none'",
  'worker-src blob:',
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
];

/**
 * Answers of `frame.html`. Its one script is named by its hash and not by `'self'`, which would let a guest's worker ask the page's own server
 * for scripts. The `sandbox` rule makes its origin opaque even when somebody opens it directly.
 */
function frameHeaders(scriptHash: string): Headers {
  const script = `script-src '${scriptHash}' 'wasm-unsafe-eval'`;
  return {
    'Content-Security-Policy': ['sandbox allow-scripts', ...frameRules, script].join('; '),
    'Cross-Origin-Embedder-Policy': 'credentialless',
    // the frame's opaque origin is "cross-origin" to everything, its own server included
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'X-Content-Type-Options': 'nosniff',
  };
}

/** Answers of the other files under `sandbox/`. */
const assetHeaders: Headers = {
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'X-Content-Type-Options': 'nosniff',
};

/** Rules for the `srcdoc` frame, for a host that cannot set headers. `nonce` must be new for every frame. */
export function inlineFrameRules(nonce: string): string {
  return [...frameRules, `script-src 'nonce-${nonce}' 'wasm-unsafe-eval'`].join('; ');
}

/** What the page's own policy must hold: it stops a frame from navigating away with what it knows. */
const pageRule = "frame-src 'self'";

/** Headers by the path they belong to; `frame` is more specific than `assets`. */
export interface SandboxHeaders {
  readonly assets: { readonly path: string; readonly headers: Headers };
  readonly frame: { readonly path: string; readonly headers: Headers };
  /** A directive of the page's Content-Security-Policy. Beside it, COOP and COEP make the polite interrupt possible. */
  readonly pageRule: string;
}

/**
 * @param scriptHash of the script inside `frame.html`, as a policy writes it: `sha256-…`
 * @param assetPath where `public/sandbox/` is served; default `/sandbox/`
 */
export function sandboxHeaders(scriptHash: string, assetPath: string = '/sandbox/'): SandboxHeaders {
  return {
    assets: { path: assetPath, headers: assetHeaders },
    frame: { path: `${assetPath}frame.html`, headers: frameHeaders(scriptHash) },
    pageRule,
  };
}
