import 'fake-indexeddb/auto';
import { afterEach, expect, test, vi } from 'vitest';
import { createHub } from '../../telemetry/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import { Services } from './services.ts';

afterEach(() => vi.restoreAllMocks());

test('a part that cannot be made closes the store that is open by then', async () => {
  const closed = vi.spyOn(IDBDatabase.prototype, 'close');
  const hub = createHub();
  // without workers the runtime reports that, as its last act of construction
  const broken: Hub = {
    ...hub,
    emit: (event) => {
      if (event.type === 'platform-degrade' && event.what === 'host') throw new Error('no room');
      hub.emit(event);
    },
  };
  await expect(Services.open(broken, 'leaking')).rejects.toThrow('no room');
  expect(closed).toHaveBeenCalledOnce();
});
