/** Looks what has got into the page's own storage, and puts a secret there. It reads by every way a page has, none of them a store of ours. */
import { sleep, systemClock } from '../../platform/index.ts';

type Names = () => Promise<readonly string[]>;

/** Parts of the platform that may be missing; read through the global object because this page only looks. */
const part = <T>(name: string): T => Reflect.get(globalThis, name) as T;

/** Not every engine has them. */
const privateFiles = (): Promise<FileSystemDirectoryHandle> | undefined =>
  (part<Navigator>('navigator').storage as StorageManager | undefined)?.getDirectory?.();

async function namesOfPrivateFiles(): Promise<readonly string[]> {
  const root = await privateFiles();
  if (!root) return [];
  const names: string[] = [];
  for await (const name of (root as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name);
  return names;
}

interface Buckets {
  keys(): Promise<string[]>;
  delete(name: string): Promise<void>;
}
const buckets = (): Buckets | undefined =>
  Reflect.get(part<object>('navigator'), 'storageBuckets') as Buckets | undefined;

const places: Readonly<Record<string, Names>> = {
  indexedDB: async () => (await part<IDBFactory>('indexedDB').databases()).map(({ name }) => name ?? ''),
  caches: () => part<CacheStorage>('caches').keys(),
  'private files': namesOfPrivateFiles,
  locks: async () => {
    const { held = [], pending = [] } = await part<Navigator>('navigator').locks.query();
    return [...held, ...pending].map(({ name }) => name ?? '');
  },
  'storage buckets': async () => (await buckets()?.keys()) ?? [],
  localStorage: () => Promise.resolve(Object.keys(part<object>('localStorage'))),
  sessionStorage: () => Promise.resolve(Object.keys(part<object>('sessionStorage'))),
  cookies: () => Promise.resolve([document.cookie]),
};

/** What a place holds that can be read. */
export type Stored = readonly { readonly place: string; readonly name: string }[];

/** Everything that the page's storage holds now, by name. */
export async function listStored(): Promise<Stored> {
  const found = await Promise.all(
    Object.entries(places).map(async ([place, names]) =>
      (await names().catch(() => [])).map((name) => ({ place, name })),
    ),
  );
  return found.flat();
}

/** Takes away what the control has let in. */
export async function removeStored(token: string): Promise<void> {
  const { indexedDB: databases, caches } = {
    indexedDB: part<IDBFactory>('indexedDB'),
    caches: part<CacheStorage>('caches'),
  };
  // a mounted file system is called as its folder
  for (const name of [token, `/${token}`]) databases.deleteDatabase(name);
  await caches.delete(token).catch(() => undefined);
  await (await privateFiles())?.removeEntry(token).catch(() => undefined);
  await buckets()
    ?.delete(token)
    .catch(() => undefined);
}

/** Names a database, a cache, a private file and a lock of the page `secret`; disposing takes them away. */
export async function plantSecret(secret: string): Promise<AsyncDisposable> {
  part<IDBFactory>('indexedDB').open(secret, 1).onsuccess = function keep() {
    this.result.close();
  };
  await part<CacheStorage>('caches').open(secret);
  await (await privateFiles())?.getFileHandle(secret, { create: true });
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  void part<Navigator>('navigator').locks.request(secret, () => held);
  while (!(await listStored()).some(({ place, name }) => place === 'indexedDB' && name === secret))
    await sleep(systemClock, 10);
  return {
    async [Symbol.asyncDispose]() {
      release();
      await removeStored(secret);
    },
  };
}
