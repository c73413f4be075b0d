// Builds what sandboxes are made of into public/python/. Does nothing when no input has changed.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const publicFolder = join(root, 'public/python');
const guest = join(root, 'src/executor/guest');
const pythonGuest = join(root, 'src/executor/language/python/guest');
const pyodide = dirname(createRequire(import.meta.url).resolve('pyodide/package.json'));
const harness = join(root, 'wasm/python/harness.py');
const stampName = 'stamp.txt';

/** What a build leaves, besides its stamp. */
export const outputs = [
  'NOTICE.txt',
  'frame.html',
  'frame.js',
  'headers.json',
  'pyodide.wasm',
  'standard-library.txt',
  'standard-library.zip',
  'worker.js',
];

/** Everything the worker and the frame are bundled from; pyodide by its version, it never changes in place. */
async function stampOfInputs() {
  const ours = [
    fileURLToPath(import.meta.url),
    harness,
    join(root, 'wasm/python/build-standard-library.mjs'),
    join(root, 'src/executor/sandbox/protocol.ts'),
    join(root, 'src/executor/sandbox/sandbox-headers.ts'),
    ...(await listFiles(guest)),
    ...(await listFiles(pythonGuest)),
    ...(await listFiles(join(root, 'src/base'))),
    ...(await listFiles(join(root, 'src/platform'))),
  ];
  const hash = createHash('sha256').update(
    JSON.parse(await readFile(join(pyodide, 'package.json'), 'utf8')).version,
  );
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

/** One classic script without imports: the frame loads nothing. */
async function bundle(entry, fileName, folder) {
  const { build } = await import('vite');
  await build({
    configFile: false,
    root,
    publicDir: false,
    logLevel: 'warn',
    define: { harnessSource: JSON.stringify(await readFile(harness, 'utf8')) },
    plugins: [
      {
        name: 'guest-scripts',
        enforce: 'pre',
        transform(code, id) {
          // the package says that its modules have no side effects; this one is nothing else
          if (id.endsWith('/prelude.ts')) return { code, map: null, moduleSideEffects: true };
          // a classic script has no address, and the bundler must not chase files through it
          if (!id.includes('/pyodide/') || !code.includes('import.meta.url')) return undefined;
          return { code: code.replaceAll('import.meta.url', '"https://pyodide.invalid/"'), map: null };
        },
      },
    ],
    build: {
      target: 'es2022',
      outDir: folder,
      emptyOutDir: false,
      minify: true,
      lib: { entry, formats: ['iife'], name: 'guest', fileName: () => fileName },
      rolldownOptions: {
        external: [/^node:/u, 'ws'],
        output: { strict: true },
        // the loader's own code holds an eval that is never reached; it is not ours to change
        onLog: (level, log, report) =>
          log.message.includes('pyodide.asm.mjs') ? undefined : report(level, log),
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
        entry: join(root, 'src/executor/sandbox/sandbox-headers.ts'),
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

const notice = `pyodide.wasm, worker.js (the part that loads it) and standard-library.zip are made from Pyodide
(https://github.com/pyodide/pyodide, Mozilla Public License 2.0) and CPython (PSF License 2).
The source of Pyodide is at the address above, under the version in the npm package "pyodide".
`;

/** Kept from the last build when only our own sources changed: compiling the library takes seconds. */
async function standardLibrary(folder, target) {
  const { version } = JSON.parse(await readFile(join(pyodide, 'package.json'), 'utf8'));
  const recipe = await readFile(join(root, 'wasm/python/build-standard-library.mjs'));
  const input = createHash('sha256').update(version).update(recipe).digest('hex');
  // names the library, too: a build that was stopped may have left the one without the other
  const keyOf = (library) => `${input} ${createHash('sha256').update(library).digest('hex')}`;
  const kept = await readFile(join(target, 'standard-library.zip')).catch(() => undefined);
  const keptKey = await readFile(join(target, 'standard-library.txt'), 'utf8').catch(() => '');
  const isKept = kept !== undefined && keptKey === keyOf(kept);
  const library = isKept ? kept : await compileStandardLibrary();
  await writeFile(join(folder, 'standard-library.zip'), library);
  await writeFile(join(folder, 'standard-library.txt'), keyOf(library));
}

async function compileStandardLibrary() {
  const { buildStandardLibrary } = await import('../wasm/python/build-standard-library.mjs');
  return buildStandardLibrary();
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
  const folder = await mkdtemp(join(root, '.cache/python-'));
  try {
    await standardLibrary(folder, target);
    await writeFile(join(folder, 'pyodide.wasm'), await readFile(join(pyodide, 'pyodide.asm.wasm')));
    await bundle(join(pythonGuest, 'python-worker.ts'), 'worker.js', folder);
    await bundle(join(guest, 'frame-window.ts'), 'frame.js', folder);
    const script = (await readFile(join(folder, 'frame.js'), 'utf8'))
      .replaceAll('</script', '<\\/script')
      .trim();
    await writeFile(join(folder, 'frame.html'), frameDocument(script));
    const headers = await loadHeaders(script, folder);
    await writeFile(join(folder, 'headers.json'), `${JSON.stringify(headers, null, 2)}\n`);
    await writeFile(join(folder, 'NOTICE.txt'), notice);
    await moveIn(folder, target, stamp);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return true;
}

/** While files of two builds lie together no stamp says that they are one; stopped here, the next build begins anew. */
async function moveIn(folder, target, stamp) {
  await mkdir(target, { recursive: true });
  await rm(join(target, stampName), { force: true });
  for (const name of outputs) await rename(join(folder, name), join(target, name));
  await writeFile(join(target, stampName), stamp);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const startMs = performance.now();
  const isBuilt = await buildAssets();
  const { size } = await stat(join(publicFolder, 'worker.js'));
  const took = `${Math.round(performance.now() - startMs)} ms`;
  console.log(`public/python: ${isBuilt ? 'built' : 'up to date'} in ${took}, worker ${size} bytes`);
}
