/**
 * Takes every global away that Python does not need. It is the second wall: the frame's rules already stop connections and storage,
 * this also takes what they allow (more workers, channels between guests, posting as the worker) out of reach.
 */

/** The language itself, minus `eval`; and the few parts of the platform that the interpreter calls after its start. */
const kept = new Set(
  [
    'Object Function Array Number Boolean String Symbol BigInt Date RegExp Promise JSON Math Intl Reflect Proxy Iterator',
    'Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError SuppressedError DOMException',
    'Atomics ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array',
    'Float16Array Float32Array Float64Array BigInt64Array BigUint64Array',
    'Map Set WeakMap WeakSet WeakRef FinalizationRegistry DisposableStack',
    'globalThis undefined NaN Infinity parseFloat parseInt isNaN isFinite',
    'WebAssembly TextDecoder TextEncoder setTimeout clearTimeout performance crypto',
  ].flatMap((names) => names.split(' ')),
);

/** What a guest's `console` does: nothing. The developer's console is not a channel for guests. */
function silentConsole(): object {
  const silent = (): undefined => undefined;
  return Object.fromEntries(
    ['log', 'info', 'warn', 'error', 'debug', 'trace'].map((name) => [name, silent] as const),
  );
}

/** Deletes from the global object and the prototypes above it, `Object.prototype` excepted; answers what could not be deleted. */
export function stripGlobals(scope: object): readonly string[] {
  const remaining: string[] = [];
  for (
    let level: object | null = scope;
    level && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    for (const key of Reflect.ownKeys(level)) {
      if (typeof key === 'symbol' || kept.has(key)) continue;
      if (!Reflect.deleteProperty(level, key)) remaining.push(key);
    }
  }
  Object.defineProperty(scope, 'console', { value: silentConsole() });
  return remaining;
}

/** What Python's `js` module shows: enough for conversions, without a prototype to walk. The engine adds timers. */
export function guestGlobals(): object {
  return Object.assign(Object.create(null) as object, {
    Object,
    Array,
    Map,
    Set,
    Promise,
    Error,
    Symbol,
    JSON,
  });
}
