/** One call of a module: a run of its own, `forward` against a view, usage on the answer, events for the stream. */
import { CodedError, isCodedError, messageOf } from '../base/index.ts';
import { systemClock } from '../platform/index.ts';
import { silentHub } from '../telemetry/index.ts';
import { requestOfWire } from './continue-run.ts';
import type { ContinueSettings } from './continue-run.ts';
import { isPrediction } from './prediction.ts';
import type { UsageByModel } from './prediction.ts';
import type { Run, RunRequest } from './run.ts';
import { isRun, pathOfStranger, startOf, withRun } from './run.ts';
import { currentDefaults, mergeCallSettings } from './settings.ts';
import type { CallSettings } from './settings.ts';
import { bindView, createViewScope, linkOf, unwrap } from './view.ts';

/** What {@link callModule} needs to know of a module. */
export interface Callable {
  readonly requiresRun: boolean;
  forward(input: unknown, run: Run): unknown;
}

/**
 * The run comes from the view that the call was made through, or from `given`. Without one the call is at the top.
 * The promise of a call inside another run never counts as unhandled: when nobody waits for it, its failure is an event.
 */
export function callModule(
  module: Callable,
  input: unknown,
  given: CallSettings | Run | undefined,
): Promise<unknown> {
  const target = unwrap(module);
  const request = requestFor(module, given);
  const { parent } = request;
  if (!parent && (target.requiresRun || currentDefaults().requireRun))
    return Promise.reject(runMissing(target));
  const output = withRun(request, (run) => forwardIn(run, target, input));
  if (parent) output.catch(() => undefined);
  return output;
}

/**
 * Calls a module as the next step of a run in another realm: its paths begin where that run was, and it counts as one call.
 * @param wire what `run.toWire()` gave there
 * @throws what `forward` throws, `program/run-invalid`, and as `Module.call`
 */
export async function continueCall(
  module: Callable,
  input: unknown,
  wire: unknown,
  settings: ContinueSettings,
): Promise<unknown> {
  const target = unwrap(module);
  const request = { ...requestOfWire(wire, settings), module: target };
  // awaited, since returning a promise costs two turns of the queue more
  return await withRun(request, (run) => forwardIn(run, target, input));
}

/** An output with the tokens that it cost. */
export interface CountedOutput {
  readonly output: unknown;
  readonly usage: UsageByModel;
}

/** As {@link continueCall}, for a caller in another realm that counts the tokens of its parts. */
export async function continueCallCounted(
  module: Callable,
  input: unknown,
  wire: unknown,
  settings: ContinueSettings,
): Promise<CountedOutput> {
  return withRun(requestOfWire(wire, settings), async (run) => {
    const output = await forwardIn(run, unwrap(module), input);
    return { output, usage: run.usage.byModel };
  });
}

function requestFor(module: Callable, given: CallSettings | Run | undefined): RunRequest {
  const link = linkOf(module);
  const explicit = isRun(given) ? { run: given, settings: undefined } : { run: undefined, settings: given };
  const parent = explicit.run ?? link?.scope.run;
  const settings = mergeCallSettings(link?.scope.settings, explicit.settings);
  const kind = module.constructor.name;
  const target = unwrap(module);
  if (link) return { parent, settings, module: target, kind, path: link.path };
  return { parent, settings, module: target, kind, path: parent ? pathOfStranger(parent, module) : '' };
}

async function forwardIn(run: Run, target: Callable, input: unknown): Promise<unknown> {
  const { telemetry = silentHub, clock = systemClock } = run.settings;
  const kind = target.constructor.name;
  const { path } = run;
  const startMs = startOf(run) ?? clock.monotonic();
  // asking for the span mints one: not for nobody
  if (telemetry.isActive) telemetry.emit({ type: 'forward-start', kind, path, span: run.span });
  try {
    const output = await bindView(target, createViewScope(run), path).forward(input, run);
    if (isPrediction(output)) output.setLmUsage(run.usage.byModel);
    if (telemetry.isActive) {
      const durationMs = clock.monotonic() - startMs;
      telemetry.emit({ type: 'forward-end', kind, path, durationMs, span: run.span });
    }
    return output;
  } catch (thrown) {
    const error = explain(thrown, kind);
    if (telemetry.isActive) {
      const durationMs = clock.monotonic() - startMs;
      const code = isCodedError(error) ? error.code : 'program/forward-failed';
      const shown = { code, message: messageOf(error) };
      telemetry.emit({ type: 'forward-fail', kind, path, durationMs, error: shown, span: run.span });
    }
    throw error;
  }
}

/** Engines word it differently, but all say "private" when a `#name` is read through a view. */
function explain(thrown: unknown, kind: string): unknown {
  if (!(thrown instanceof TypeError) || !/private/.test(thrown.message)) return thrown;
  return new CodedError(
    'program/private-member',
    `${kind}.forward reached a #private member through \`this\`, which is a view there; use TypeScript's private, or a symbol, instead`,
    { fields: { kind }, cause: thrown },
  );
}

function runMissing(target: Callable): CodedError {
  const kind = target.constructor.name;
  return new CodedError(
    'program/run-missing',
    `${kind} was called outside a run. Call it through \`this\` inside forward, or pass the run: module.call(input, run)`,
    { fields: { kind } },
  );
}
