/** The same interpreter with walls missing. Only for showing that the escape suite sees an escape; never for guests. */
import { systemClock } from '../../platform/index.ts';
import type { Executor } from '../executor.ts';
import { serveSandboxes } from '../guest/sandbox-server.ts';
import { fetchSandboxFiles } from '../language/python/python-assets.ts';
import { assemblePythonExecutor, bootHost, frameWalls } from '../language/python/python-executor.ts';
import type { PythonExecutorOptions, PythonWalls } from '../language/python/python-executor.ts';
import type { ExecutorLimits } from '../limits.ts';

/** Guests' workers belong to the page's own origin. */
function noWalls(options: PythonExecutorOptions, limits: ExecutorLimits): PythonWalls {
  const { assets, clock = systemClock } = options;
  return {
    isStripped: false,
    async createHost(signal) {
      const { port1, port2 } = new MessageChannel();
      const realm = serveSandboxes(port2);
      const files = fetchSandboxFiles(assets, limits.memoryBytes, signal);
      return bootHost({ port: port1, remove: () => realm[Symbol.dispose]() }, files, {
        clock,
        answerMs: limits.frameAnswerMs,
        signal,
      });
    },
  };
}

/**
 * Runs Python with the page's own rights: no frame, no rules, no globals taken away. For the control of the escape suite alone: code run here
 * can read and change everything that the page can.
 */
export function createUnprotectedPythonExecutor(options: Omit<PythonExecutorOptions, 'frame'>): Executor {
  return assemblePythonExecutor({ ...options, frame: 'srcdoc' }, noWalls);
}

/** With the frame and its rules, but with every global of a worker left in place: shows what the frame does by itself. */
export function createUnstrippedPythonExecutor(options: PythonExecutorOptions): Executor {
  return assemblePythonExecutor(options, (given, limits) => ({
    ...frameWalls(given, limits),
    isStripped: false,
  }));
}
