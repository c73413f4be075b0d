import { createMemoryStore } from './backend/memory.ts';
import { openIndexedDbStore } from './backend/indexeddb.ts';
import { describeStore } from './contract/store.contract.ts';

describeStore('memory', (wanted) => Promise.resolve(createMemoryStore(wanted)));
describeStore('indexeddb', (wanted) =>
  openIndexedDbStore({ ...wanted, name: `contract-${crypto.randomUUID()}` }),
);
