// Compiles what runs the guest's code, with the same Python that will load it: reading a text would cost every start 30 ms and more.
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadPyodide } from 'pyodide';

const folder = dirname(fileURLToPath(import.meta.url));
/** Texts here, and the names under which a bundle finds their code. */
export const sources = { harnessCode: 'harness.py', checkpointCode: 'checkpoint.py' };

const compile = `
import base64, marshal
lambda text, name: base64.b64encode(marshal.dumps(compile(text, name, 'exec', dont_inherit=True))).decode()
`;

/**
 * @param {string} cache a folder for what was compiled before
 * @returns {Promise<Record<string, string>>} marshalled code in base64, by the names of {@link sources}
 */
export async function compileHarness(cache) {
  const { version } = JSON.parse(
    await readFile(createRequire(import.meta.url).resolve('pyodide/package.json'), 'utf8'),
  );
  const texts = await Promise.all(
    Object.entries(sources).map(async ([name, file]) => [
      name,
      file,
      await readFile(join(folder, file), 'utf8'),
    ]),
  );
  const key = createHash('sha256')
    .update(JSON.stringify([version, texts, await readFile(fileURLToPath(import.meta.url), 'utf8')]))
    .digest('hex');
  const kept = join(cache, `harness-${key}.json`);
  const found = await readFile(kept, 'utf8').catch(() => undefined);
  if (found !== undefined) return JSON.parse(found);
  const python = await loadPyodide();
  const toCode = python.runPython(compile);
  const codes = Object.fromEntries(texts.map(([name, file, text]) => [name, toCode(text, file)]));
  toCode.destroy();
  await mkdir(cache, { recursive: true });
  await writeFile(kept, JSON.stringify(codes));
  return codes;
}
