/** `vivarium/vite`: what a Vite project needs to use the package. Node only. */
import { createReadStream, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Connect, Plugin, PreviewServer, UserConfig, ViteDevServer } from 'vite';

/** How the page is isolated, and where the sandbox's files are. */
export interface VivariumPluginOptions {
  /**
   * `credentialless` (the default) lets the page load files of other origins without their consent, without cookies;
   * `require-corp` is for browsers that lack it.
   */
  readonly embedderPolicy?: 'credentialless' | 'require-corp';
  /** The folder of the sandbox's files; by default the one inside the package. */
  readonly assetFolder?: string;
}

/** Where the sandbox's files are served and emitted, below Vite's `base`. */
export const assetPath = 'vivarium/';

/** Reached by the optimizer through us alone; they hold CommonJS that a browser cannot load file by file. */
const prebundled: readonly string[] = [
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-backend-cpu',
  '@tensorflow/tfjs-backend-wasm',
  '@tensorflow/tfjs-backend-webgpu',
  'comlink',
  'idb',
];

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.zip': 'application/zip',
};

/** The headers under which a page is cross-origin isolated, so that stuck guests can be asked to stop before they are ended. */
export function isolationHeaders(
  embedderPolicy: 'credentialless' | 'require-corp' = 'credentialless',
): Readonly<Record<string, string>> {
  return {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': embedderPolicy,
    'Cross-Origin-Resource-Policy': 'same-origin',
  };
}

/** The policy of a sandbox frame: an opaque origin that runs its own script and can reach nothing. */
export const framePolicy: string = [
  'sandbox allow-scripts',
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  'worker-src blob:',
  "connect-src 'none'",
].join('; ');

/**
 * The headers of one sandbox file. A frame has an opaque origin, so what it loads is of another origin than itself and has to consent.
 */
export function sandboxFileHeaders(
  file: string,
  embedderPolicy: 'credentialless' | 'require-corp' = 'credentialless',
): Readonly<Record<string, string>> {
  return {
    ...isolationHeaders(embedderPolicy),
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Access-Control-Allow-Origin': '*',
    ...(file.endsWith('.html') ? { 'Content-Security-Policy': framePolicy } : {}),
  };
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
}

/** The file below `folder` that a request asks for; nothing outside it is ever answered, and no name of ours needs escapes. */
function toFile(folder: string, base: string, url: string): string | undefined {
  const path = new URL(url, 'http://localhost').pathname;
  if (!path.startsWith(base) || path.includes('%')) return undefined;
  const file = join(folder, path.slice(base.length));
  if (!file.startsWith(folder + sep) || !existsSync(file) || !statSync(file).isFile()) return undefined;
  return file;
}

function serveAssets(
  folder: string,
  base: string,
  headersOf: (file: string) => Readonly<Record<string, string>>,
): Connect.NextHandleFunction {
  return (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void => {
    const file = toFile(folder, base, request.url ?? '/');
    if (file === undefined) return next();
    for (const [name, value] of Object.entries(headersOf(file))) response.setHeader(name, value);
    response.setHeader('Content-Type', contentTypes[extname(file)] ?? 'application/octet-stream');
    response.setHeader('Content-Length', statSync(file).size);
    createReadStream(file).pipe(response);
  };
}

const hostNote = `vivarium: the host of this build must send
  for every file      Cross-Origin-Opener-Policy: same-origin
                      Cross-Origin-Embedder-Policy: credentialless
  for /${assetPath}*       Cross-Origin-Resource-Policy: cross-origin
                      Access-Control-Allow-Origin: *
  for /${assetPath}*.html  Content-Security-Policy: ${framePolicy}
Without them Python still runs, in a frame whose policy is in its own text; a stuck program is then ended instead of asked to stop.`;

/**
 * Makes a Vite project ready for the package: keeps our files and workers where Vite's optimizer would lose them, builds workers as
 * modules, isolates the page in development and preview, and serves or emits the sandbox's files under `/vivarium/`. After a build it
 * prints the headers that a static host must send.
 *
 * ```ts
 * import { defineConfig } from 'vite';
 * import { vivarium } from 'vivarium/vite';
 * export default defineConfig({ plugins: [vivarium()] });
 * ```
 *
 * Throws when the folder of the sandbox's files is not there.
 */
export function vivarium(options: VivariumPluginOptions = {}): Plugin {
  const { embedderPolicy = 'credentialless' } = options;
  const folder = options.assetFolder ?? fileURLToPath(new URL('./assets', import.meta.url));
  if (!existsSync(folder)) throw new Error(`vivarium/vite: assetFolder is "${folder}", which does not exist`);
  let base = `/${assetPath}`;

  const listen = (server: ViteDevServer | PreviewServer): void => {
    server.middlewares.use(serveAssets(folder, base, (file) => sandboxFileHeaders(file, embedderPolicy)));
  };
  return {
    name: 'vivarium',
    config: (config): UserConfig => toUserConfig(config, isolationHeaders(embedderPolicy)),
    configResolved: (config) => {
      base = `${config.base.startsWith('/') ? config.base : '/'}${assetPath}`;
    },
    configureServer: listen,
    configurePreviewServer: listen,
    generateBundle() {
      if (this.environment.name !== 'client') return;
      for (const file of filesUnder(folder)) {
        const path = relative(folder, file).replaceAll(sep, '/');
        this.emitFile({ type: 'asset', fileName: `${assetPath}${path}`, source: readFileSync(file) });
      }
      this.info(hostNote);
    },
  };
}

function toUserConfig(config: UserConfig, headers: Readonly<Record<string, string>>): UserConfig {
  return {
    worker: { format: 'es' },
    optimizeDeps: { exclude: ['vivarium'], include: prebundled.map((name) => `vivarium > ${name}`) },
    server: { headers: { ...headers } },
    preview: { headers: { ...headers } },
    build: {
      // A small file of ours would become a data: address, which a strict policy refuses.
      assetsInlineLimit:
        config.build?.assetsInlineLimit ??
        ((file: string): boolean | undefined => (isOurs(file) ? false : undefined)),
    },
  };
}

function isOurs(file: string): boolean {
  return file.replaceAll(sep, '/').includes('/node_modules/vivarium/');
}
