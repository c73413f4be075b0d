import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, createLogger, createServer, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sandboxHeaders } from './executor/index.ts';
import { isolationHeaders, sandboxFiles, vivarium } from './vite.ts';

const root = mkdtempSync(join(tmpdir(), 'vivarium-plugin-'));
const assetFolder = join(root, 'files');

beforeAll(() => {
  mkdirSync(join(assetFolder, 'deep'), { recursive: true });
  writeFileSync(join(assetFolder, 'headers.json'), JSON.stringify(sandboxHeaders('sha256-0')));
  writeFileSync(join(assetFolder, 'frame.html'), '<!doctype html>');
  writeFileSync(join(assetFolder, 'deep/code.wasm'), 'wasm');
  writeFileSync(join(root, 'secret.txt'), 'secret');
  writeFileSync(join(root, 'index.html'), '<!doctype html><script type="module">console.log(1)</script>');
});
afterAll(() => rmSync(root, { recursive: true }));

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** As it is written: `fetch` would tidy the path. */
function ask(port: number, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ host: 'localhost', port, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
    })
      .on('error', reject)
      .end();
  });
}

const quiet = { root, configFile: false, logLevel: 'silent', appType: 'mpa' } as const;

function portOf(server: { resolvedUrls: { local: string[] } | null }): number {
  return Number(new URL(server.resolvedUrls?.local[0] ?? '').port);
}

describe('the plugin in development', () => {
  it('isolates the page and serves sandbox files with their own headers', async () => {
    const server = await createServer({
      ...quiet,
      plugins: [vivarium({ assetFolder })],
      server: { port: 0 },
    });
    await server.listen();
    try {
      const port = portOf(server);
      const page = await ask(port, '/');
      expect(page.headers['cross-origin-opener-policy']).toBe('same-origin');
      expect(page.headers['cross-origin-embedder-policy']).toBe('credentialless');
      const frame = await ask(port, '/sandbox/frame.html');
      expect(frame.headers['content-security-policy']).toBe(
        sandboxHeaders('sha256-0').frame.headers['Content-Security-Policy'],
      );
      expect(frame.headers['content-type']).toBe('text/html; charset=utf-8');
      const wasm = await ask(port, '/sandbox/deep/code.wasm');
      expect([wasm.text, wasm.headers['content-type']]).toEqual(['wasm', 'application/wasm']);
      expect(wasm.headers['cross-origin-resource-policy']).toBe('cross-origin');
      expect(wasm.headers['content-security-policy']).toBeUndefined();
      const again = await ask(port, '/sandbox/frame.html', {
        'if-none-match': String(frame.headers['etag']),
      });
      expect([again.status, again.text]).toEqual([304, '']);
    } finally {
      await server.close();
    }
  });

  it('serves a folder that is filled, and filled anew, while the server runs', async () => {
    const later = join(root, 'later');
    expect(() => sandboxFiles({ assetFolder: later })).toThrow('holds no headers.json');
    const server = await createServer({
      ...quiet,
      plugins: [sandboxFiles({ assetFolder: later, isFilledLater: true })],
      server: { port: 0 },
    });
    await server.listen();
    try {
      const port = portOf(server);
      expect((await ask(port, '/sandbox/frame.html')).status).toBe(404);
      mkdirSync(later);
      for (const hash of ['sha256-1', 'sha256-2']) {
        writeFileSync(join(later, 'frame.html'), hash);
        writeFileSync(join(later, 'headers.json'), JSON.stringify(sandboxHeaders(hash)));
        const frame = await ask(port, '/sandbox/frame.html');
        expect(frame).toMatchObject({ status: 200, text: hash });
        expect(frame.headers['content-security-policy']).toContain(hash);
      }
    } finally {
      await server.close();
    }
  });

  it.each(['development', 'preview'])(
    'serves sandbox files below a base that is not the root, and nowhere else: %s',
    async (mode) => {
      const options = { ...quiet, base: '/sub/', plugins: [vivarium({ assetFolder })] };
      const server =
        mode === 'preview'
          ? await preview({ ...options, preview: { port: 0 } })
          : await (await createServer({ ...options, server: { port: 0 } })).listen();
      try {
        const port = portOf(server);
        const frame = await ask(port, '/sub/sandbox/frame.html');
        expect(frame).toMatchObject({ status: 200, text: '<!doctype html>' });
        expect(frame.headers['content-security-policy']).toBe(
          sandboxHeaders('sha256-0').frame.headers['Content-Security-Policy'],
        );
        expect((await ask(port, '/sub/sandbox/deep/code.wasm')).text).toBe('wasm');
        const outside = ['/sandbox/frame.html', '/subsandbox/frame.html', '/sub/sandbox/../../secret.txt'];
        const found = await Promise.all(outside.map((path) => ask(port, path)));
        expect(found.every(({ status = 0 }) => status >= 400)).toBe(true);
      } finally {
        await server.close();
      }
    },
  );

  it.each([
    '/sandbox/../secret.txt',
    '/sandbox/%2e%2e/secret.txt',
    '/sandbox/..%2fsecret.txt',
    '/sandbox/..\\secret.txt',
    '/sandbox//etc/passwd',
    '/sandbox/deep',
    '/sandbox/%',
    '/sandbox/nothing',
  ])('answers nothing outside the folder: %s', async (path) => {
    const server = await preview({
      ...quiet,
      plugins: [sandboxFiles({ assetFolder })],
      preview: { port: 0 },
    });
    try {
      const { status, text } = await ask(portOf(server), path);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(text).not.toContain('secret');
    } finally {
      await server.close();
    }
  });
});

