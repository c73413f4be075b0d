// Stands outside the sandbox and counts whatever reaches it: HTTP, WebSocket upgrades and bare TCP connections.
// It also serves public/sandbox/ with the sandbox's own headers, so that the frame by address can be tested from any page.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const assets = fileURLToPath(new URL('../public/sandbox', import.meta.url));
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.zip': 'application/zip',
};

/** Everybody may talk to it: nothing must fail for want of permission, or the test would prove nothing. */
const open = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': '*',
  'Access-Control-Allow-Methods': '*',
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Cache-Control': 'no-store',
};

const tokenPattern = /hit\/([\w-]{1,200})/u;

/** What a request carries: its path, and its host's name where that holds a token (`token.localhost`). */
function textOf({ url = '', headers }) {
  const name = /^([\w-]{1,200})\.localhost(?::|$)/u.exec(headers.host ?? '')?.[1];
  return name === undefined ? url : `${url} hit/${name}`;
}

async function serveAsset(path, response) {
  const file = normalize(join(assets, path.slice('/sandbox/'.length)));
  if (!file.startsWith(assets)) return response.writeHead(403).end();
  try {
    const headers = JSON.parse(await readFile(join(assets, 'headers.json'), 'utf8'));
    const own = path === headers.frame.path ? headers.frame.headers : headers.assets.headers;
    const body = await readFile(file);
    response.writeHead(200, {
      ...own,
      'Access-Control-Allow-Origin': '*',
      'Content-Type': types[extname(file)] ?? 'text/plain',
    });
    return response.end(body);
  } catch {
    return response.writeHead(404).end();
  }
}

/**
 * GET /hits/TOKEN answers how often TOKEN was reached by anything that carried it: a path, a query, a host's name, a WebSocket, a first TCP line.
 * @returns {Promise<{ url: string, hits: (token: string) => number, total: () => number, close: () => Promise<void> }>}
 */
export async function startListener(port = 0) {
  const counts = new Map();
  const count = (text) => {
    const token = tokenPattern.exec(text)?.[1] ?? 'unnamed';
    counts.set(token, (counts.get(token) ?? 0) + 1);
  };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://listener').pathname;
    if (path.startsWith('/sandbox/')) return void serveAsset(path, response);
    if (path.startsWith('/hits/')) {
      response.writeHead(200, { ...open, 'Content-Type': 'application/json' });
      return response.end(String(counts.get(path.slice('/hits/'.length)) ?? 0));
    }
    count(textOf(request));
    response.writeHead(200, {
      ...open,
      'Content-Type':
        request.headers.accept === 'text/event-stream' ? 'text/event-stream' : 'text/javascript',
    });
    return response.end('export {};');
  });
  server.on('upgrade', (request, socket) => {
    count(textOf(request));
    socket.destroy();
  });
  // what is no HTTP at all still counts
  server.on('clientError', (error, socket) => {
    count(error.rawPacket?.toString('latin1') ?? '');
    socket.destroy();
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    hits: (token) => counts.get(token) ?? 0,
    total: () => [...counts.values()].reduce((sum, value) => sum + value, 0),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
