// Makes a database that nobody has used, and packs it: guests start from a copy of it instead of making one, which takes a second or two.
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PGlite } from '@electric-sql/pglite';

/** `print` says a line: a notice with a mark, which the guest's engine knows. It stands where nobody has to look for it. */
const functions = `
CREATE FUNCTION pg_catalog.print(value text) RETURNS void LANGUAGE plpgsql AS
  $$ BEGIN RAISE INFO USING MESSAGE = coalesce(value, ''), ERRCODE = 'VPRNT'; END $$;
CREATE FUNCTION pg_catalog.print(value anyelement) RETURNS void LANGUAGE plpgsql AS
  $$ BEGIN RAISE INFO USING MESSAGE = coalesce(value::text, ''), ERRCODE = 'VPRNT'; END $$;
`;

/** Of the other databases that a cluster begins with nobody can use anything: there is one connection, to the last one. */
const left = /^(?:base\/[14]\/|postmaster\.(?:pid|opts)$)/u;

/** @param {string} folder @returns {Promise<string[]>} paths below it; those of folders end with a slash */
async function listPaths(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .map(
      (entry) => `${relative(folder, join(entry.parentPath, entry.name))}${entry.isDirectory() ? '/' : ''}`,
    )
    .filter((path) => !left.test(path))
    .toSorted();
}

/** @returns {Promise<Uint8Array>} as `language/postgres/guest/template.ts` reads it */
export async function buildTemplate() {
  const folder = await mkdtemp(join(tmpdir(), 'vivarium-postgres-'));
  try {
    // small pieces of its log: each is a file in a guest's memory
    const database = await PGlite.create(folder, { initDbStartParams: ['--wal-segsize=1'] });
    await database.exec(functions);
    await database.exec('VACUUM FREEZE ANALYZE');
    await database.close();
    const paths = await listPaths(folder);
    const contents = await Promise.all(
      paths.map(async (path) => (path.endsWith('/') ? Buffer.alloc(0) : readFile(join(folder, path)))),
    );
    const list = Buffer.from(JSON.stringify(paths.map((path, index) => [path, contents[index].length])));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(list.length);
    return gzipSync(Buffer.concat([length, list, ...contents]), { level: 9 });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
