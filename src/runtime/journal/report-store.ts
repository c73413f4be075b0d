/** Whoever opened a store may have had no hub to tell that it is a lesser one. */
import { fallbackOf } from '../../state/index.ts';
import type { Store } from '../../state/index.ts';
import type { Hub } from '../../telemetry/index.ts';

/** Tells the hub what the store fell back to, once. */
export function reportStore(store: Store, hub: Hub): void {
  const fallback = fallbackOf(store);
  const isTold = hub.degradations.some(({ what }) => what === 'store');
  if (fallback && !isTold) hub.emit({ type: 'platform-degrade', what: 'store', ...fallback });
}
