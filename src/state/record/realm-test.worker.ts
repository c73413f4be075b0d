/** Another realm for the tests in the browser: it saves records and holds a lease on orders of the page. */
import { isCodedError } from '../../base/index.ts';
import { openIndexedDbStore } from '../backend/indexeddb.ts';
import { acquireWriterLease } from '../lease.ts';
import type { WriterLease } from '../lease.ts';
import type { Store } from '../store.ts';
import { createRecords } from './records.ts';
import { saverOf } from './save-history.contract.ts';
import type { SaverStep } from './save-history.contract.ts';

/** What the page may ask. */
export type RealmOrder =
  | { readonly type: 'open'; readonly database: string }
  | {
      readonly type: 'step';
      readonly id: string;
      readonly step: SaverStep;
      readonly seen: string | null;
      readonly state: string;
    }
  | { readonly type: 'acquire'; readonly name: string }
  /** Holds the thread, as a frozen tab does, until the bell is rung, and then commits with the lease. */
  | { readonly type: 'sleep-commit'; readonly bell: SharedArrayBuffer; readonly value: string };

let store: Store | undefined;
let lease: WriterLease | undefined;

async function obey(order: RealmOrder): Promise<unknown> {
  if (order.type === 'open') {
    store = await openIndexedDbStore({ name: order.database });
    return 'open';
  }
  if (!store) throw new Error('no store is open');
  switch (order.type) {
    case 'step':
      return saverOf(createRecords(store), order.id)(order.step, order.seen, order.state);
    case 'acquire':
      lease = await acquireWriterLease(store, order.name);
      return lease.token;
    case 'sleep-commit':
      Atomics.wait(new Int32Array(order.bell), 0, 0);
      await lease?.commit([{ type: 'put', key: ['k'], value: order.value }]);
      return 'committed';
  }
}

addEventListener('message', ({ data, ports }: MessageEvent<RealmOrder>) => {
  obey(data).then(
    (answer) => ports[0]?.postMessage({ answer }),
    (error: unknown) => ports[0]?.postMessage({ error: isCodedError(error) ? error.code : String(error) }),
  );
});
