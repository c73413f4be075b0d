/** Looks whether a token has got into the page's own storage. It reads by every way a page has, none of them a store of ours. */

type Names = () => Promise<readonly string[]>;

/** Parts of the platform that may be missing; read through the global object because this page only looks. */
const part = <T>(name: string): T => Reflect.get(globalThis, name) as T;

async function entriesOfPrivateFiles(): Promise<readonly string[]> {
  const root = await part<Navigator>('navigator').storage.getDirectory();
  const names: string[] = [];
  for await (const name of (root as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name);
  return names;
}

const places: Readonly<Record<string, Names>> = {
  indexedDB: async () => (await part<IDBFactory>('indexedDB').databases()).map(({ name }) => name ?? ''),
  caches: () => part<CacheStorage>('caches').keys(),
  'private files': entriesOfPrivateFiles,
  locks: async () => {
    const { held = [], pending = [] } = await part<Navigator>('navigator').locks.query();
    return [...held, ...pending].map(({ name }) => name ?? '');
  },
  'storage buckets': async () =>
    (await (
      Reflect.get(part<object>('navigator'), 'storageBuckets') as { keys(): Promise<string[]> } | undefined
    )?.keys()) ?? [],
  localStorage: () => Promise.resolve(Object.keys(part<object>('localStorage'))),
  sessionStorage: () => Promise.resolve(Object.keys(part<object>('sessionStorage'))),
  cookies: () => Promise.resolve([document.cookie]),
};

/** The places that hold the token now. */
export async function findToken(token: string): Promise<readonly string[]> {
  const found = await Promise.all(
    Object.entries(places).map(async ([place, names]) => {
      const present = await names().catch(() => []);
      return present.some((name) => name.includes(token)) ? place : undefined;
    }),
  );
  return found.filter((place) => place !== undefined);
}

/** Takes away what the control has let in. */
export async function removeToken(token: string): Promise<void> {
  part<IDBFactory>('indexedDB').deleteDatabase(token);
  await part<CacheStorage>('caches').delete(token);
  const root = await part<Navigator>('navigator').storage.getDirectory();
  await root.removeEntry(token).catch(() => undefined);
  const buckets = Reflect.get(part<object>('navigator'), 'storageBuckets') as
    | { delete(name: string): Promise<void> }
    | undefined;
  await buckets?.delete(token).catch(() => undefined);
}
