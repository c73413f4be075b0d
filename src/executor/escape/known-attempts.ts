/**
 * Ways out of sandboxes that are known: tried when this one was designed, found in others, or named in advisories. Each is tried here, too, by the
 * attempts of these ids.
 */

export interface KnownAttempt {
  /** In our own words; an advisory by its number. */
  readonly what: string;
  /** Ids of attempts. */
  readonly tests: readonly string[];
}

const known = (what: string, ...tests: readonly string[]): KnownAttempt => ({ what, tests });

/** Requests of any kind, from a worker in the frame. */
const requests: readonly KnownAttempt[] = [
  known('fetch, and the native one behind what stands in for it', 'fetch', 'fetch-from-prototype'),
  known('a request without permission, or that outlives the worker', 'fetch-keepalive'),
  known('XMLHttpRequest that holds the thread', 'xhr-sync'),
  known("the interpreter's own functions for requests", 'pyfetch', 'open-url'),
  known("the language's own clients and sockets", 'socket'),
  known('WebSocket and WebSocketStream', 'websocket', 'websocket-stream'),
  known('EventSource', 'event-source'),
  known('WebTransport', 'web-transport'),
  known('WebRTC', 'rtc'),
  known('beacons', 'send-beacon'),
  known('fonts', 'font-face'),
  known(
    'import() of an address on the network, and of a data URL',
    'dynamic-import',
    'js-import-url',
    'import-data',
  ),
  known('importScripts', 'import-scripts', 'import-scripts-blob'),
  known('a nested worker whose script is elsewhere', 'nested-worker-url'),
  known('a nested worker that makes a request', 'nested-worker-blob-fetch'),
  known('a nested worker that imports', 'nested-worker-import', 'nested-worker-data'),
  known('nested workers that live on', 'nested-worker-after-dispose'),
  known('shared workers and service workers', 'shared-worker', 'service-worker'),
  known('a request that is refused by never being answered', 'await-without-end'),
  known(
    'windows above, windows to open, places to go to',
    'parent-post',
    'top-post',
    'opener-post',
    'window-open',
    'navigate',
  ),
  known(
    "orders to the frame's own window, which could connect and navigate where its workers cannot",
    'frame-commands',
    'image',
  ),
  known('devices: graphics, USB, serial lines', 'device-gpu', 'device-usb', 'device-serial'),
];

const storage: readonly KnownAttempt[] = [
  known('databases', 'indexed-db', 'read-databases', 'mounted-database'),
  known('caches', 'cache-storage', 'cache-add', 'read-caches'),
  known('the private file system', 'private-files', 'read-private-files'),
  known('storage buckets', 'storage-buckets'),
  known('locks of the page', 'locks', 'read-locks'),
  known('cookies, and their store', 'cookie', 'cookie-store'),
  known('localStorage and sessionStorage', 'local-storage', 'session-storage'),
];

const messages: readonly KnownAttempt[] = [
  known('a channel to other tabs of the origin', 'broadcast-channel', 'js-global-broadcast'),
  known(
    'a channel between guests of one frame, which others of another frame must not hear',
    'sibling-frame-channel',
  ),
  known(
    'forged messages: every message of a worker is hostile',
    'message-no-object',
    'message-inherited-type',
    'message-boxed-fields',
    'message-sparse-list',
    'message-snapshot',
    'result-ahead',
    'result-twice',
    'boot-again',
    'tree-depth',
    'unknown-tag',
  ),
  known(
    'messages, calls and text without end',
    'message-flood-empty',
    'message-flood-unheard',
    'tool-call-flood',
    'output-past-harness',
  ),
  known('the secret of a session, by which its port could be found', 'sandbox-name', 'port-hook'),
];

const evaluation: readonly KnownAttempt[] = [
  known('eval, and functions made of text', 'eval', 'function-constructor', 'async-function-constructor'),
  known("the loader's own way to run text", 'run-js'),
  known('text that a library brings for the loader to run', 'library-script'),
  known('timers that take text', 'string-timer'),
  known(
    "the constructor behind a converted value, although the guest's globals are empty",
    'constructor-walk',
    'module-table',
  ),
  known(
    'the loader as a module: its inner parts, its files, its globals',
    'module-api-walk',
    'loader-internals',
    'lazy-file',
    'load-package',
  ),
  known(
    "the runtime's functions that run text, through foreign functions; they end the interpreter",
    'emscripten-script',
    'emscripten-wget',
    'emscripten-websocket',
  ),
  known(
    'what was deleted from the globals, taken from where it still is',
    'fetch-from-prototype',
    'frame-walk',
    'trace-hook',
    'gc-walk',
  ),
  known('patterns on the text of code, gone round', 'pickle', 'inner-eval-code', 'mro-walk'),
];

