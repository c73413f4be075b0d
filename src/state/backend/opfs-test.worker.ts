/** For tests: a worker's own files, and a store opened in it. Answers each message `{ id, call, arguments }`. */
import type { BodyFolder } from './body.ts';
import { openOpfsFolder } from './opfs-folder.ts';
import { openOpfsStore } from './opfs.ts';
import type { Store } from '../store.ts';

const folders = new Map<string, BodyFolder>();
const stores = new Map<string, Store>();
const large = (fill: number): Uint8Array<ArrayBuffer> => new Uint8Array(1_000_000).fill(fill);

async function storeOf(name: string): Promise<Store> {
  const store = stores.get(name) ?? (await openOpfsStore({ name }));
  stores.set(name, store);
  return store;
}

const calls: Readonly<Record<string, (name: string, ...rest: never[]) => Promise<unknown>>> = {
  async openFolder(name) {
    const folder = await openOpfsFolder(name);
    folders.set(name, folder);
    return folder.canFlush;
  },
  write: async (name, ...rest: [string, Uint8Array<ArrayBuffer>]) => folders.get(name)?.write(...rest),
  read: async (name, file: string) => folders.get(name)?.read(file),
  remove: async (name, file: string) => folders.get(name)?.remove(file),
  list: async (name) => folders.get(name)?.list(),
  put: async (name, fill: number) =>
    (await storeOf(name)).commit([{ type: 'put', key: ['k'], value: large(fill) }]),
  replaceRelaxed: async (name) =>
    (await storeOf(name)).commit([{ type: 'put', key: ['k'], value: 'small' }], { durability: 'relaxed' }),
  get: async (name) => (await storeOf(name)).get(['k']),
  capabilities: async (name) => (await storeOf(name)).capabilities,
  close: async (name) => (await storeOf(name)).close(),
  /** Begins a commit and stops the worker's thread for good once its file is written. */
  async hang(name, fill: number) {
    const folder = await openOpfsFolder(name);
    const store = await openOpfsStore({
      name,
      openFolder: async () => ({
        canFlush: true,
        async write(...rest) {
          await folder.write(...rest);
          postMessage({ written: rest[0] });
          await new Promise(() => undefined);
        },
        read: (file) => folder.read(file),
        remove: (file) => folder.remove(file),
        list: () => folder.list(),
      }),
    });
    await store.commit([{ type: 'put', key: ['k'], value: large(fill) }]);
  },
};

addEventListener('message', ({ data }: MessageEvent<{ id: number; call: string; arguments: never[] }>) => {
  const [name, ...rest] = data.arguments as unknown as [string, ...never[]];
  calls[data.call]?.(name, ...rest).then(
    (value) => postMessage({ id: data.id, value }),
    (error: unknown) => postMessage({ id: data.id, error }),
  );
});
