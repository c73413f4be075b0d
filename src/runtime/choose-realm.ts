/** Where modules run: in workers, or in this very realm where there are none. */
import { defaultActorLimits, inThreadRealm, workerRealm } from '../actor/index.ts';
import type { Realm } from '../actor/index.ts';
import { CodedError } from '../base/index.ts';
import { hasWorkers } from '../platform/index.ts';
import type { Hub } from '../telemetry/index.ts';
import { ModuleCatalog } from './version/module-catalog.ts';
import type { Modules } from './version/module-catalog.ts';
import type { RuntimeOptions } from './runtime-options.ts';
import { toKinds } from './worker/serve.ts';

export interface RealmChoice {
  /** @throws `runtime/no-realm` where there is neither a worker nor a class */
  readonly createRealm: (name: string) => Realm;
  /** Whether a realm that hangs can be ended. */
  readonly isWatched: boolean;
}

/** A lesser way than workers is told to the hub. */
export function chooseRealm<M extends Modules>(options: RuntimeOptions<M>, hub: Hub): RealmChoice {
  const { worker } = options;
  if (worker !== undefined && hasWorkers) {
    return { createRealm: (name) => workerRealm(() => worker(name)), isWatched: true };
  }
  const reason = worker ? 'the platform has no Worker' : 'no worker was given to createRuntime';
  hub.emit({ type: 'platform-degrade', what: 'host', from: 'worker', to: 'page', reason });
  return { createRealm: () => createInThread(options), isWatched: false };
}

function createInThread<M extends Modules>(options: RuntimeOptions<M>): Realm {
  const { modules, moduleImport, optimizers, metrics, portLimits, actorLimits } = options;
  if (!modules) {
    throw new CodedError(
      'runtime/no-realm',
      'this platform has no workers; pass `modules` to createRuntime to host them on the page',
    );
  }
  const catalog = new ModuleCatalog(modules, moduleImport);
  return inThreadRealm(toKinds(modules, catalog, { optimizers, metrics }), {
    limits: { ...defaultActorLimits, ...actorLimits },
    ...(portLimits ? { portLimits } : {}),
  });
}
