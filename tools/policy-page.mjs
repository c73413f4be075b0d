// Pages under other policies than the test page's own, with the real reachability module inside. A frame asks by message.
import { createServer } from 'node:http';
import { once } from 'node:events';

const html = `<!doctype html><script type="module">
import { diagnoseUnreachable } from './reachability.js';
addEventListener('message', async ({ data, source }) => source.postMessage(await diagnoseUnreachable(data), '*'));
parent.postMessage('ready', '*');
</script>`;

let bundle;

// built only when a test asks for it
async function buildModule() {
  const { build } = await import('vite');
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: { write: false, lib: { entry: 'src/lm/reachability.ts', formats: ['es'] } },
  });
  return built[0].output[0].code;
}

async function serve(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  response.setHeader('cross-origin-embedder-policy', searchParams.get('embedder') ?? 'require-corp');
  response.setHeader('cross-origin-resource-policy', 'cross-origin');
  const content = searchParams.get('content');
  if (content) response.setHeader('content-security-policy', content);
  if (pathname !== '/reachability.js') return void response.setHeader('content-type', 'text/html').end(html);
  bundle ??= buildModule();
  response.setHeader('content-type', 'text/javascript').end(await bundle);
}

/** Serves `/?embedder=require-corp` and `/?embedder=credentialless&content=connect-src…`. */
export async function startPolicyPage() {
  const server = createServer((request, response) => {
    serve(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