const limits: readonly KnownAttempt[] = [
  known('a loop, also one that swallows the interrupt', 'loop-swallowing', 'signal-ignored', 'flag-cleared'),
  known(
    'a sleep, and calls of the interpreter, that no interrupt reaches',
    'sleep-in-python',
    'long-native-call',
    'thread-asleep',
    'sql-long-function',
  ),
  known('a worker that burns on after its end', 'worker-after-dispose', 'output-after-end', 'busy-neighbour'),
  known(
    "the interpreter's heap",
    'heap-python',
    'heap-javascript',
    'module-memory-growth',
    'module-memory-imported',
  ),
  known(
    'machine code that the interpreter loads, with room of its own',
    'library-own-memory',
    'library-own-table',
    'library-own-objects',
    'library-shared-table',
  ),
  known(
    'files that lie outside the heap',
    'zip-bomb',
    'file-stretched',
    'file-deleted-open',
    'name-flood',
    'wasi-name-flood',
  ),
  known('deep input that ends the interpreter', 'deep-json', 'deep-attribute', 'deep-code', 'deep-source'),
  known('the runtime ended from inside', 'exit-runtime', 'abort-runtime', 'memory-scribble', 'own-signal'),
  known('catastrophic patterns', 'pattern-without-end'),
  known(
    'names and modules that one run leaves for the next',
    'poisoned-builtins',
    'poisoned-modules',
    'renewed-worker',
    'sibling-variables',
  ),
  known(
    'a damaged or foreign snapshot',
    'snapshot-changed',
    'snapshot-other-build',
    'snapshot-cut-off',
    'snapshot-impossible',
  ),
  known('randomness that is the same in every clone', 'sibling-randomness'),
];

/** Found in other systems by others. */
const others: readonly KnownAttempt[] = [
  known(
    'CVE-2026-5752: from objects that were handed in, by their prototype, to the constructor of functions of the host',
    'constructor-walk',
    'js-host-value',
    'guest-object-prototype',
    'inherited-port',
  ),
  known(
    "CVE-2025-68668: around a list of forbidden names, by the interpreter's inner evaluation and by commands of the system",
    'inner-eval-code',
    'module-table',
    'foreign-system',
    'subprocess',
  ),
  known(
    "CVE-2026-24002: by foreign functions, and by the hierarchy of classes, into the interpreter's runtime",
    'emscripten-script',
    'foreign-system',
    'mro-walk',
    'forged-object',
  ),
  known(
    "an interpreter in a privileged process: the host's files, programs and environment",
    'device-files',
    'subprocess',
    'sibling-environment',
  ),
  known(
    "an interpreter on the page's own origin: its storage, and requests in the user's name",
    'read-databases',
    'page-request',
  ),
  known(
    'one file system for several runs',
    'file-outside-folder',
    'archive-climbing',
    'link-outside',
    'js-shared-files',
  ),
  known(
    'a worker whose globals were overwritten by a list of names',
    'fetch-from-prototype',
    'dynamic-import',
    'import-blob',
  ),
  known(
    'compartments and realm shims: objects of the host behind errors, callbacks, promises and call sites',
    'js-host-error',
    'js-callback-this',
    'js-promise-realm',
    'js-call-sites',
    'js-host-function',
  ),
  known(
    'compartments that bound neither time nor memory',
    'promises-without-end',
    'heap-javascript',
    'getter-without-end',
  ),
  known(
    'interpreters that abort when memory ends, in a job or with handles left',
    'memory-in-a-job',
    'collector-lists',
  ),
  known(
    "interpreters whose own stack ends after the host's",
    'deep-proxies',
    'deep-getters',
    'sort-inside-sort',
  ),
  known('an interrupt that is not looked at inside of one call', 'long-native-call'),
  known('an instance that two tenants share', 'renewed-worker', 'stale-memory', 'js-global-leak'),
  known(
    'modules that ask for more than they are given',
    'module-foreign-import',
    'module-inherited-import',
    'module-reference-import',
    'module-table-import',
  ),
  known(
    'a run without a limit on its time, or its memory',
    'query-without-end',
    'start-function-loop',
    'sleep-for-a-century',
  ),
  known(
    'values that are strings to be read again by the other side',
    'js-to-json',
    'forged-json-proto',
    'returned-proto',
  ),
];

/** Every way that is known. */
export const knownAttempts: readonly KnownAttempt[] = [
  ...requests,
  ...storage,
  ...messages,
  ...evaluation,
  ...limits,
  ...others,
];
