import { createCompute, createPythonExecutor } from 'vivarium';
import type { ModuleHandle } from 'vivarium';
import type { QA } from './qa.ts';

export const executor = createPythonExecutor({
  assets: { baseUrl: '/sandbox/' },
  frame: { url: '/sandbox/frame.html' },
});

const compute = createCompute();

/** One thing that each part of the package can do. */
export async function gatherFacts(qa: ModuleHandle<QA>): Promise<Record<string, unknown>> {
  const { answer } = await qa.call({ question: 'What is six times seven?' });
  const python = await executor.execute('6 * 7');
  const { determinant } = await compute.matrixAnalysis([
    [2, 1],
    [1, 4],
  ]);
  const device = await compute.device();
  const hasTensors = (await device.memory()).tensors >= 0;
  return {
    isIsolated: crossOriginIsolated,
    kind: qa.kind,
    worker: qa.worker,
    answer,
    python: python.type === 'returned' ? python.value : python,
    determinant,
    device: hasTensors ? device.kind : 'none',
  };
}
