import { createMemoryStore } from './backend/memory.ts';
import { openIndexedDbStore } from './backend/indexeddb.ts';
import { describeStore } from './contract/store.contract.ts';

describeStore('memory', () => Promise.resolve(createMemoryStore()));
describeStore('indexeddb', () => openIndexedDbStore({ name: `contract-${crypto.randomUUID()}` }));
