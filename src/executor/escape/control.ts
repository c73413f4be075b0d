/** The same interpreters with walls missing. Only for showing that the escape suite sees an escape; never for guests. */
import { systemClock } from '../../platform/index.ts';
import { assembleExecutor } from '../create-executor.ts';
import type { Executor } from '../executor.ts';
import { serveSandboxes } from '../guest/sandbox-server.ts';
import type { PythonExecutorOptions } from '../language/python/python-executor.ts';
import { connectHost, frameWalls } from '../sandbox/walls.ts';
import type { BuildWalls } from '../sandbox/walls.ts';
import type { AssetLocation } from '../sandbox/guest-files.ts';
import type { ExecutorLimits } from '../limits.ts';

/** Guests' workers belong to the page's own origin. */
const noWalls: BuildWalls = ({ clock = systemClock }, { frameAnswerMs }) => ({
  isStripped: false,
  createHost(signal) {
    const { port1, port2 } = new MessageChannel();
    const realm = serveSandboxes(port2);
    const remove = (): void => realm[Symbol.dispose]();
    return connectHost({ port: port1, remove }, { clock, answerMs: frameAnswerMs, signal });
  },
});

interface ControlOptions {
  readonly assets: AssetLocation;
  readonly limits?: Partial<ExecutorLimits>;
}

/**
 * Runs Python with the page's own rights: no frame, no rules, no globals taken away. For the control of the escape suite alone: code run here
 * can read and change everything that the page can.
 */
export function createUnprotectedPythonExecutor(options: ControlOptions): Executor {
  return assembleExecutor({ ...options, language: 'python', frame: 'srcdoc' }, noWalls);
}

/** With the frame and its rules, but with every global of a worker left in place: shows what the frame does by itself. */
export function createUnstrippedPythonExecutor(options: PythonExecutorOptions): Executor {
  return assembleExecutor({ ...options, language: 'python' }, (given, limits) => ({
    ...frameWalls(given, limits),
    isStripped: false,
  }));
}
