/** `vivarium/vite`: what a Vite project needs to use the package. Node only. */
import { createReadStream, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname, extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Connect, Plugin, PreviewServer, UserConfig, ViteDevServer } from 'vite';

/** How the page is isolated, and where the sandbox's files are. */
export interface VivariumPluginOptions {
  /**
   * `credentialless` (the default) lets the page load files of other origins without their consent, without cookies;
   * `require-corp` is for browsers that lack it.
   */
  readonly embedderPolicy?: EmbedderPolicy;
  /** The folder of the sandbox's files; by default the one inside the package. */
  readonly assetFolder?: string;
  /** The folder is filled by a build step of yours that may run after the server has started; until then its files are not found. Default false. */
  readonly isFilledLater?: boolean;
}

/** The values of Cross-Origin-Embedder-Policy under which a page is isolated. */
export type EmbedderPolicy = 'credentialless' | 'require-corp';

type Headers = Readonly<Record<string, string>>;

/** What `headers.json` beside the sandbox's files says: `frame` is more specific than `assets`. */
interface AssetRules {
  readonly assets: { readonly path: string; readonly headers: Headers };
  readonly frame: { readonly path: string; readonly headers: Headers };
  /** What the policy of the page that holds the frame must say. */
  readonly pageRule: string;
}

/**
 * Reached by the optimizer through us alone. Some hold CommonJS that a browser cannot load file by file; others are first needed while a
 * page runs, which Vite would reload when it found them then.
 */
const prebundled: readonly string[] = [
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-backend-cpu',
  '@tensorflow/tfjs-backend-wasm',
  '@tensorflow/tfjs-backend-webgpu',
  'comlink',
  'idb',
  'msgpackr/pack',
  'msgpackr/unpack',
  '@bufbuild/protobuf',
  '@bufbuild/protobuf/wire',
  '@bufbuild/protobuf/wkt',
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
export function isolationHeaders(embedderPolicy: EmbedderPolicy = 'credentialless'): Headers {
  return {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': embedderPolicy,
    'Cross-Origin-Resource-Policy': 'same-origin',
  };
}

function isRule(value: unknown): value is AssetRules['assets'] {
  if (typeof value !== 'object' || value === null) return false;
  const { path, headers } = value as Partial<AssetRules['assets']>;
  return typeof path === 'string' && path.startsWith('/') && typeof headers === 'object' && headers !== null;
}

function rulesFile(folder: string): string {
  return join(folder, 'headers.json');
}

function readRules(folder: string): AssetRules {
  const file = rulesFile(folder);
  if (!existsSync(file))
    throw new Error(`vivarium/vite: assetFolder is "${folder}", which holds no headers.json`);
  const { assets, frame, pageRule } = JSON.parse(readFileSync(file, 'utf8')) as Partial<AssetRules>;
  if (!isRule(assets) || !isRule(frame) || typeof pageRule !== 'string')
    throw new Error(
      `vivarium/vite: ${file} must give a path and headers for assets and frame, and a pageRule as text`,
    );
  return { assets, frame, pageRule };
}

/** Headers of one sandbox file. A frame has an opaque origin: whatever it loads is of another origin than itself and must consent. */
function headersOf(path: string, rules: AssetRules, embedderPolicy: EmbedderPolicy): Headers {
  const own = path === rules.frame.path ? rules.frame.headers : rules.assets.headers;
  return { ...own, 'Cross-Origin-Embedder-Policy': embedderPolicy, 'Access-Control-Allow-Origin': '*' };
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
}

/** The file below `folder` that `path` names; nothing outside it is ever answered, and no name of ours needs escapes. */
function toFile(folder: string, path: string): string | undefined {
  if (path.includes('%')) return undefined;
  const file = join(folder, path);
  if (!file.startsWith(folder + sep) || !existsSync(file) || !statSync(file).isFile()) return undefined;
  return file;
}

/** What `peers.json` beside the sandbox's files lists: files that a package has which only those install who want them. */
interface Peer {
  readonly package: string;
  /** Our other files were made from this one. */
  readonly version: string;
  /** By their paths here, their paths in the package. */
  readonly files: Readonly<Record<string, string>>;
}

/** Where the project has the package. */
function findPackage(name: string, root: string): string | undefined {
  const folder = join(root, 'node_modules', name);
  if (existsSync(join(folder, 'package.json'))) return folder;
  return dirname(root) === root ? undefined : findPackage(name, dirname(root));
}

/** Files of packages that the project has, by the path at which they are served. Those of another version would not fit. */
function findPeerFiles(
  folder: string,
  root: string,
  warn: (text: string) => void,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const list = join(folder, 'peers.json');
  const peers = existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as readonly Peer[]) : [];
  for (const peer of peers) {
    const place = findPackage(peer.package, root);
    if (place === undefined) continue;
    const { version } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as { version: string };
    if (version !== peer.version) {
      const files = Object.keys(peer.files).join(' and ');
      warn(
        `vivarium: ${files} must be of ${peer.package} ${peer.version}, found ${version}: they are left out`,
      );
      continue;
    }
    for (const [path, file] of Object.entries(peer.files)) found.set(path, join(place, file));
  }
  return found;
}

