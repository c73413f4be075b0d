// Compiles the standard library once, with the same Python that will load it: a start then takes a quarter of the time.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { loadPyodide } from 'pyodide';

const compileLibrary = `
import importlib.util, io, zipfile
from importlib._bootstrap_external import _code_to_hash_pyc

def compile_library(path, name):
    out = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for entry in source.infolist():
            data = source.read(entry)
            # a fixed date: the same input gives the same bytes
            info = zipfile.ZipInfo(entry.filename, (2020, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            if entry.filename.endswith('.py'):
                code = compile(data, f'/lib/{name}/{entry.filename}', 'exec', dont_inherit=True)
                info.filename += 'c'
                data = _code_to_hash_pyc(code, importlib.util.source_hash(data), False)
            target.writestr(info, data)
    return out.getvalue()

compile_library
`;

/** @returns {Promise<Uint8Array>} a zip with a `.pyc` for every `.py` of the package's own zip */
export async function buildStandardLibrary() {
  const folder = dirname(createRequire(import.meta.url).resolve('pyodide/package.json'));
  const python = await loadPyodide();
  python.FS.writeFile('/tmp/source.zip', await readFile(`${folder}/python_stdlib.zip`));
  const version = python.runPython('import sys; f"python{sys.version_info[0]}{sys.version_info[1]}.zip"');
  const compiled = python.runPython(compileLibrary)('/tmp/source.zip', version);
  try {
    return compiled.toJs();
  } finally {
    compiled.destroy();
  }
}
