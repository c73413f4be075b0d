import 'fake-indexeddb/auto';
import { describeFaults } from './fault.contract.ts';
import { openIndexedDbStore } from './indexeddb.ts';

describeFaults('indexeddb (simulated)', (name) => openIndexedDbStore({ name }));
