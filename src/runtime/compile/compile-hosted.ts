/** Compiling a hosted module, seen from the page: what is asked of the worker, and how its answer becomes the module's own. */
import { CodedError, messageOf, toCodedError } from '../../base/index.ts';
import type { JsonObject } from '../../base/index.ts';
import type { CompileProgress } from '../../optimize/index.ts';
import { cancellation, withDeadline } from '../../platform/index.ts';
import type { DemoLike } from '../../program/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import { changeTogether } from '../parameter/change-together.ts';
import type { BoundChangeHost } from '../parameter/change-together.ts';
import { checkCompile } from '../check-option.ts';
import type { CompilationRecord, CompileReport } from './compilation.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import type { RuntimeLimits } from '../limits.ts';
import { swapUnderWay } from '../module-error.ts';
import type { CompileBody, CompileProposal, PageContext } from '../module-protocol.ts';
import { toWireTrainset } from './trainset.ts';
import { wholeFamily } from '../journal/whole-state.ts';

export interface CompileRequest {
  /** The name under which the worker entry serves it; `labeled-few-shot` is always there. */
  readonly optimizer: string;
  /** Examples, or plain objects with their fields. At most 100,000 and an estimated 32 MiB. */
  readonly trainset: readonly DemoLike[];
  /** The name under which the worker entry serves it. Optimizers that score answers need one. */
  readonly metric?: string | undefined;
  /** What the optimizer is made with; `labeled-few-shot` takes `k` and `sample`. */
  readonly options?: JsonObject | undefined;
  /** Ends the compilation with `port/cancelled`, until its result is being committed. */
  readonly signal?: AbortSignal | undefined;
  /** Until then the optimizer must have ended. Default 3,600,000. */
  readonly timeoutMs?: number | undefined;
  /** At most one call in 50 ms. When it throws, a note says so. */
  readonly onProgress?: ((progress: CompileProgress) => void) | undefined;
}

/** What compiling needs of its runtime. */
export interface CompilePage extends BoundChangeHost {
  readonly hub: Hub;
  readonly limits: RuntimeLimits;
  pageContext(): PageContext;
}

/** @throws as `ModuleHandle.compile` */
export async function compileHosted(
  page: CompilePage,
  module: HostedModuleRecord,
  request: CompileRequest,
): Promise<CompileReport> {
  checkCompile(request);
  const compiling = new Compiling(page, module, request);
  return compiling.run();
}

class Compiling {
  readonly #page: CompilePage;
  readonly #module: HostedModuleRecord;
  readonly #request: CompileRequest;
  #startedAtMs = 0;
  #startMs = 0;
  #isCommitted = false;

  constructor(page: CompilePage, module: HostedModuleRecord, request: CompileRequest) {
    this.#page = page;
    this.#module = module;
    this.#request = request;
  }

