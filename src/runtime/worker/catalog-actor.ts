/** An actor without a module: it answers for what its worker can host, and is gone again. */
import type { StartBehaviour } from '../../actor/index.ts';
import { CodedError } from '../../base/index.ts';
import type { ModuleCatalog } from '../version/module-catalog.ts';
import type { LoadBody, VersionsBody } from '../module-protocol.ts';

export function createCatalogActor(catalog: ModuleCatalog): StartBehaviour {
  return () => ({
    call(method, body, { signal }) {
      if (method === 'versions') return catalog.versionsOf((body as VersionsBody).kind);
      if (method === 'load') {
        const { kind, url, loaded, timeoutMs } = body as LoadBody;
        return catalog.load(kind, url, { loaded, timeoutMs, signal });
      }
      throw new CodedError('runtime/method-not-found', `a catalog has no method "${method}"`, {
        fields: { method },
      });
    },
  });
}
