import { expect, test } from 'vitest';
import { Predict } from '../program/index.ts';
import type { ModuleState } from '../program/index.ts';
import type { CompileTask } from './compile-test.worker.ts';
import type { CompileProgress } from './optimizer.ts';

interface Said {
  readonly progress?: CompileProgress;
  readonly state?: ModuleState;
  readonly code?: string;
  readonly isUnchanged?: boolean;
}

const trainset = Array.from({ length: 1000 }, (_, at) => ({ question: `q${at}`, answer: `a${at}` }));

/** What a worker says until it has ended; `onProgress` may answer it. */
function compile(task: CompileTask, onProgress: (worker: Worker) => void): Promise<Said> {
  const worker = new Worker(new URL('./compile-test.worker.ts', import.meta.url), { type: 'module' });
  return new Promise<Said>((resolve, reject) => {
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.onmessage = ({ data }: MessageEvent<Said>) => (data.progress ? onProgress(worker) : resolve(data));
    worker.postMessage(task);
  }).finally(() => worker.terminate());
}

test('in a worker: what was learned comes back as data and goes into a predictor here', async () => {
  const startMs = performance.now();
  const { state } = await compile({ predictors: 1, k: 16, trainset }, () => undefined);
  expect(performance.now() - startMs).toBeLessThan(5000);
  const predictor = new Predict('question -> answer');
  const learned = state?.predictors['all[0]'];
  predictor.preparePredictor(learned)();
  expect(predictor.demos).toHaveLength(16);
  // the first that Python's Random(0).sample(range(1000), 16) draws
  expect(predictor.demos[0]).toEqual({ question: 'q864', answer: 'a864' });
});

test('in a worker: a message that cancels is heard while it works, and the student is as before', async () => {
  const task = { predictors: 20_000, k: 1000, trainset };
  const said = await compile(task, (worker) => worker.postMessage('cancel'));
  expect(said).toEqual({ code: 'port/cancelled', isUnchanged: true });
});