  async run(): Promise<CompileReport> {
    const { clock, limits } = this.#page;
    const { journal } = this.#module;
    if (journal.memory.compilation.status === 'compiling') throw this.#alreadyCompiling();
    // what it begins with would be gone before it ends
    const swapped = wholeFamily(this.#module).find(({ swapping }) => swapping !== undefined);
    if (swapped) throw swapUnderWay(swapped.id);
    const trainset = toWireTrainset(this.#request.trainset, limits);
    this.#startedAtMs = clock.now();
    this.#startMs = clock.monotonic();
    this.#begin();
    const work = this.#work(trainset);
    this.#module.compiling = work;
    return work.finally(() => {
      // whoever heard of its end may have begun the next one
      if (this.#module.compiling === work) this.#module.compiling = undefined;
    });
  }

  async #work(trainset: CompileBody['trainset']): Promise<CompileReport> {
    try {
      const proposal = await this.#ask(trainset);
      const { signal } = this.#request;
      if (signal?.aborted) throw cancellation(signal);
      return await this.#install(proposal);
    } catch (thrown) {
      const error = toCodedError(thrown, 'optimize/compile-failed', { fields: this.#named });
      // what is committed is compiled, whatever came after it
      if (!this.#isCommitted) this.#fail(error);
      throw error;
    }
  }

  #begin(): void {
    const { installed } = this.#module.journal.memory.compilation;
    this.#remember({ status: 'compiling', ...(installed ? { installed } : {}) });
    this.#page.hub.emit({ type: 'compile-start', ...this.#named });
  }

  #ask(trainset: CompileBody['trainset']): Promise<CompileProposal> {
    const { clock, limits } = this.#page;
    const { optimizer, metric, options = {}, signal } = this.#request;
    const { timeoutMs = limits.compileTimeoutMs } = this.#request;
    const body: CompileBody = {
      ...this.#page.pageContext(),
      optimizer,
      options,
      trainset,
      metric,
      progressMs: limits.compileProgressMs,
      ...(timeoutMs === Infinity ? {} : { timeoutMs }),
    };
    const asked = withDeadline(clock, { signal, timeoutMs }, (ending) =>
      this.#module.call('compile', body, {
        signal: ending,
        timeoutMs: Infinity,
        onDelta: (progress) => this.#onProgress(progress as CompileProgress),
      }),
    );
    return asked as Promise<CompileProposal>;
  }

  /** One commit on the page, then one turn of the module. */
  async #install(proposal: CompileProposal): Promise<CompileReport> {
    const { clock, hub } = this.#page;
    const report: CompileReport = {
      optimizer: this.#request.optimizer,
      trainsetEntries: this.#request.trainset.length,
      startedAtMs: this.#startedAtMs,
      durationMs: clock.monotonic() - this.#startMs,
      parameters: Object.keys(proposal.parameters),
      predictors: Object.keys(proposal.predictors),
    };
    const compilation: CompilationRecord = {
      ...this.#module.journal.memory.compilation,
      status: 'compiled',
      endedAtMs: clock.now(),
      installed: report,
    };
    const part = {
      module: this.#module,
      changes: proposal,
      cause: `compile ${report.optimizer}`,
      memory: { compilation },
      isChecked: true,
    };
    const onCommit = (): void => void (this.#isCommitted = true);
    const onTake = (): void => {
      hub.emit({ type: 'compile-end', ...this.#named, durationMs: report.durationMs });
    };
    const { signal } = this.#request;
    await changeTogether(this.#page, [part], { level: 'strict', signal, onCommit, onTake });
    return report;
  }

  #fail({ code, message }: CodedError): void {
    const { clock, hub } = this.#page;
    const { compilation } = this.#module.journal.memory;
    const error = { code, message };
    this.#remember({ ...compilation, status: 'failed', endedAtMs: clock.now(), error });
    const durationMs = clock.monotonic() - this.#startMs;
    hub.emit({ type: 'compile-fail', ...this.#named, durationMs, error });
  }

  /** The status is told to the store, but nobody waits for it. */
  #remember(compilation: CompilationRecord): void {
    const { journal } = this.#module;
    const asked = { optimizer: this.#request.optimizer, startedAtMs: this.#startedAtMs };
    journal.remember({ compilation: { ...compilation, ...asked } });
    // nothing is written any more once its place in the store may be another's
    void journal.late.rewriteMeta('relaxed');
  }

  #onProgress(progress: CompileProgress): void {
    const { journal } = this.#module;
    const { compilation } = journal.memory;
    if (compilation.status !== 'compiling') return;
    journal.remember({ compilation: { ...compilation, progress } });
    const { step, done, total } = progress;
    const { hub } = this.#page;
    hub.emit({ type: 'compile-progress', ...this.#named, step, done, total });
    try {
      this.#request.onProgress?.(progress);
    } catch (error) {
      hub.emit({ type: 'note', text: `onProgress of a compilation threw: ${messageOf(error)}` });
    }
  }

  get #named(): { readonly optimizer: string; readonly kind: string; readonly module: string } {
    const { id, kind } = this.#module;
    return { optimizer: this.#request.optimizer, kind, module: id };
  }

  #alreadyCompiling(): CodedError {
    const { id } = this.#module;
    const { optimizer } = this.#module.journal.memory.compilation;
    return new CodedError('runtime/compile-running', `module "${id}" is being compiled by "${optimizer}"`, {
      fields: { module: id, optimizer: String(optimizer) },
      isRetryable: true,
    });
  }
}
