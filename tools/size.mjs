// `npm run size`: what each public entry of the built package weighs in a page, against tools/size-budgets.json.
// Workers, lazily loaded chunks and assets are loaded when used: they are printed apart and have no budget here.
import { existsSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const root = resolve(import.meta.dirname, '..');
const kib = 1024;

/** @typedef {{ fileName: string, sizeBytes: number, gzipBytes: number }} Part */

/** @param {string | Uint8Array} content @param {string} fileName @returns {Part} */
function weigh(content, fileName) {
  const bytes = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content);
  return { fileName, sizeBytes: bytes.length, gzipBytes: gzipSync(bytes).length };
}

/**
 * Bundles one entry as a user's build does.
 * @param {string} entry a file under dist, without extension
 * @returns {Promise<{ first: Part[], later: Part[] }>}
 */
export async function weighEntry(entry) {
  const file = join(root, `dist/${entry}.js`);
  if (!existsSync(file)) throw new Error(`dist/${entry}.js is missing: run \`npm run build\` first`);
  const outcome = await build({
    root,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    worker: { format: 'es' },
    build: {
      write: false,
      minify: true,
      target: 'es2022',
      assetsInlineLimit: 0,
      modulePreload: false,
      rolldownOptions: {
        input: { [entry]: file },
        preserveEntrySignatures: 'strict',
        external: [
          ...builtinModules,
          ...builtinModules.map((name) => `node:${name}`),
          'vite',
          'vitest',
          'fast-check',
          '@electric-sql/pglite',
        ],
      },
    },
  });
  const output = [outcome].flat().flatMap((one) => ('output' in one ? one.output : []));
  /** @type {Set<string>} */
  const firstNames = new Set();
  const chunks = new Map(output.flatMap((part) => (part.type === 'chunk' ? [[part.fileName, part]] : [])));
  /** @param {string} name */
  const follow = (name) => {
    const chunk = chunks.get(name);
    if (!chunk || firstNames.has(name)) return;
    firstNames.add(name);
    chunk.imports.forEach(follow);
  };
  for (const chunk of chunks.values()) if (chunk.isEntry) follow(chunk.fileName);
  const weighed = output.map((part) => weigh(part.type === 'chunk' ? part.code : part.source, part.fileName));
  return {
    first: weighed.filter((part) => firstNames.has(part.fileName)),
    later: weighed.filter((part) => !firstNames.has(part.fileName)),
  };
}

/** @param {Part[]} parts */
const totalKib = (parts) => parts.reduce((sum, part) => sum + part.gzipBytes, 0) / kib;

async function main() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  /** @type {{ entries: Record<string, number> }} */
  const { entries: budgets } = JSON.parse(readFileSync(join(root, 'tools/size-budgets.json'), 'utf8'));
  const entries = Object.values(exports)
    .filter((target) => typeof target === 'object')
    .map((target) => target.default.replace('./dist/', '').replace('.js', ''));
  const over = [];
  for (const entry of entries) {
    const budget = budgets[entry];
    if (budget === undefined) throw new Error(`the entry ${entry} has no budget in tools/size-budgets.json`);
    const { first, later } = await weighEntry(entry);
    const isOver = totalKib(first) > budget;
    if (isOver) over.push(entry);
    const gzip = totalKib(first).toFixed(1).padStart(8);
    console.log(`${entry.padEnd(10)} ${gzip} KiB gzip   budget ${budget} KiB   ${isOver ? 'OVER' : 'ok'}`);
    for (const part of later) {
      console.log(`  later    ${(part.gzipBytes / kib).toFixed(1).padStart(8)} KiB gzip   ${part.fileName}`);
    }
  }
  if (over.length > 0) throw new Error(`over budget: ${over.join(', ')}`);
  console.log('every entry is within its budget');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error) => {
    console.error(`size failed: ${error.message}`);
    process.exitCode = 1;
  });
}
