/** First in the bundle: the interpreter's loader calls `importScripts` to see whether it is in a classic worker, and gives up then. */
Object.defineProperty(globalThis, 'importScripts', { value: undefined });
export {};
