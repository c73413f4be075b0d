import { createCompute, createPythonExecutor, createRuntime, scriptedLm } from 'vivarium';
import type { served } from './modules.worker.ts';

const lm = scriptedLm({
  name: 'example',
  script: () => '[[ ## answer ## ]]\nForty-two.\n\n[[ ## completed ## ]]',
});
const executor = createPythonExecutor({
  assets: { baseUrl: '/python/' },
  frame: { url: '/python/frame.html' },
});
const runtime = createRuntime<typeof served.modules>({
  worker: (name) => new Worker(new URL('./modules.worker.ts', import.meta.url), { type: 'module', name }),
  lm,
  executor,
});

const compute = createCompute();

async function gatherFacts(): Promise<Record<string, unknown>> {
  const qa = await runtime.start('qa');
  await qa.parameters.signature.set('QA, in a worker');
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

const shown = document.querySelector('#facts');
if (!shown) throw new Error('index.html has no #facts');
const facts = await gatherFacts().catch((error: unknown) => ({ failed: String(error) }));
shown.textContent = JSON.stringify(facts, null, 2);
