// Builds what sandboxes are made of into public/sandbox/. Does nothing when no input has changed.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { exportTable } from '../wasm/quickjs/export-table.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const publicFolder = join(root, 'public/sandbox');
const executor = join(root, 'src/executor');
const { resolve } = createRequire(import.meta.url);
const pythonFolder = join(root, 'wasm/python');
const stampName = 'stamp.txt';

/** A guest's worker is bundled from its entry; files of a package are copied as they are. A new language adds its rows. */
const workers = {
  'javascript/worker.js': 'language/javascript/guest/javascript-worker.ts',
  'postgres/worker.js': 'language/postgres/guest/postgres-worker.ts',
  'python/worker.js': 'language/python/guest/python-worker.ts',
  'sql/worker.js': 'language/sql/guest/sql-worker.ts',
  'typescript/worker.js': 'language/typescript/guest/typescript-worker.ts',
  'wasm/text-worker.js': 'language/wasm/guest/text-worker.ts',
  'wasm/worker.js': 'language/wasm/guest/wasm-worker.ts',
};
const copies = {
  'javascript/quickjs.wasm': '@jitl/quickjs-ng-wasmfile-release-sync/wasm',
  'postgres/pglite.data': '@electric-sql/pglite/pglite.data',
  'postgres/pglite.wasm': '@electric-sql/pglite/pglite.wasm',
  'python/pyodide.wasm': 'pyodide/pyodide.asm.wasm',
  'sql/sqlite3.wasm': '@sqlite.org/sqlite-wasm/sqlite3.wasm',
};
/** What of them is not copied as it is. */
const changes = { 'javascript/quickjs.wasm': exportTable };
const asItIs = (bytes) => bytes;
/** Packages that a guest is made of; by their version, they never change in place. */
const packages = [
  '@bjorn3/browser_wasi_shim',
  '@electric-sql/pglite',
  '@jitl/quickjs-ng-wasmfile-release-sync',
  '@sqlite.org/sqlite-wasm',
  'acorn',
  'pyodide',
  'quickjs-emscripten-core',
  'sucrase',
  'wabt',
];

/** What takes seconds to make. It depends on a package and a recipe alone, and stands beside a text that says what it was made from. */
const slowOutputs = [
  {
    name: 'postgres/template.bin',
    keyName: 'postgres/template.txt',
    packageName: '@electric-sql/pglite',
    recipe: 'wasm/postgres/build-template.mjs',
    make: async () => (await import('../wasm/postgres/build-template.mjs')).buildTemplate(),
  },
  {
    name: 'python/standard-library.zip',
    keyName: 'python/standard-library.txt',
    packageName: 'pyodide',
    recipe: 'wasm/python/build-standard-library.mjs',
    make: async () => (await import('../wasm/python/build-standard-library.mjs')).buildStandardLibrary(),
  },
];

/** What a build leaves, besides its stamp. */
export const outputs = [
  'NOTICE.txt',
  'frame.html',
  'frame.js',
  'headers.json',
  ...Object.keys(workers),
  ...Object.keys(copies),
  ...slowOutputs.flatMap(({ name, keyName }) => [name, keyName]),
].toSorted();

