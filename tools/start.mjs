// `npm start`: builds if needed, serves the playground on localhost with its headers, prints and opens the address.
// Also the server of the e2e tests, the benches and the proofs (`serveApp`).
import { resolve, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const root = resolve(import.meta.dirname, '..');
const defaultPort = 4173;

/**
 * Changes headers on their way out; only proofs and tests ask for it.
 * @param {import('./start.d.mts').RewriteHeader} rewrite
 * @returns {import('vite').Plugin}
 */
function rewritten(rewrite) {
  return {
    name: 'vivarium-rewritten-headers',
    enforce: 'pre',
    configurePreviewServer(server) {
      server.middlewares.use((request, response, next) => {
        const setHeader = response.setHeader.bind(response);
        response.setHeader = (name, value) => {
          const sent = rewrite(name.toLowerCase(), String(value), request.url ?? '/');
          return sent === undefined ? response : setHeader(name, sent);
        };
        next();
      });
    },
  };
}

/** Drops what defends the page: the control of the escape proof. @type {import('./start.d.mts').RewriteHeader} */
const undefended = (name, value) => (name === 'content-security-policy' ? undefined : value);

/**
 * Serves the built app as `npm start` does.
 * @param {import('./start.d.mts').ServeOptions} [options]
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function serveApp({
  port = defaultPort,
  isStrictPort = false,
  shouldOpen = false,
  isDefended = true,
  rewrite = isDefended ? undefined : undefended,
  outDir = join(root, 'dist-app'),
} = {}) {
  const { preview } = await import('vite');
  const server = await preview({
    root,
    configFile: join(root, 'vite.config.ts'),
    logLevel: 'warn',
    plugins: rewrite ? [rewritten(rewrite)] : [],
    preview: { port, strictPort: isStrictPort, open: shouldOpen },
    build: { outDir },
  });
  const url = server.resolvedUrls?.local[0];
  if (!url) throw new Error('the server has no local address');
  return { url, close: () => server.close() };
}

const help = `npm start -- [--port N] [--strict-port] [--no-open]
  --port N        first port to try (default ${defaultPort}); a busy one picks the next
  --strict-port   fail when the port is busy
  --no-open       print the address, open nothing`;

function readArgs() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: String(defaultPort) },
      'strict-port': { type: 'boolean', default: false },
      'no-open': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`--port is "${values.port}"; it must be a whole number from 1 to 65535`);
  return { port, isStrictPort: values['strict-port'], isQuiet: values['no-open'], isHelp: values.help };
}

/** A machine with a screen and a person before it. */
function hasDisplay() {
  if (process.env['CI']) return false;
  if (process.platform === 'darwin' || process.platform === 'win32') return true;
  return Boolean(process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY']);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    throw new Error(`Node ${process.versions.node} is too old; 20.19 or newer is needed`);
}

async function main() {
  checkNode();
  const { port, isStrictPort, isQuiet, isHelp } = readArgs();
  if (isHelp) return console.log(help);
  const { buildAll, isBuilt } = await import('./build.mjs');
  if (isBuilt()) console.log('built already');
  else await buildAll();
  const { url, close } = await serveApp({ port, isStrictPort, shouldOpen: !isQuiet && hasDisplay() });
  if (new URL(url).port !== String(port)) console.log(`port ${port} is busy`);
  console.log(`Vivarium is at ${url}\nstop it with Ctrl+C`);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => void close().finally(() => process.exit(0)));
  }
}

/** @param {Error & { code?: string }} error */
function explain(error) {
  if (error.code === 'ERR_MODULE_NOT_FOUND' && /package 'vite'/.test(error.message))
    return 'the packages are not installed; run `npm install` first';
  return error.message;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error) => {
    console.error(`start failed: ${explain(error)}`);
    process.exitCode = 1;
  });
}
