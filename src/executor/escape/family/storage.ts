/** Ways to the page's own storage: to write there, and to read what is there. */
import type { EscapeAttempt } from '../attempt.ts';
import { inPython, inWorker } from '../write-attempt.ts';
import type { Plan } from '../write-attempt.ts';

const plan = (id: string, mechanism: string, watcher: Plan['watcher'], control: Plan['control']): Plan => ({
  id,
  mechanism,
  watcher,
  control,
});
const python = (id: string, mechanism: string, body: string): EscapeAttempt =>
  inPython('storage', plan(id, mechanism, 'storage', 'without walls'), body);
const absent = (id: string, mechanism: string, body: string): EscapeAttempt =>
  inPython('storage', plan(id, mechanism, 'storage', 'absent'), body);
const reading = (id: string, mechanism: string, body: string): EscapeAttempt =>
  inWorker('storage', plan(id, mechanism, 'secret', 'without walls'), body);

export const storageAttempts: readonly EscapeAttempt[] = [
  python('indexed-db', 'a database is made', 'r = scope.indexedDB.open("{token}", 1)'),
  python('cache-storage', 'a cache is made', 'await scope.caches.open("{token}")'),
  python(
    'private-files',
    'a file is made in the private file system',
    'd = await scope.navigator.storage.getDirectory()\nawait d.getFileHandle("{token}", options(create=True))',
  ),
  python(
    'locks',
    'a lock is taken and kept',
    'scope.navigator.locks.request("{token}", ffi.create_proxy(lambda lock: scope.Promise.new(ffi.create_proxy(lambda *a: None))))',
  ),
  python('storage-buckets', 'a bucket is made', 'await scope.navigator.storageBuckets.open("{token}")'),
  python(
    'mounted-database',
    "a folder of the runtime's own that is kept in a database",
    'import asyncio\nfs = loader.FS\nfs.mkdir("/{token}")\nfs.mount(fs.filesystems.IDBFS, options(), "/{token}")\nopen("/{token}/f", "w").write("x")\nfs.syncfs(False, ffi.create_proxy(lambda *a: None))\nawait asyncio.sleep(0.3)\nfs.unmount("/{token}")',
  ),
  reading(
    'read-databases',
    "the names of the page's databases",
    'guest.print(JSON.stringify(await indexedDB.databases()))',
  ),
  reading(
    'read-caches',
    "the names of the page's caches",
    'guest.print(JSON.stringify(await caches.keys()))',
  ),
  reading(
    'read-private-files',
    "the names of the page's private files",
    'const folder = await navigator.storage.getDirectory()\nfor await (const name of folder.keys()) guest.print(name)',
  ),
  reading(
    'read-locks',
    'the names of the locks that the page holds',
    'guest.print(JSON.stringify(await navigator.locks.query()))',
  ),
  absent('local-storage', 'localStorage', 'scope.localStorage.setItem("{token}", "1")'),
  absent('session-storage', 'sessionStorage', 'scope.sessionStorage.setItem("{token}", "1")'),
  absent('cookie', 'a cookie of the document', 'scope.document.cookie = "{token}=1"'),
  absent('cookie-store', 'the cookie store', 'await scope.cookieStore.set("{token}", "1")'),
];
