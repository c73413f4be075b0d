/** Compiling a hosted program, in its worker: an optimizer works on a copy, and what it changed is told, not yet put in. */
import type { ActorContext, CallContext } from '../../actor/index.ts';
import { CodedError } from '../../base/index.ts';
import type { CompileProgress } from '../../optimize/index.ts';
import { systemClock, withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import { isModule } from '../../program/index.ts';
import type { Module, ModuleState, ParameterState, Settings, StopSource } from '../../program/index.ts';
import type { CompileBody, CompileProposal } from '../module-protocol.ts';
import { pageSettings } from '../page-service/page-settings.ts';
import { sameData } from '../parameter/same-data.ts';
import { createServedOptimizer, pickMetric } from './served-optimizers.ts';
import type { CompileTools } from './served-optimizers.ts';
import { fromWireTrainset } from './trainset.ts';

export interface CompileHost {
  /** The module of this moment. */
  readonly current: () => Module;
  readonly context: ActorContext;
  readonly tools: CompileTools;
  /** What ends it: its caller, or the module's own end. */
  readonly stopOf: (call: CallContext) => StopSource;
  /** An optimizer at work, until it has really ended: who stops the module waits for it. */
  readonly onWork: (work: Promise<unknown>, call: CallContext) => void;
}

/**
 * What the optimizer would change. Forwards go on with the program as it is: an optimizer that pauses lets them run.
 * @throws `runtime/optimizer-not-found`, `runtime/metric-not-found`, `runtime/compile-result-invalid`, `port/timeout`, `port/cancelled`,
 *   `program/constraint-violated` and what else the module has against the result, and what the optimizer throws
 */
export async function compileInWorker(
  { current, context, tools, stopOf, onWork }: CompileHost,
  body: CompileBody,
  call: CallContext,
): Promise<CompileProposal> {
  const optimizer = createServedOptimizer(tools, body.optimizer, body.options);
  const metric = body.metric === undefined ? undefined : pickMetric(tools, body.metric);
  const student = current().deepcopy();
  const before = dumpCopy(student);
  const settings: Settings = pageSettings(context, body);
  const progress = createProgress(systemClock, body.progressMs, (report) => call.delta(report));
  const trainset = fromWireTrainset(body.trainset);
  const { timeoutMs } = body;
  const ended = new AbortController();
  const leave = stopOf(call)((error) => ended.abort(error));
  const work = (signal: AbortSignal): Promise<unknown> => {
    // metric: the entry's author pairs metrics with programs; names are all that is known here
    const options = { trainset, settings, signal, timeoutMs, metric: metric as never };
    const working = optimizer.compile(student, { ...options, onProgress: progress.report });
    onWork(working, call);
    return working;
  };
  const program = await withDeadline(systemClock, { timeoutMs, signal: ended.signal }, work).finally(() => {
    leave();
    progress.flush();
  });
  if (!isModule(program)) throw badResult(body.optimizer, 'no module');
  const proposal = compare(before, program.dumpState(), body.optimizer);
  // a dry run: what the module would refuse is refused now, and nothing has happened
  current().prepareChanges(proposal);
  return proposal;
}

/** A copy of the data too: an optimizer that changes the student in place must not change what it is compared with. */
function dumpCopy(student: Module): ModuleState {
  return structuredClone(student.dumpState());
}

function compare(before: ModuleState, after: ModuleState, optimizer: string): CompileProposal {
  const missing = [
    ...Object.keys(before.parameters).filter((name) => !Object.hasOwn(after.parameters, name)),
    ...Object.keys(before.predictors).filter((name) => !Object.hasOwn(after.predictors, name)),
  ];
  if (missing.length > 0) throw badResult(optimizer, `a program without ${missing.join(', ')}`);
  const compiled = sameData(before.compiled, after.compiled) ? {} : { compiled: after.compiled };
  return {
    parameters: changedIn(before.parameters, after.parameters, sameParameter),
    predictors: changedIn(before.predictors, after.predictors, sameData),
    ...compiled,
  };
}

function changedIn<T>(
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
  isSame: (a: T, b: T) => boolean,
): Record<string, T> {
  // what the program has beyond the student is not the module's
  const kept = Object.entries(before).map(([name, old]) => [name, old, after[name] as T] as const);
  return Object.fromEntries(
    kept.filter(([, old, now]) => !isSame(old, now)).map(([name, , now]) => [name, now]),
  );
}

/** Times tell nothing: a copy that was set to the value it had is the same. */
function sameParameter(a: ParameterState, b: ParameterState): boolean {
  const timeless = { createdAtMs: 0, updatedAtMs: 0 };
  return sameData({ ...a, ...timeless }, { ...b, ...timeless });
}

interface Progress {
  readonly report: (progress: CompileProgress) => void;
  /** Sends what still waits. */
  readonly flush: () => void;
}

/** At most one report in `intervalMs`, whatever an optimizer does; the newest is never lost. */
function createProgress(
  clock: Clock,
  intervalMs: number,
  send: (progress: CompileProgress) => void,
): Progress {
  let waiting: CompileProgress | undefined;
  let cancelTimer: (() => void) | undefined;
  const flush = (): void => {
    cancelTimer?.();
    cancelTimer = undefined;
    const newest = waiting;
    waiting = undefined;
    if (newest) send(newest);
  };
  const report = (progress: CompileProgress): void => {
    const isResting = cancelTimer !== undefined;
    waiting = toPlain(progress);
    if (isResting) return;
    flush();
    const next = (): void => {
      cancelTimer = undefined;
      if (!waiting) return;
      flush();
      cancelTimer = clock.after(intervalMs, next);
    };
    cancelTimer = clock.after(intervalMs, next);
  };
  return { report, flush };
}

const maxNameCharacters = 200;

/** What an optimizer says crosses a port: it is what it should be, whatever was said. */
function toPlain({ optimizer, step, done, total }: CompileProgress): CompileProgress {
  const [shownOptimizer = '', shownStep = ''] = [optimizer, step].map((name) =>
    String(name).slice(0, maxNameCharacters),
  );
  return { optimizer: shownOptimizer, step: shownStep, done: Number(done), total: Number(total) };
}

function badResult(optimizer: string, found: string): CodedError {
  return new CodedError(
    'runtime/compile-result-invalid',
    `optimizer "${optimizer}" gave ${found}, expected a program with the parameters and predictors of its student`,
    { fields: { optimizer, found, expected: 'a program like the student' } },
  );
}
