/** Ways to make code of the platform's own from text, which then has what an interpreter keeps from its guests. */
import type { EscapeAttempt } from '../attempt.ts';
import { loadLibrary } from '../libraries.ts';
import { inPython, inWorker } from '../write-attempt.ts';
import type { Plan } from '../write-attempt.ts';

const plan = (id: string, mechanism: string, watcher: Plan['watcher'] = 'print'): Plan => ({
  id,
  mechanism,
  watcher,
  control: 'without walls',
});
const python = (id: string, mechanism: string, body: string): EscapeAttempt =>
  inPython('evaluation', plan(id, mechanism), body);
const reaching = (id: string, mechanism: string, body: string): EscapeAttempt =>
  inPython('evaluation', plan(id, mechanism, 'network'), body);
const worker = (id: string, mechanism: string, body: string): EscapeAttempt =>
  inWorker('evaluation', plan(id, mechanism), body);

export const evaluationAttempts: readonly EscapeAttempt[] = [
  python('eval', 'the global eval', 'print(scope.eval("\'{token}\'.toUpperCase()"))'),
  python(
    'function-constructor',
    'the global constructor of functions',
    'print(scope.Function.new("return \'{token}\'.toUpperCase()")())',
  ),
  python(
    'constructor-walk',
    'from a converted list to the constructor of functions',
    'print(ffi.to_js([1]).constructor.constructor("return \'{token}\'.toUpperCase()")())',
  ),
  python(
    'async-function-constructor',
    'the constructor of asynchronous functions',
    'f = ffi.to_js([1]).constructor.fromAsync\nprint(f.constructor("return \'{token}\'.toUpperCase()")())',
  ),
  python(
    'module-api-walk',
    "the constructor of the loader's own functions",
    'print(loader.runPython.constructor("return \'{token}\'.toUpperCase()")())',
  ),
  python(
    'loader-internals',
    "the loader's inner parts: its heap, and what made it",
    'print(loader._module.HEAPU8.subarray.constructor("return \'{token}\'.toUpperCase()")())',
  ),
  python(
    'run-js',
    "the loader's own way to run text",
    'print(importlib.import_module("pyodide.code").run_js("\'{token}\'.toUpperCase()"))',
  ),
  python(
    'library-script',
    'a library of machine code that carries JavaScript for the loader',
    `${loadLibrary('script')}
text = ctypes.create_string_buffer(b"{token}", 64)
library.call(text)
print(text.value.decode())`,
  ),
  reaching(
    'inner-eval-code',
    'code that the interpreter itself evaluates, past the reading of its syntax',
    'base = importlib.import_module("_pyodide._base")\nbase.eval_code("import js\\njs.fetch(\'{url}\')", {})',
  ),
  reaching(
    'string-timer',
    'a timer that takes text',
    "scope.setTimeout(\"fetch('{url}', {mode: 'no-cors'})\", 0)\nimport asyncio\nawait asyncio.sleep(0.1)",
  ),
  reaching(
    'emscripten-script',
    "the runtime's own function that runs text, called through foreign functions",
    "ctypes = importlib.import_module('ctypes')\nlib = ctypes.CDLL(None)\nlib.emscripten_run_script(b\"fetch('{url}', {mode: 'no-cors'})\")",
  ),
  worker(
    'import-scripts-blob',
    'a script imported from a blob',
    'const source = new Blob(["globalThis.made = () => \'" + target.token + "\'.toUpperCase()"]);\nimportScripts(URL.createObjectURL(source));\nguest.print(globalThis.made())',
  ),
  worker(
    'import-blob',
    'a module imported from a blob',
    'const source = new Blob(["export default \'" + target.token + "\'.toUpperCase()"], { type: "text/javascript" });\nguest.print((await import(URL.createObjectURL(source))).default)',
  ),
  worker(
    'import-data',
    'a module imported from a data URL',
    'guest.print((await import("data:text/javascript,export default \'" + target.token + "\'.toUpperCase()")).default)',
  ),
];