const versionOf = async (name) =>
  JSON.parse(await readFile(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;

/** Everything the workers and the frame are bundled from. */
async function stampOfInputs() {
  const ours = [
    fileURLToPath(import.meta.url),
    ...['harness.py', 'checkpoint.py', 'compile-harness.mjs'].map((name) => join(pythonFolder, name)),
    ...slowOutputs.map(({ recipe }) => join(root, recipe)),
    join(root, 'wasm/quickjs/export-table.mjs'),
    join(executor, 'policy/contains-module.ts'),
    join(executor, 'wasm-format.ts'),
    join(executor, 'sandbox/protocol.ts'),
    join(executor, 'sandbox/session-protocol.ts'),
    join(executor, 'sandbox/sandbox-headers.ts'),
    ...(await listFiles(join(executor, 'guest'))),
    ...(await listFiles(join(executor, 'language'))),
    ...(await listFiles(join(root, 'src/base'))),
    ...(await listFiles(join(root, 'src/platform'))),
  ];
  const hash = createHash('sha256');
  for (const name of packages) hash.update(`${name} ${await versionOf(name)}\n`);
  for (const file of ours) hash.update(file.slice(root.length)).update(await readFile(file));
  return hash.digest('hex');
}

async function listFiles(folder) {
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => /(?<!\.test|\.bench)\.ts$/u.test(name))
    .toSorted()
    .map((name) => join(folder, name));
}

async function isUpToDate(target, stamp) {
  if (!outputs.every((name) => existsSync(join(target, name)))) return false;
  return (await readFile(join(target, stampName), 'utf8').catch(() => '')) === stamp;
}

async function pythonCode() {
  const { compileHarness } = await import('../wasm/python/compile-harness.mjs');
  const codes = await compileHarness(join(root, '.cache'));
  return Object.fromEntries(Object.entries(codes).map(([name, code]) => [name, JSON.stringify(code)]));
}

/** Turns the one function that the loader's module declares into an expression in brackets. */
function inBrackets(code) {
  const [head, tail] = ['async function _createPyodideModule(', '}export default _createPyodideModule;'];
  if (!code.startsWith(head) || !code.trimEnd().endsWith(tail))
    throw new Error('the loader is not the one that is known');
  const body = code.trimEnd().slice(head.length, -tail.length);
  return `const _createPyodideModule = (async function (${body}});export default _createPyodideModule;\n`;
}

/** One classic script without imports: the frame loads nothing. */
async function bundle(entry, fileName, folder) {
  const { build } = await import('vite');
  const isPython = entry.startsWith('language/python/');
  await build({
    configFile: false,
    root,
    publicDir: false,
    logLevel: 'warn',
    define: isPython ? await pythonCode() : {},
    plugins: [
      {
        name: 'guest-scripts',
        enforce: 'pre',
        // files of a disk and of the page's origin, which no guest has
        resolveId: (source, importer) =>
          importer?.includes('/@electric-sql/pglite/') &&
          /\/(?:nodefs|opfs-ahp|memfs2opfs)\.js$/u.test(source)
            ? '\0absent'
            : undefined,
        load: (id) => (id === '\0absent' ? 'export {};' : undefined),
        transform(code, id) {
          // the package says that its modules have no side effects; this one is nothing else
          if (id.endsWith('/prelude.ts')) return { code, map: null, moduleSideEffects: true };
          // in brackets a function is read whole at once; otherwise its million characters are skipped first and read again when it is called
          if (id.endsWith('/pyodide.asm.mjs')) code = inBrackets(code);
          // a classic script has no address, and the bundler must not chase files through it
          if (!id.includes('/node_modules/') || !code.includes('import.meta.url')) return undefined;
          return { code: code.replaceAll('import.meta.url', '"https://guest.invalid/"'), map: null };
        },
      },
    ],
    build: {
      target: 'es2022',
      outDir: folder,
      emptyOutDir: false,
      minify: true,
      lib: { entry: join(executor, entry), formats: ['iife'], name: 'guest', fileName: () => fileName },
      rolldownOptions: {
        external: [/^node:/u, 'ws'],
        output: { strict: true, codeSplitting: false },
        // loaders' own code holds evals that are never reached, or refused by the frame; it is not ours to change
        onLog: (level, log, report) =>
          /pyodide\.asm\.mjs|\/@electric-sql\/pglite\//u.test(log.message) ? undefined : report(level, log),
      },
    },
  });
}

async function loadHeaders(script, folder) {
  const { build } = await import('vite');
  await build({
    configFile: false,
    root,
    publicDir: false,
    logLevel: 'warn',
    build: {
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      lib: {
        entry: join(executor, 'sandbox/sandbox-headers.ts'),
        formats: ['es'],
        fileName: () => 'headers.mjs',
      },
    },
  });
  const file = join(folder, 'headers.mjs');
  const { sandboxHeaders } = await import(/* @vite-ignore */ pathToFileURL(file).href);
  await rm(file);
  return sandboxHeaders(`sha256-${createHash('sha256').update(script).digest('base64')}`);
}

/** The script is inside: a frame that may load nothing needs no exception for its own. */
const frameDocument = (script) => `<!doctype html>
<meta charset="utf-8">
<title>sandbox</title>
<script>${script}</script>
`;

const notice = `python/: pyodide.wasm, worker.js (the part that loads it) and standard-library.zip are made from Pyodide
(https://github.com/pyodide/pyodide, Mozilla Public License 2.0) and CPython (PSF License 2).
The source of Pyodide is at the address above, under the version in the npm package "pyodide".

javascript/: quickjs.wasm and worker.js (the part that speaks with it) are made from quickjs-emscripten
(https://github.com/justjake/quickjs-emscripten, MIT), quickjs-ng (https://github.com/quickjs-ng/quickjs, MIT) and acorn
(https://github.com/acornjs/acorn, MIT); typescript/worker.js also from sucrase
(https://github.com/alangpierce/sucrase, MIT).

postgres/: pglite.wasm, pglite.data, template.bin and worker.js (the part that speaks with it) are made from PGlite
(https://github.com/electric-sql/pglite, Apache License 2.0) and PostgreSQL (PostgreSQL License).

sql/: sqlite3.wasm and worker.js (the part that speaks with it) are SQLite (https://sqlite.org, in the public domain) in the form of the npm
package "@sqlite.org/sqlite-wasm" (Apache License 2.0).

wasm/: worker.js and text-worker.js hold browser_wasi_shim (https://github.com/bjorn3/browser_wasi_shim, MIT or Apache License 2.0);
text-worker.js holds WABT (https://github.com/WebAssembly/wabt, Apache License 2.0) as well, in the form of the npm package "wabt".
`;

/** Kept from the last build when only our own sources changed. */
async function writeSlowOutput({ name, keyName, packageName, recipe, make }, folder, target) {
  const input = createHash('sha256')
    .update(await versionOf(packageName))
    .update(await readFile(join(root, recipe)))
    .digest('hex');
  // names the output, too: a build that was stopped may have left the one without the other
  const keyOf = (output) => `${input} ${createHash('sha256').update(output).digest('hex')}`;
  const kept = await readFile(join(target, name)).catch(() => undefined);
  const keptKey = await readFile(join(target, keyName), 'utf8').catch(() => '');
  const isKept = kept !== undefined && keptKey === keyOf(kept);
  const output = isKept ? kept : await make();
  await writeFile(join(folder, name), output);
  await writeFile(join(folder, keyName), keyOf(output));
}

async function makeFolders(folder) {
  for (const path of new Set(outputs.map((name) => dirname(name))))
    await mkdir(join(folder, path), { recursive: true });
}

async function buildFrame(folder) {
  await bundle('guest/frame-window.ts', 'frame.js', folder);
  const script = (await readFile(join(folder, 'frame.js'), 'utf8'))
    .replaceAll('</script', '<\\/script')
    .trim();
  await writeFile(join(folder, 'frame.html'), frameDocument(script));
  const headers = await loadHeaders(script, folder);
  await writeFile(join(folder, 'headers.json'), `${JSON.stringify(headers, null, 2)}\n`);
}

/**
 * @param {string} [target] the folder that gets the outputs
 * @returns {Promise<boolean>} whether anything had to be built
 */
export async function buildAssets(target = publicFolder) {
  const stamp = await stampOfInputs();
  if (await isUpToDate(target, stamp)) return false;
  // built aside and moved in one by one: a second build at the same time does no harm
  await mkdir(join(root, '.cache'), { recursive: true });
  const folder = await mkdtemp(join(root, '.cache/sandbox-'));
  try {
    await makeFolders(folder);
    for (const output of slowOutputs) await writeSlowOutput(output, folder, target);
    for (const [name, source] of Object.entries(copies))
      await writeFile(join(folder, name), (changes[name] ?? asItIs)(await readFile(resolve(source))));
    for (const [name, entry] of Object.entries(workers)) await bundle(entry, name, folder);
    await buildFrame(folder);
    await writeFile(join(folder, 'NOTICE.txt'), notice);
    await moveIn(folder, target, stamp);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return true;
}

/** While files of two builds lie together no stamp says that they are one; stopped here, the next build begins anew. */
async function moveIn(folder, target, stamp) {
  await makeFolders(target);
  await rm(join(target, stampName), { force: true });
  for (const name of outputs) await rename(join(folder, name), join(target, name));
  await writeFile(join(target, stampName), stamp);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const startMs = performance.now();
  const isBuilt = await buildAssets();
  const took = `${Math.round(performance.now() - startMs)} ms`;
  const sizes = await Promise.all(
    Object.keys(workers).map(async (name) => `${name} ${(await stat(join(publicFolder, name))).size} bytes`),
  );
  console.log(`public/sandbox: ${isBuilt ? 'built' : 'up to date'} in ${took}, ${sizes.join(', ')}`);
}
