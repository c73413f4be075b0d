/** The table of stores in docs/state.md is what the stores say of themselves. */
import { expect, test } from 'vitest';
import document from '../../../docs/state.md?raw';
import type { Store } from '../store.ts';
import { openIndexedDbStore } from './indexeddb.ts';
import { createMemoryStore } from './memory.ts';
import { openOpfsStore } from './opfs.ts';
import type { PgliteModule } from './pglite-engine.ts';
import { openPgliteStore } from '../../pglite.ts';

/** Flags are known before the engine answers anything; what a real one does is tested where it runs. */
const load = async (): Promise<PgliteModule> => ({
  PGlite: {
    create: async () => ({
      query: async () => ({ rows: [] }),
      exec: async () => undefined,
      transaction: () => Promise.reject(new Error('flags alone')),
      close: async () => undefined,
    }),
  },
});

const name = (): string => `capabilities-${crypto.randomUUID()}`;
const pglite =
  (dataDir: string) =>
  (keepHistory: number): Promise<Store> =>
    openPgliteStore({ dataDir, keepHistory, load });

type Row = readonly [string, string, (keepHistory: number) => Store | Promise<Store>];
const rows: readonly Row[] = [
  ['memory', '`createMemoryStore`', (keepHistory) => createMemoryStore({ keepHistory })],
  ['IndexedDB', '`openIndexedDbStore`', (keepHistory) => openIndexedDbStore({ name: name(), keepHistory })],
  ['IndexedDB and files', '`openOpfsStore`', (keepHistory) => openOpfsStore({ name: name(), keepHistory })],
  ["PGlite in a worker's files", '`openPgliteStore` with `opfs-ahp://…`', pglite('opfs-ahp://flags')],
  ['PGlite in a directory', '`openPgliteStore` with a path', pglite('/flags')],
  ['PGlite in memory', '`openPgliteStore` with `memory://`', pglite('memory://')],
];

const told = (flag: boolean): string => (flag ? 'yes' : 'no');

test('the table of stores in docs/state.md is what the stores say of themselves', async () => {
  const lines: string[] = [];
  for (const [store, opener, open] of rows) {
    const kept: number[] = [];
    let flags: string[] = [];
    for (const keepHistory of [1, 64]) {
      await using opened = await open(keepHistory);
      const { durable, strict, watch, sharedAcrossRealms, history, atomicCommits } = opened.capabilities;
      kept.push(history);
      flags = [durable, strict, watch, sharedAcrossRealms].map(told);
      flags.push(kept.join(' to '), told(atomicCommits));
    }
    lines.push(`| ${[store, opener, ...flags].join(' | ')} |`);
  }
  const table = document
    .split('<!-- capabilities')[1]
    ?.split('\n')
    .slice(4, 4 + rows.length);
  expect(table).toEqual(lines);
});
