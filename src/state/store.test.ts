import 'fake-indexeddb/auto';
import { createMemoryStore } from './backend/memory.ts';
import { openIndexedDbStore } from './backend/indexeddb.ts';
import { describeStore } from './contract/store.contract.ts';

let count = 0;

describeStore('memory', () => Promise.resolve(createMemoryStore()));
describeStore('indexeddb (simulated)', () => openIndexedDbStore({ name: `contract-${count++}` }));
