/** The page's side of hot swaps: who asks for one, and what the record of a module becomes when another instance has taken over. */
import { CodedError, isCodedError, messageOf } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { CallOptions } from '../../port/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import { checkReach } from '../check-option.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import { toAbsoluteUrl } from '../version/import-module.ts';
import { ownPartOf } from '../worker/introduce.ts';
import type { RuntimeLimits } from '../limits.ts';
import { swapUnderWay, whileCompiled } from '../module-error.ts';
import type { Described, ModuleSwapBody, SwapBody } from '../module-protocol.ts';
import { fitOf } from '../sub-module/part-shape.ts';
import type { ModuleVersions } from '../version/module-versions.ts';
import { inTurn } from '../parameter/whole-change.ts';
import { CodeUpdates } from './code-updates.ts';

/** What a module is swapped to: a version that is known, or the newest of those that a file exports. */
export type SwapTarget =
  | { readonly version: string; readonly url?: string | URL }
  | { readonly url: string | URL; readonly version?: string };

export interface SwapOptions {
  /** Default 120,000. The wait for changes that were asked for before is part of it. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The versions before and after. */
export interface SwapOutcome {
  readonly from: string;
  readonly to: string;
}

export interface HotSwapOptions {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly limits: RuntimeLimits;
  readonly versions: ModuleVersions;
  readonly onStoreFailure: (error: unknown) => void;
  /** What a module's parameters are bound to now, by name; undefined when nothing is. */
  readonly sharedValues: (module: HostedModuleRecord) => Readonly<Record<string, unknown>> | undefined;
}

type Wanted = Pick<SwapBody, 'version' | 'url' | 'previous'>;

export class HotSwap {
  readonly #options: HotSwapOptions;
  /** The write of a module's last succession. */
  readonly #writes = new WeakMap<HostedModuleRecord, Promise<void>>();

  readonly #updates: CodeUpdates;

