/** A record with many versions: its latest, beside a bare get of the same state among as many. */
import type { IDBPDatabase } from 'idb';
import { createMemoryStore } from '../backend/memory.ts';
import { createRecords } from '../record/records.ts';
import type { Store, Write } from '../store.ts';
import { kilobyte, rawPut, rawRecord, reportContest, withDatabases } from './measure.bench.ts';
import type { Bench } from './measure.bench.ts';

const id = 'program';
const perCommit = 1000;
const stateOf = (version: number): object => ({ ...kilobyte, version });

/** Made in memory and copied entry by entry: as many transactions one after the other take a minute. */
async function fill(store: Store, versions: number): Promise<void> {
  const memory = createMemoryStore();
  const records = createRecords(memory);
  for (let version = 1; version <= versions; version++) await records.save(id, stateOf(version));
  const entries = await memory.list([], { limit: 10_000 });
  let page = entries;
  while (page.length > 0) {
    for (let start = 0; start < page.length; start += perCommit) {
      const writes = page
        .slice(start, start + perCommit)
        .map(({ key, value }): Write => ({ type: 'put', key, value }));
      await store.commit(writes, { durability: 'relaxed' });
    }
    page = await memory.list([], { limit: 10_000, after: page.at(-1)?.key ?? [] });
  }
  await memory.close();
}

async function fillRaw(database: IDBPDatabase, versions: number): Promise<void> {
  for (let start = 1; start <= versions; start += perCommit) {
    const length = Math.min(perCommit, versions + 1 - start);
    const some = Array.from({ length }, (_, index) =>
      rawRecord(`${id}/${start + index}`, stateOf(start + index)),
    );
    await rawPut(database, some, 'relaxed');
  }
}

export async function benchVersions(bench: Bench): Promise<void> {
  const versions = bench.isSmall ? 100 : 10_000;
  await withDatabases(async (store, database) => {
    await fill(store, versions);
    await fillRaw(database, versions);
    const records = createRecords(store);
    const latest = await records.load<{ readonly version: number }>(id);
    if (latest?.state.version !== versions)
      throw new Error(`the latest version is ${latest?.state.version}, not ${versions}`);
    await reportContest(bench, {
      name: `load of the latest of ${versions} versions of 1 KB, verified`,
      goal: 2,
      iterations: 100,
      async ours() {
        // sabotaged, it is looked for
        if (bench.sabotage) await records.versions(id);
        await records.load(id);
      },
      beside: () => database.get('raw', `${id}/${versions}`),
    });
  });
}