describe("a worker's entry", () => {
  const entries = {
    'named.js': "import { serve } from 'vivarium/worker';\nserve({});\n",
    'among.js': "import { a, serve as host, b } from 'vivarium/worker';\nhost({ a, b });\n",
    'types.js': "import { serveOthers } from 'vivarium/worker';\nserveOthers();\n",
    'other.js': "import { serve } from './worker.js';\nserve({});\n",
  };
  const resolve = { alias: { 'vivarium/worker': join(root, 'worker.js') } };

  beforeAll(() => {
    const worker = 'export const [acceptUpdates, serve, serveOthers, a, b] = [];\n';
    for (const [name, code] of Object.entries({ ...entries, 'worker.js': worker }))
      writeFileSync(join(root, name), code);
  });

  it('that calls serve accepts its edits in development, and nothing else does', async () => {
    const plugins = [vivarium({ assetFolder })];
    const server = await createServer({
      ...quiet,
      resolve,
      plugins,
      server: { middlewareMode: true, ws: false },
    });
    try {
      const accepting = [];
      for (const name of Object.keys(entries)) {
        const { code = '' } = (await server.transformRequest(`/${name}`)) ?? {};
        // an entry that throws accepts its next edit, too
        if (/^[^\n]*import\.meta\.hot\.accept\(\).*(serve|host)\b.*\(\{/su.test(code)) accepting.push(name);
      }
      expect(accepting).toEqual(['named.js', 'among.js']);
    } finally {
      await server.close();
    }
  });

  it('is built as it is written', async () => {
    const outDir = mkdtempSync(join(root, 'built-'));
    const rolldownOptions = { input: join(root, 'named.js'), output: { entryFileNames: 'entry.js' } };
    const plugins = [vivarium({ assetFolder })];
    await build({ ...quiet, resolve, plugins, build: { outDir, rolldownOptions } });
    const code = readFileSync(join(outDir, 'entry.js'), 'utf8');
    expect(code).not.toMatch(/acceptUpdates\(|import\.meta\.hot/);
  });
});

describe('the plugin in a build', () => {
  it('emits the sandbox files where the executor looks for them', async () => {
    await build({ ...quiet, plugins: [vivarium({ assetFolder })] });
    const emitted = (path: string): string => readFileSync(join(root, 'dist', path), 'utf8');
    expect(emitted('sandbox/deep/code.wasm')).toBe('wasm');
    expect(JSON.parse(emitted('sandbox/headers.json'))).toEqual(sandboxHeaders('sha256-0'));
  });

  it('emits them, too, for a project without a public folder', async () => {
    const outDir = join(root, 'dist-without-public');
    await build({ ...quiet, publicDir: false, build: { outDir }, plugins: [vivarium({ assetFolder })] });
    expect(readFileSync(join(outDir, 'sandbox/deep/code.wasm'), 'utf8')).toBe('wasm');
  });
});

describe('what the host must send', () => {
  async function noteOf(base: string): Promise<string> {
    const said: string[] = [];
    const customLogger = createLogger('info');
    customLogger.info = (message) => void said.push(message);
    const options = { ...quiet, base, customLogger };
    const outDir = mkdtempSync(join(root, 'noted-'));
    await build({ ...options, build: { outDir }, plugins: [vivarium({ assetFolder })] });
    return said.find((message) => message.includes('the host of this build must send')) ?? '';
  }

  it.each([
    ['/', '/'],
    ['/sub/', '/sub/'],
    ['./', '/'],
    ['https://files.invalid/sub/', '/sub/'],
  ])(
    'is printed after a build with the base %s: for all, the page, the files and the frame',
    async (base, path) => {
      const note = await noteOf(base);
      const { assets, frame, pageRule } = sandboxHeaders('sha256-0');
      const parts = note.split(/^ {2}(?=for )/mu).slice(1);
      expect(parts.map((part) => part.split('\n')[0])).toEqual([
        'for every file',
        'for every page, in the policy that it has or as its policy',
        `for ${path}sandbox/*`,
        `for ${path}sandbox/frame.html`,
      ]);
      expect(parts[0]).toContain('Cross-Origin-Opener-Policy: same-origin');
      expect(parts[1]).toContain(`Content-Security-Policy: ${pageRule}`);
      for (const [at, { headers }] of [assets, frame].entries()) {
        const own = Object.entries({ ...headers, 'Cross-Origin-Embedder-Policy': 'credentialless' });
        for (const [name, value] of own) expect(parts[at + 2]).toContain(`${name}: ${value}`);
      }
    },
  );

  it('is documented', () => {
    const page = readFileSync(new URL('../docs/hosting.md', import.meta.url), 'utf8');
    const { assets, frame, pageRule } = sandboxHeaders('sha256-0');
    expect(page).toContain(`Content-Security-Policy: ${pageRule}`);
    const headers = { ...isolationHeaders(), ...assets.headers };
    for (const [name, value] of Object.entries(headers)) expect(page).toContain(`${name}: ${value}`);
    const policy = frame.headers['Content-Security-Policy']?.replace('sha256-0', 'sha256-…') ?? '';
    expect(page).toContain(policy);
  });
});

describe('files of a package that the project may have', () => {
  const project = join(root, 'project');
  const files = join(project, 'files');
  const place = join(project, 'node_modules/@scope/peer');
  const options = { ...quiet, root: project, plugins: [] };
  const install = (version: string): void => {
    mkdirSync(join(place, 'dist'), { recursive: true });
    writeFileSync(join(place, 'package.json'), JSON.stringify({ version }));
    writeFileSync(join(place, 'dist/big.wasm'), 'big');
  };
  const emitted = async (warnings: string[] = []): Promise<readonly string[]> => {
    const customLogger = createLogger('silent');
    customLogger.warn = (text) => void warnings.push(text);
    const made = await build({
      ...options,
      customLogger,
      plugins: [sandboxFiles({ assetFolder: files })],
      build: { write: false },
    });
    return (made as { output: { fileName: string }[] }).output.map(({ fileName }) => fileName);
  };
  beforeAll(() => {
    mkdirSync(files, { recursive: true });
    writeFileSync(join(project, 'index.html'), '<!doctype html>');
    writeFileSync(join(files, 'headers.json'), JSON.stringify(sandboxHeaders('sha256-0')));
    const peers = [{ package: '@scope/peer', version: '1.2.3', files: { 'deep/big.wasm': 'dist/big.wasm' } }];
    writeFileSync(join(files, 'peers.json'), JSON.stringify(peers));
  });

  it('are left out where it has none, and where it has another version, which is told', async () => {
    expect(await emitted()).not.toContain('sandbox/deep/big.wasm');
    install('1.2.4');
    const warnings: string[] = [];
    expect(await emitted(warnings)).not.toContain('sandbox/deep/big.wasm');
    expect(warnings.join()).toContain('deep/big.wasm must be of @scope/peer 1.2.3, found 1.2.4');
  });

  it('are served and emitted beside the others', async () => {
    install('1.2.3');
    expect(await emitted()).toContain('sandbox/deep/big.wasm');
    const server = await preview({
      ...options,
      plugins: [sandboxFiles({ assetFolder: files })],
      preview: { port: 0 },
    });
    try {
      const answer = await ask(portOf(server), '/sandbox/deep/big.wasm');
      expect([answer.text, answer.headers['content-type']]).toEqual(['big', 'application/wasm']);
      expect(answer.headers['cross-origin-resource-policy']).toBe('cross-origin');
    } finally {
      await server.close();
    }
  });
});

describe('a wrong folder', () => {
  it('is refused by name when it is missing', () => {
    expect(() => vivarium({ assetFolder: join(root, 'nowhere') })).toThrow(
      /assetFolder is ".*nowhere", which holds no headers\.json/,
    );
  });

  const rule = '{"path":"/sandbox/","headers":{}}';
  it.each([
    '{}',
    '{"assets":{"path":"python"},"frame":{}}',
    '{"assets":1,"frame":null}',
    `{"assets":${rule},"frame":${rule}}`,
  ])('is refused when its headers say %s', (text) => {
    const folder = mkdtempSync(join(root, 'bad-'));
    writeFileSync(join(folder, 'headers.json'), text);
    expect(() => sandboxFiles({ assetFolder: folder })).toThrow(/must give a path and headers/);
  });
});
