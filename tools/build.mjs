// Builds everything that is served or published: guest assets, the package (dist), the app (dist-app).
// `--if-needed` skips when no input changed; `--package` or `--app` builds that part alone.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = resolve(import.meta.dirname, '..');
const stampFile = join(root, '.cache/build.json');
const inputs = [
  'src',
  'wasm',
  'tools',
  'public',
  'index.html',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'vite.config.ts',
];
const isNoInput =
  /(\.test\.(ts|mjs)|\.browser\.test\.ts|\.test-d\.ts|\.bench\.ts)$|(^|\/)public\/sandbox(\/|$)/;

/** @param {string} path @returns {string[]} */
function filesUnder(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => filesUnder(join(path, name)));
}

/** Changes when an input is added, removed or touched. */
function inputStamp() {
  const hash = createHash('sha256').update(process.version);
  for (const file of inputs.flatMap((input) => filesUnder(join(root, input))).toSorted()) {
    const path = relative(root, file);
    if (isNoInput.test(path)) continue;
    const { size, mtimeMs } = statSync(file);
    hash.update(`${path} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** True when the last whole build saw the inputs as they are now. */
export function isBuilt() {
  const outputs = ['dist/index.js', 'dist-app/index.html'].every((path) => existsSync(join(root, path)));
  return (
    outputs && existsSync(stampFile) && JSON.parse(readFileSync(stampFile, 'utf8')).stamp === inputStamp()
  );
}

/** @param {string[]} args @param {string} what */
function runNode(args, what) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${what} failed with exit code ${status}`);
}

function buildAssets() {
  const script = join(root, 'tools/build-assets.mjs');
  if (!existsSync(script)) throw new Error('tools/build-assets.mjs is missing: no guest assets can be built');
  runNode([script], 'building the guest assets');
}

// tsc rewrites the specifiers of emitted code, and neither those of declarations nor worker and asset addresses.
const urlLiteral = /(new URL\(\s*)(['"])(\.{1,2}\/[^'"]+)\.ts\2(\s*,\s*import\.meta\.url)/g;
const emittedUrl = /(new URL\(\s*)(['"])(\.{1,2}\/[^'"]+)\.js\2\s*,\s*import\.meta\.url/g;
const declared = /(\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)(['"])(\.{1,2}\/[^'"\n]+)\.ts\2/g;
const leftOver = /(['"`])\.{1,2}\/[^'"`\n]*\.ts\1/;

/** @param {string} text @param {string} path @returns {string} the text with every address of ours ending in `.js` */
export function rewriteAddresses(text, path) {
  const rewritten = path.endsWith('.d.ts')
    ? text.replaceAll(declared, '$1$2$3.js$2')
    : text.replaceAll(urlLiteral, '$1$2$3.js$2$4');
  const [left] = leftOver.exec(rewritten) ?? [];
  if (left)
    throw new Error(`${path} still names ${left}: only literal \`new URL(…, import.meta.url)\` is rewritten`);
  return rewritten;
}

/** A worker is reached by its address alone, so tsc emits it only when tsconfig.build.json names it. @param {string} text @param {string} file */
function requireTargets(text, file) {
  for (const [, , , target] of text.matchAll(emittedUrl)) {
    const path = resolve(dirname(file), `${target}.js`);
    if (!existsSync(path))
      throw new Error(
        `${relative(root, file)} names ${target}.js, which was not emitted: add it to tsconfig.build.json`,
      );
  }
}

/**
 * The package for pages without a bundler: workers have no import maps, so everything that it needs is in these files. One build, so that
 * page, worker and the user's own modules share one copy.
 * @param {string} folder
 */
async function emitPlain(folder) {
  const { build } = await import('vite');
  await build({
    root,
    configFile: false,
    base: './',
    publicDir: false,
    appType: 'custom',
    logLevel: 'warn',
    worker: { format: 'es' },
    build: {
      target: 'es2022',
      outDir: folder,
      assetsInlineLimit: 0,
      chunkSizeWarningLimit: 1000,
      // code that preloads touches `document`, and workers share these files
      modulePreload: { polyfill: false, resolveDependencies: () => [] },
      rolldownOptions: {
        input: { vivarium: join(root, 'src/index.ts'), worker: join(root, 'src/worker.ts') },
        preserveEntrySignatures: 'strict',
        output: { entryFileNames: '[name].js' },
      },
    },
  });
}

/** Built aside and put in place whole, so that whoever reads `dist` meanwhile finds the old one or the new one. */
async function buildPackage() {
  const dist = join(root, 'dist');
  const made = join(root, `.cache/dist-${process.pid}`);
  try {
    emitPackage(made);
    await emitPlain(join(made, 'plain'));
    rmSync(dist, { recursive: true, force: true });
    renameSync(made, dist);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** Files of the sandbox that are not in the package: 15 MB that only those have who install the package that they are of. */
const peers = [
  {
    package: '@electric-sql/pglite',
    version: JSON.parse(readFileSync(join(root, 'node_modules/@electric-sql/pglite/package.json'), 'utf8'))
      .version,
    files: { 'postgres/pglite.data': 'dist/pglite.data', 'postgres/pglite.wasm': 'dist/pglite.wasm' },
  },
];

/** @param {string} folder */
function emitPackage(folder) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  runNode([tsc, '-p', 'tsconfig.build.json', '--noEmit', 'false', '--outDir', folder], 'tsc');
  for (const file of filesUnder(folder).filter((path) => /\.js$|\.d\.ts$/.test(path))) {
    const text = rewriteAddresses(readFileSync(file, 'utf8'), relative(folder, file));
    requireTargets(text, file);
    writeFileSync(file, text);
  }
  const assets = join(root, 'public/sandbox');
  if (!existsSync(assets))
    throw new Error('public/sandbox is missing: the package would have no sandbox files');
  // what the builder notes for itself is of no use to anybody else; files of a peer come from whoever installs it
  const isLeftOut = (/** @type {string} */ path) =>
    /(stamp|standard-library|template)\.txt$/.test(path) ||
    peers.some(({ files }) => Object.keys(files).includes(relative(assets, path).replaceAll(sep, '/')));
  const target = join(folder, 'assets/sandbox');
  cpSync(assets, target, { recursive: true, filter: (path) => !isLeftOut(path) });
  writeFileSync(join(target, 'peers.json'), `${JSON.stringify(peers, null, 2)}\n`);
}

async function buildApp() {
  if (!existsSync(join(root, 'index.html')))
    throw new Error('index.html is missing: there is no app to build');
  const { build } = await import('vite');
  await build({ root, configFile: join(root, 'vite.config.ts'), mode: 'production', logLevel: 'warn' });
}

/** @param {{ parts?: ('assets' | 'package' | 'app')[], log?: (line: string) => void }} [options] */
export async function buildAll({ parts = ['assets', 'package', 'app'], log = console.log } = {}) {
  const steps = { assets: buildAssets, package: buildPackage, app: buildApp };
  const stamp = inputStamp();
  for (const part of parts) {
    const startMs = performance.now();
    log(`building the ${part} …`);
    await steps[part]();
    log(`built the ${part} in ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  }
  if (parts.length < 3) return;
  mkdirSync(join(root, '.cache'), { recursive: true });
  writeFileSync(stampFile, JSON.stringify({ stamp }));
}

async function main() {
  const args = process.argv.slice(2);
  if (args.includes('--if-needed') && isBuilt()) return console.log('built already');
  /** @type {('package' | 'app')[]} */
  const only = args.includes('--package') ? ['package'] : args.includes('--app') ? ['app'] : [];
  await buildAll(only.length > 0 ? { parts: ['assets', ...only] } : {});
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error) => {
    console.error(`build failed: ${error.message}`);
    process.exitCode = 1;
  });
}
