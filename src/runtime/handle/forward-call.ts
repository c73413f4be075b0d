/** One call of `forward` as the page makes it: its events, its line in the module's history, its place among the open calls. */
import { isCodedError, messageOf } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { PredictDelta, RunWire } from '../../program/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { HostedModuleRecord, ReachOptions } from '../host/hosted.ts';
import { DeltaAttempts } from './delta-attempts.ts';
import type { ForwardBody, PageContext, PartAnswer } from '../module-protocol.ts';

/** What a call needs of its runtime. */
export interface ForwardHost {
  readonly clock: Clock;
  readonly hub: Hub;
  /** What the page has for predictors and code at this moment. */
  pageContext(): PageContext;
}

export interface ForwardRequest {
  readonly input: unknown;
  /** The run that the call continues; its span is the call's own. */
  readonly run: RunWire;
  /** `forward-part` for a call from the module around it, which wants to know what kind of answer it is. */
  readonly method: 'forward' | 'forward-part';
  readonly options: Omit<ReachOptions, 'onDelta' | 'bodyAt'>;
  /** Hears of stream parts, with their attempt. */
  readonly onDelta?: ((delta: PredictDelta) => void) | undefined;
}

/** @throws what `forward` throws, and what {@link HostedModuleRecord.call} throws */
export async function callForward(
  module: HostedModuleRecord,
  host: ForwardHost,
  { input, run, method, options, onDelta }: ForwardRequest,
): Promise<unknown> {
  const { clock, hub } = host;
  const { span } = run;
  const body: ForwardBody = {
    input,
    run: withDown(run, module),
    wantsDeltas: onDelta !== undefined,
    ...host.pageContext(),
  };
  const attempts = onDelta && new DeltaAttempts(onDelta);
  const startedMs = clock.monotonic();
  const bodyAt = (): ForwardBody => {
    attempts?.begin();
    return { ...body, run: withTimeLeft(body.run, clock.monotonic() - startedMs) };
  };
  // the parts are as the program's predictors made them
  const hear = attempts && ((delta: unknown) => attempts.onDelta(delta as PredictDelta));
  const started = { input, startedAtMs: clock.now(), traceId: span.traceId };
  // an event for nobody is not made
  if (hub.isActive) hub.emit({ type: 'call-start', actor: module.id, method: 'forward', span });
  const pending = { traceId: span.traceId, startedAtMs: started.startedAtMs };
  module.pending.add(pending);
  try {
    // the run carries the span
    const answer = await module.call(method, body, { ...options, onDelta: hear, bodyAt });
    const durationMs = clock.monotonic() - startedMs;
    const output = method === 'forward' ? answer : (answer as PartAnswer).output;
    const { startedAtMs, traceId } = started;
    module.history.add({ input, output, startedAtMs, durationMs, traceId });
    if (hub.isActive) hub.emit({ type: 'call-end', actor: module.id, method: 'forward', durationMs, span });
    return answer;
  } catch (thrown) {
    const code = isCodedError(thrown) ? thrown.code : ('port/callee-threw' as const);
    const error = { code, message: messageOf(thrown) };
    const durationMs = clock.monotonic() - startedMs;
    const isCloneable = code !== 'port/not-cloneable';
    // the history is data: what could not cross is not
    const shown: unknown = isCloneable ? input : 'an input or an answer that cannot be copied';
    module.history.add({ ...started, input: shown, error, durationMs });
    hub.emit({ type: 'call-fail', actor: module.id, method: 'forward', durationMs, error, span });
    throw thrown;
  } finally {
    module.pending.delete(pending);
  }
}

/** What the call has waited for its module is gone. */
function withTimeLeft(run: RunWire, waitedMs: number): RunWire {
  const { remainingMs } = run;
  return remainingMs === undefined ? run : { ...run, remainingMs: Math.max(0, remainingMs - waitedMs) };
}

/** A module that goes on without a dependency may want to know: `run.settings.values.downDependencies`, unless the caller uses that name. */
function withDown(run: RunWire, { downDependencies }: HostedModuleRecord): RunWire {
  if (downDependencies.length === 0) return run;
  const missed = downDependencies.filter(({ whenDown }) => whenDown === 'degrade');
  if (missed.length === 0) return run;
  const ids = missed.map(({ id }) => id);
  return { ...run, values: { downDependencies: ids, ...run.values } };
}
