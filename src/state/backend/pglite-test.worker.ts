/** For tests: a Postgres in the worker's private files. Answers each message `{ id, call, arguments }`. */
import { openPgliteStore } from '../../pglite.ts';
import type { Store, Write } from '../store.ts';

let store: Store | undefined;

const calls: Readonly<Record<string, (...rest: never[]) => Promise<unknown>>> = {
  async open(dataDir: string) {
    store = await openPgliteStore({ dataDir, keepHistory: 2 });
    return store.capabilities;
  },
  commit: async (writes: readonly Write[]) => store?.commit(writes),
  get: async (key: readonly string[]) => store?.get(key),
  history: async (key: readonly string[]) => store?.history(key),
  close: async () => store?.close(),
};

addEventListener('message', ({ data }: MessageEvent<{ id: number; call: string; arguments: never[] }>) => {
  calls[data.call]?.(...data.arguments).then(
    (value) => postMessage({ id: data.id, value }),
    (error: { readonly code?: string; readonly message: string }) =>
      postMessage({ id: data.id, code: error.code ?? error.message }),
  );
});
