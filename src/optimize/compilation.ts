/** The frame around every compilation: checked input, one run with deadline and cancellation, progress, events, pauses. */
import { CodedError, messageOf, toCodedError } from '../base/index.ts';
import { cancellation, runInNextTask, systemClock } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import { isFieldRecord, isModule, withRun } from '../program/index.ts';
import type { Module, Run } from '../program/index.ts';
import { silentHub } from '../telemetry/index.ts';
import { optimizeLimits } from './limits.ts';
import type { CompileFrame } from './optimizer.ts';

/** What an optimizer works with. */
export interface Compilation {
  /** Hand it to every call of the program. */
  readonly run: Run;
  /** Reports progress of a step; rare enough for a port. */
  report(step: string, done: number, total: number): void;
  /**
   * Lets other tasks run when this one has taken 8 ms. Call it wherever there is much to do.
   * @throws `port/cancelled`, `port/timeout`, when the compilation was stopped
   */
  pause(): Promise<void>;
}

/**
 * Checks what an optimizer was given and runs `work` within deadline and signal.
 * @throws as {@link Optimizer.compile}; what is thrown without a code becomes `optimize/compile-failed`
 */
export async function compileProgram<M extends Module>(
  optimizer: string,
  student: M,
  options: CompileFrame,
  work: (compilation: Compilation) => Promise<M>,
): Promise<M> {
  assertStudent(student);
  const { run: parent, settings, signal, timeoutMs } = options;
  const request = { parent, settings: { ...settings, signal, timeoutMs }, path: parent?.path ?? '' };
  return withRun(request, async (run) => {
    const { telemetry = silentHub, clock = systemClock } = run.settings;
    const kind = student.constructor.name;
    const startMs = clock.monotonic();
    const sinceStart = (): number => clock.monotonic() - startMs;
    if (telemetry.isActive) telemetry.emit({ type: 'compile-start', optimizer, kind, span: run.span });
    try {
      const compilation = createCompilation(optimizer, run, clock, options);
      await assertTrainset(options.trainset, compilation);
      const program = await work(compilation);
      if (telemetry.isActive) {
        telemetry.emit({
          type: 'compile-end',
          optimizer,
          kind,
          durationMs: sinceStart(),
          span: run.span,
        });
      }
      return program;
    } catch (thrown) {
      const error = toCodedError(thrown, 'optimize/compile-failed', { fields: { optimizer, kind } });
      if (telemetry.isActive) {
        const { code, message } = error;
        const shown = { code, message };
        telemetry.emit({
          type: 'compile-fail',
          optimizer,
          kind,
          durationMs: sinceStart(),
          error: shown,
          span: run.span,
        });
      }
      throw error;
    }
  });
}

function createCompilation(
  optimizer: string,
  run: Run,
  clock: Clock,
  { onProgress }: CompileFrame,
): Compilation {
  let sliceStartMs = clock.monotonic();
  let reportedMs = -Infinity;
  return {
    run,
    report(step, done, total) {
      if (!onProgress || run.isEnded) return;
      const nowMs = clock.monotonic();
      if (done > 0 && done < total && nowMs - reportedMs < optimizeLimits.progressIntervalMs) return;
      reportedMs = nowMs;
      try {
        onProgress({ optimizer, step, done, total });
      } catch (error) {
        run.note(`onProgress threw: ${messageOf(error)}`);
      }
    },
    async pause() {
      if (clock.monotonic() - sliceStartMs >= optimizeLimits.sliceMs) {
        await new Promise<void>(runInNextTask);
        sliceStartMs = clock.monotonic();
      }
      if (run.signal.aborted) throw cancellation(run.signal);
    },
  };
}

function assertStudent(student: unknown): void {
  if (isModule(student)) return;
  throw new CodedError('optimize/student-invalid', `the student is ${typeof student}, expected a module`, {
    fields: { expected: 'a module' },
  });
}

async function assertTrainset(trainset: unknown, compilation: Compilation): Promise<void> {
  if (!Array.isArray(trainset)) throw badTrainset(`the training set is ${typeof trainset}, expected a list`);
  const { trainsetEntries } = optimizeLimits;
  if (trainset.length > trainsetEntries) {
    throw badTrainset(
      `the training set has ${trainset.length} examples, expected at most ${trainsetEntries}`,
    );
  }
  for (const [index, example] of trainset.entries()) {
    if (!isExampleLike(example)) {
      throw badTrainset(`trainset[${index}] is no example and no object with fields`, { index });
    }
    if (index % 256 === 0) await compilation.pause();
  }
}

function isExampleLike(value: unknown): boolean {
  return isFieldRecord(value) || (typeof value === 'object' && value !== null && !Array.isArray(value));
}

function badTrainset(message: string, fields: { readonly index?: number } = {}): CodedError {
  return new CodedError('optimize/trainset-invalid', message, {
    fields: { ...fields, expected: 'a list of examples' },
  });
}