  constructor(options: HotSwapOptions) {
    this.#options = options;
    const { clock, limits, sharedValues } = options;
    this.#updates = new CodeUpdates({
      clock,
      limits,
      sharedValues,
      written: (module) => this.#writes.get(module),
      onFailure: (module, error) => this.#tellFailure(module, error),
    });
  }

  /** @throws what `ModuleHandle.swap` does */
  async swap(
    module: HostedModuleRecord,
    target: SwapTarget,
    options: SwapOptions = {},
  ): Promise<SwapOutcome> {
    const wanted = checkTarget(target);
    checkReach(options);
    return this.#told(module, this.#ask(module, wanted, options));
  }

  /** @throws what `ModuleHandle.rollback` does */
  async rollback(module: HostedModuleRecord, options: SwapOptions = {}): Promise<SwapOutcome> {
    checkReach(options);
    const { previous } = module.journal;
    if (!previous) throw neverSwapped(module.id);
    const { version, url } = previous;
    return this.#told(module, this.#ask(module, { version, url, previous }, options));
  }

  /** The worker serves other code: modules whose class was exchanged take it, those that must not stay as they are. */
  onCatalogChange(modules: readonly HostedModuleRecord[], kinds: readonly string[]): void {
    this.#updates.onCatalogChange(modules, kinds);
  }

  /** Another instance serves since this message was sent: whatever comes after it is of the new one. */
  onSwap(module: HostedModuleRecord, body: ModuleSwapBody): void {
    const written = this.#succeed(module, body);
    this.#writes.set(module, written);
    // whoever asked for the swap waits for it too
    written.catch((error: unknown) => this.#options.onStoreFailure(error));
    // nobody asked: it was started again, by a worker that began with newer code, which its family may be able to take by now
    if (!module.swapping) this.#updates.onCatalogChange([module], [module.kind]);
  }

  /** A module that was started says what it is. Resolves when what an older version had stored is stored anew. */
  async introduce(module: HostedModuleRecord, described: Described): Promise<void> {
    const { taken, description, url, edition } = described;
    if (!taken) {
      const { state, descriptions } = ownPartOf(described);
      module.description = description;
      module.source = { version: description.version, url, edition };
      return module.journal.begin(state, descriptions);
    }
    if (taken.from !== description.version) module.migratedFrom = taken.from;
    await this.#succeed(module, described);
  }

  #succeed(module: HostedModuleRecord, described: Described & { readonly sequence?: number }): Promise<void> {
    const { description, taken, url, edition, sequence } = described;
    if (!taken) return Promise.resolve();
    const { state, descriptions } = ownPartOf(described);
    module.description = description;
    const previousUrl = module.source.url;
    const { version } = state;
    module.source = { version, url, edition };
    // whatever comes of the write, a restart needs the file
    if (url !== undefined) this.#options.versions.add(module.kind, { version, url });
    const atMs = this.#options.clock.now();
    module.journal.succeed({ state, descriptions, taken, previousUrl, atMs, sequence });
    return module.journal.persistSuccession('strict');
  }

  async #ask(module: HostedModuleRecord, wanted: Wanted, options: SwapOptions): Promise<SwapOutcome> {
    if (!module.hotReload) throw disabled(module.id);
    if (module.swapping) throw swapUnderWay(module.id);
    const compiled = compiledWith(module);
    if (compiled) throw whileCompiled(compiled.id);
    const swapping = this.#perform(module, wanted, options);
    module.swapping = swapping;
    try {
      return await swapping;
    } finally {
      module.swapping = undefined;
    }
  }

  async #perform(module: HostedModuleRecord, wanted: Wanted, options: SwapOptions): Promise<SwapOutcome> {
    const { clock, limits } = this.#options;
    const { timeoutMs = limits.callTimeoutMs, signal } = options;
    const endMs = clock.monotonic() + timeoutMs;
    // changes that are committed and not yet put in belong to the instance that was asked about them
    return inTurn([module], { clock, timeoutMs, signal, isAlone: true }, () => {
      const leftMs = Math.max(0, Math.ceil(endMs - clock.monotonic()));
      return this.#takeTurn(module, wanted, { timeoutMs: leftMs, signal });
    });
  }

  async #takeTurn(module: HostedModuleRecord, wanted: Wanted, reach: CallOptions): Promise<SwapOutcome> {
    const { versions, limits, clock, sharedValues } = this.#options;
    const fit = fitOf(module);
    const timeoutMs = limits.importTimeoutMs;
    const ask = (): Promise<unknown> => {
      const loaded = versions.loadedOf(module.kind);
      const shared = sharedValues(module);
      const given = { ...(fit && { fit }), ...(shared && { shared }) };
      const body: SwapBody = { ...wanted, loaded, timeoutMs, ...given };
      return module.call('swap', body, reach);
    };
    const reading = { kind: module.kind, url: wanted.url, limit: { clock, ...reach } };
    const { successions } = module.journal;
    const from = module.source.version ?? '0.0.0';
    try {
      await versions.readAlone(reading, ask);
    } catch (error) {
      // it may have taken over and have died before it could answer: the page knows
      if (module.journal.successions === successions) throw error;
    }
    await this.#writes.get(module);
    const { version: to = from } = module.source;
    return { from, to };
  }

  async #told(module: HostedModuleRecord, swapping: Promise<SwapOutcome>): Promise<SwapOutcome> {
    try {
      return await swapping;
    } catch (error) {
      this.#tellFailure(module, error);
      throw error;
    }
  }

  #tellFailure({ id, kind }: HostedModuleRecord, error: unknown): void {
    const code = isCodedError(error) ? error.code : 'runtime/hot-reload-failed';
    const told = { code, message: messageOf(error) };
    this.#options.hub.emit({ type: 'module-swap-fail', module: id, kind, error: told });
  }
}

function checkTarget(target: SwapTarget): { readonly version?: string; readonly url?: string } {
  // whoever writes no types may give none
  const { version, url } = (target ?? {}) as Partial<Record<'version' | 'url', unknown>>;
  const isVersion = version === undefined || typeof version === 'string';
  const isUrl = url === undefined || typeof url === 'string' || url instanceof URL;
  if (!isVersion || !isUrl || (version === undefined && url === undefined)) {
    throw new CodedError(
      'runtime/swap-target-invalid',
      'a swap needs a version, the url of a file, or both',
      {
        fields: { version: typeof version, url: typeof url },
      },
    );
  }
  return {
    ...(version === undefined ? {} : { version }),
    ...(url === undefined ? {} : { url: toAbsoluteUrl(url) }),
  };
}

function disabled(module: string): CodedError {
  return new CodedError(
    'runtime/hot-reload-disabled',
    `module "${module}" was started with hotReload: false; stop it and start another version instead`,
    { fields: { module } },
  );
}

/** The module, or one around it, that is being compiled: what comes of it is for those who served when it began. */
function compiledWith(module: HostedModuleRecord): HostedModuleRecord | undefined {
  if (module.journal.memory.compilation.status === 'compiling') return module;
  return module.around && compiledWith(module.around.module);
}

function neverSwapped(module: string): CodedError {
  return new CodedError(
    'runtime/version-not-found',
    `module "${module}" never changed its version: there is none to go back to`,
    { fields: { module } },
  );
}
