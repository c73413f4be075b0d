/** What the session is made of: store, runtime, sandbox, numeric core and their one event stream. */
import { Scope, toCodedError } from '../../base/index.ts';
import { createCompute } from '../../compute/index.ts';
import type { Compute } from '../../compute/index.ts';
import { createPythonExecutor } from '../../executor/index.ts';
import { randomHex, systemRandom } from '../../platform/index.ts';
import { createRuntime } from '../../runtime/index.ts';
import type { Runtime } from '../../runtime/index.ts';
import { openPageStore, watchQuota, withJournal } from '../../state/index.ts';
import type { JournaledStore, QuotaWatch, Store } from '../../state/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { modules } from './modules.worker.ts';
import { spawnModulesWorker } from './spawn-modules-worker.ts';

/** The kinds that the worker serves. */
export type PlaygroundModules = typeof modules;

interface OpenedStore {
  readonly store: Store;
  readonly journal: JournaledStore | undefined;
  readonly quota: QuotaWatch;
}

/** A journal that cannot be opened costs the way back, not the page. */
async function openStore(scope: Scope, name: string, hub: Hub): Promise<OpenedStore> {
  const quota = watchQuota(scope.use(await openPageStore({ name, hub })), { hub, persist: neverByItself });
  try {
    const prefixes = [['module'], ['shared']];
    const journal = await withJournal(quota.store, { prefixes, hub });
    return { store: journal, journal, quota };
  } catch (thrown) {
    const { code, message } = toCodedError(thrown, 'state/journal-damaged');
    hub.emit({ type: 'store-fail', store: quota.store.name, error: { code, message } });
    return { store: quota.store, journal: undefined, quota };
  }
}

/** The page asks for persistence at a moment of its own. */
const neverByItself = (): Promise<boolean> => Promise.resolve(false);

const sandboxFiles = '/sandbox/';

/** Everything that has to be closed. */
export class Services implements AsyncDisposable {
  readonly store: Store;
  /** The same store, where earlier times are kept. */
  readonly journal: JournaledStore | undefined;
  readonly quota: QuotaWatch;
  readonly runtime: Runtime<PlaygroundModules>;
  readonly compute: Compute;
  /** Address of the edited module that the next worker serves; undefined for the shipped one. */
  edit: string | undefined;
  readonly #scope: Scope;
  /** Other tabs have workers of the same runtime names. */
  readonly #pageId: string = randomHex(systemRandom, 4);

  private constructor(scope: Scope, { store, journal, quota }: OpenedStore, hub: Hub) {
    this.#scope = scope;
    this.store = store;
    this.journal = journal;
    this.quota = quota;
    this.compute = this.#scope.use(createCompute({ hub }));
    const executor = this.#scope.use(
      createPythonExecutor({
        assets: { baseUrl: sandboxFiles },
        frame: { url: `${sandboxFiles}frame.html` },
        hub,
      }),
    );
    this.runtime = this.#scope.use(
      createRuntime<PlaygroundModules>({
        worker: (name) =>
          spawnModulesWorker(
            this.workerName(name),
            this.edit === undefined ? undefined : { edit: this.edit },
          ),
        store,
        hub,
        executor,
        poolSize: 1,
      }),
    );
  }

  /** @throws what `openPageStore` throws; memory stands in for refused storage, with an event */
  static async open(hub: Hub, storeName: string): Promise<Services> {
    const scope = new Scope();
    try {
      const opened = await openStore(scope, storeName, hub);
      scope.add(() => opened.quota.stop());
      scope.add(() => opened.journal?.close());
      return new Services(scope, opened, hub);
    } catch (error) {
      // nobody else could close what is open by now
      await scope.dispose().catch(() => undefined);
      throw error;
    }
  }

  /** The name under which a worker of this page listens for the kill buttons. */
  workerName(name: string): string {
    return `${name}-${this.#pageId}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#scope.dispose();
  }
}