interface Assets {
  readonly folder: string;
  readonly peerFiles: ReadonlyMap<string, string>;
  readonly embedderPolicy: EmbedderPolicy;
  /** The server's `base`, as a path with slashes around it. */
  readonly basePath: string;
}

/** A build may have a whole address as its base, or a relative one: then the files are below the page's own folder. */
function toBasePath(base: string): string {
  return new URL(base, 'http://localhost').pathname;
}

function serveAssets({ folder, peerFiles, embedderPolicy, basePath }: Assets): Connect.NextHandleFunction {
  return (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void => {
    if (!existsSync(rulesFile(folder))) return next();
    // read anew: files that are built again may need other headers, and the frame's policy names its script by hash
    const rules = readRules(folder);
    const { pathname: asked } = new URL(request.url ?? '/', 'http://localhost');
    if (!asked.startsWith(basePath)) return next();
    // Vite takes its base off behind us
    const pathname = asked.slice(basePath.length - 1);
    if (!pathname.startsWith(rules.assets.path)) return next();
    const path = pathname.slice(rules.assets.path.length);
    const file = toFile(folder, path) ?? peerFiles.get(path);
    if (file === undefined) return next();
    for (const [name, value] of Object.entries(headersOf(pathname, rules, embedderPolicy)))
      response.setHeader(name, value);
    const { size, mtimeMs } = statSync(file);
    const tag = `"${size}-${Math.round(mtimeMs)}"`;
    response.setHeader('Cache-Control', 'no-cache');
    response.setHeader('ETag', tag);
    if (request.headers['if-none-match'] === tag) {
      response.statusCode = 304;
      return void response.end();
    }
    response.setHeader('Content-Type', contentTypes[extname(file)] ?? 'application/octet-stream');
    response.setHeader('Content-Length', size);
    if (request.method === 'HEAD') response.end();
    else createReadStream(file).pipe(response);
  };
}

function toHostNote(
  rules: AssetRules,
  { embedderPolicy, basePath }: Pick<Assets, 'embedderPolicy' | 'basePath'>,
): string {
  const { assets, frame, pageRule } = rules;
  const below = (path: string): string => `${basePath}${path.slice(1)}`;
  const show = (title: string, headers: Headers): string[] => [
    `  ${title}`,
    ...Object.entries(headers).map(([name, value]) => `    ${name}: ${value}`),
  ];
  return [
    'vivarium: the host of this build must send',
    ...show('for every file', isolationHeaders(embedderPolicy)),
    ...show('for every page, in the policy that it has or as its policy', {
      'Content-Security-Policy': pageRule,
    }),
    ...show(`for ${below(assets.path)}*`, headersOf(assets.path, rules, embedderPolicy)),
    ...show(`for ${below(frame.path)}`, headersOf(frame.path, rules, embedderPolicy)),
  ].join('\n');
}

/**
 * Isolates the page in development and preview, and serves or emits the sandbox's files at the path where the executor looks for them.
 * After a build it prints the headers that a static host must send. It is a part of {@link vivarium}.
 *
 * Throws when the folder of the sandbox's files is not there or says nothing of its headers, unless `isFilledLater`.
 */
export function sandboxFiles(options: VivariumPluginOptions = {}): Plugin {
  const { embedderPolicy = 'credentialless', isFilledLater = false } = options;
  const folder = options.assetFolder ?? fileURLToPath(new URL('./assets/sandbox', import.meta.url));
  if (!isFilledLater) readRules(folder);
  const headers = isolationHeaders(embedderPolicy);
  let isPublic = false;
  let basePath = '/';
  let peerFiles: ReadonlyMap<string, string> = new Map();
  const listen = (server: ViteDevServer | PreviewServer): void => {
    server.middlewares.use(serveAssets({ folder, peerFiles, embedderPolicy, basePath }));
  };
  return {
    name: 'vivarium-sandbox-files',
    config: (): UserConfig => ({ server: { headers: { ...headers } }, preview: { headers: { ...headers } } }),
    configResolved: (config) => {
      // '' stands for no public folder, and every path starts with it
      isPublic = config.publicDir !== '' && folder.startsWith(config.publicDir + sep);
      basePath = toBasePath(config.base);
      peerFiles = findPeerFiles(folder, config.root, (text) => config.logger.warn(text));
    },
    configureServer: listen,
    configurePreviewServer: listen,
    generateBundle() {
      // What lies in the public folder is copied by Vite.
      if (this.environment.name !== 'client' || isPublic) return;
      const rules = readRules(folder);
      const own = filesUnder(folder).map(
        (file) => [relative(folder, file).replaceAll(sep, '/'), file] as const,
      );
      for (const [path, file] of [...own, ...peerFiles]) {
        const fileName = `${rules.assets.path.slice(1)}${path}`;
        this.emitFile({ type: 'asset', fileName, source: readFileSync(file) });
      }
      this.info(toHostNote(rules, { embedderPolicy, basePath }));
    },
  };
}

/**
 * Makes a Vite project ready for the package: keeps our files and workers where Vite's optimizer would lose them, builds workers as
 * modules, swaps running modules for their edited code in development, and does what {@link sandboxFiles} does.
 *
 * ```ts
 * import { defineConfig } from 'vite';
 * import { vivarium } from 'vivarium/vite';
 * export default defineConfig({ plugins: [vivarium()] });
 * ```
 *
 * Throws when the folder of the sandbox's files is not there or says nothing of its headers, unless `isFilledLater`.
 */
export function vivarium(options: VivariumPluginOptions = {}): Plugin[] {
  return [{ name: 'vivarium', config: toUserConfig }, hotModules(), sandboxFiles(options)];
}

/** An import of `serve`, as Vite's own transforms leave it. */
const importsServe = /\bimport\s*\{[^}]*\bserve\b[^}]*\}\s*from\s*(['"])vivarium\/worker\1/u;

/**
 * In development, makes a worker's entry accept edits of itself and of what it imports: modules that run take their edited class over, with
 * their state. A build has nothing of it. It is a part of {@link vivarium}.
 */
function hotModules(): Plugin {
  return {
    name: 'vivarium-hot-modules',
    apply: 'serve',
    transform(code, id) {
      if (id.includes('/node_modules/') || !importsServe.test(code)) return undefined;
      const added = [
        "import { acceptUpdates as __vivariumAcceptUpdates } from 'vivarium/worker';",
        'if (import.meta.hot) {',
        'import.meta.hot.accept();',
        '__vivariumAcceptUpdates(import.meta.hot, import.meta.url);',
        '}',
      ];
      // before the entry's own code, which may throw, and in its first line, so that every line keeps its number
      return { code: `${added.join(' ')} ${code}`, map: null };
    },
  };
}

function toUserConfig(config: UserConfig): UserConfig {
  return {
    worker: { format: 'es' },
    optimizeDeps: { exclude: ['vivarium'], include: prebundled.map((name) => `vivarium > ${name}`) },
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
