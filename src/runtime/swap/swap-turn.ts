/**
 * A hot swap is one turn of the module's mailbox: another instance is constructed, the state is read, migrated and loaded, and only
 * then does it serve. A turn that waits for its code holds back what comes meanwhile; when it fails, the old instance has never stopped.
 */
import type { CallContext } from '../../actor/index.ts';
import { cancellation } from '../../platform/index.ts';
import { describeHosting, handOver, reloading, succeed } from '../worker/hosting.ts';
import type { Hosting } from '../worker/hosting.ts';
import type { ModuleVersion } from '../version/module-class.ts';
import { refuseMisfit } from '../sub-module/part-shape.ts';
import { refuseFamily, servedFor } from '../sub-module/refuse-family.ts';
import type {
  ModuleSwapBody,
  SwapAnswer,
  SwapBody,
  UpdateBody,
  UpdateCheckAnswer,
  UpdateCheckBody,
} from '../module-protocol.ts';

export interface SwapOptions {
  readonly actor: string;
  readonly current: () => Hosting;
  /** Tells the page. When it fails, nothing has happened. */
  readonly announce: (body: Omit<ModuleSwapBody, 'incarnation' | 'sequence'>) => void;
  readonly takeOver: (next: Hosting) => void;
  readonly run: (method: string, body: unknown, call: CallContext) => unknown;
}

interface Waiting {
  readonly method: string;
  readonly body: unknown;
  readonly call: CallContext;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class SwapTurn {
  readonly #options: SwapOptions;
  #waiting: Waiting[] | undefined;

  constructor(options: SwapOptions) {
    this.#options = options;
  }

  /** Whether a swap waits for its code. */
  get isOpen(): boolean {
    return this.#waiting !== undefined;
  }

  /** Holds a call back until the turn is over. The mailbox counts it, and refuses more than its bound. */
  queue(method: string, body: unknown, call: CallContext): Promise<unknown> {
    return new Promise((resolve, reject) => this.#waiting?.push({ method, body, call, resolve, reject }));
  }

  /**
   * @throws `runtime/hot-reload-failed`, `runtime/state-migration-failed`, `runtime/version-not-found`, `runtime/module-load-failed`,
   *   `runtime/module-url-refused`, `runtime/sub-module-mismatch`; the module serves as before then
   */
  run(body: SwapBody, call: CallContext): SwapAnswer | Promise<SwapAnswer> {
    const target = this.#targetOf(body, call);
    if (target instanceof Promise) return this.#runLater(target, body, call);
    return this.#perform(target, body);
  }

  /**
   * Whether the module and its family could take the code that is served now. Nothing changes.
   * @throws as {@link run}
   */
  check({ family, shared }: UpdateCheckBody): UpdateCheckAnswer {
    const before = this.#options.current();
    const source = newestOf(before);
    if (!source) return undefined;
    refuseFamily(before.catalog, family);
    const after = succeed(before, source, { shared });
    reloading(`${before.source.version} → ${source.version}`, () => describeHosting(after));
    return { edition: source.edition };
  }

  /** Takes a class that was checked. `undefined` when it is the module's own. @throws as {@link run} */
  update(body: UpdateBody): SwapAnswer | undefined {
    const before = this.#options.current();
    const { catalog, kind, source } = before;
    const checked = body.edition && catalog.edition(kind, source.version, body.edition);
    const target = checked ?? newestOf(before);
    return target && target.Class !== source.Class ? this.#perform(target, body) : undefined;
  }

  async #runLater(target: Promise<ModuleVersion>, body: SwapBody, call: CallContext): Promise<SwapAnswer> {
    this.#waiting = [];
    try {
      const source = await target;
      // whoever asked has gone: it must not happen behind the back of everybody
      if (call.signal.aborted) throw cancellation(call.signal);
      return this.#perform(source, body);
    } finally {
      this.#letGo();
    }
  }

  #targetOf(body: SwapBody, call: CallContext): ModuleVersion | Promise<ModuleVersion> {
    const { catalog, kind } = this.#options.current();
    const { version, url, loaded, timeoutMs } = body;
    // the signal costs a controller: only code that is not here yet waits
    const signal = url === undefined && loaded.length === 0 ? undefined : call.signal;
    return catalog.resolve(kind, { version, url, loaded, timeoutMs, signal });
  }

  #perform(source: ModuleVersion, body: Pick<SwapBody, 'fit' | 'previous' | 'shared'>): SwapAnswer {
    const { actor, current, announce, takeOver } = this.#options;
    const before = current();
    const after = succeed(before, source, body);
    const [from, to] = [before.source.version, source.version];
    const taken = after.taken ?? { from, same: [], ...after.predictors };
    const described = reloading(`${from} → ${to}`, () => describeHosting(after));
    if (body.fit) refuseMisfit(actor, described, body.fit);
    reloading(`${from} → ${to}`, () => announce({ module: actor, ...described, taken }));
    handOver(before, after, actor);
    takeOver(after);
    return { from, to };
  }

  /** In the order in which they came, before anything that comes later. */
  #letGo(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const { method, body, call, resolve, reject } of waiting) {
      try {
        // a caller that no longer waits is answered already
        if (call.signal.aborted) throw cancellation(call.signal);
        // while a swap among them waits for its code, what is behind it waits too
        resolve(this.isOpen ? this.queue(method, body, call) : this.#options.run(method, body, call));
      } catch (error) {
        reject(error);
      }
    }
  }
}

/** What is served now in the place of the module's class; undefined when that is still itself, or is from a file. */
function newestOf({ catalog, kind, source }: Hosting): ModuleVersion | undefined {
  const served = servedFor(catalog, { kind, version: source.version, url: source.url });
  return served?.Class === source.Class ? undefined : served;
}
