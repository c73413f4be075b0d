import { afterEach, describe, expect, it } from 'vitest';
import type { CodedError } from '../base/index.ts';
import { SimulatedClock } from '../platform/index.ts';
import { createHub, createMemorySink } from '../telemetry/index.ts';
import { createCompute } from './compute.ts';
import type { Compute, ComputeOptions } from './compute.ts';
import { describeDevice } from './device.contract.ts';
import { openDevice } from './device/open-device.ts';
import { startTimeoutMs } from './limits.ts';
import { matrixAnalysis } from './linalg/matrix-analysis.ts';
import type { Matrix } from './linalg/matrix.ts';
import { spawnComputeWorker } from './spawn-compute-worker.ts';

describeDevice('tfjs cpu on the page', () => openDevice({ prefer: 'cpu' }));
describeDevice('tfjs wasm on the page', () => openDevice({ prefer: 'wasm' }));

const opened: Compute[] = [];
function open(options: ComputeOptions = {}): Compute {
  const compute = createCompute(options);
  opened.push(compute);
  return compute;
}
describeDevice('tfjs wasm in the compute worker', () => open({ prefer: 'wasm' }).device());
describeDevice('tfjs cpu in the compute worker', () => open({ prefer: 'cpu' }).device());
describeDevice('plain loops in the compute worker', () => open({ prefer: 'reference' }).device());

function random(size: number): Matrix {
  return {
    rows: size,
    columns: size,
    data: Float64Array.from({ length: size * size }, (_, i) => Math.sin(i * i)),
  };
}

/** Long enough that a call is surely under way when it is stopped. */
const slow = random(700);

/** Keeps the workers that a compute service starts, to end them behind its back. */
function watched(): { workers: Worker[]; createWorker: () => Worker } {
  const workers: Worker[] = [];
  return {
    workers,
    createWorker: () => {
      const worker = spawnComputeWorker();
      workers.push(worker);
      return worker;
    },
  };
}

describe('createCompute in a browser', () => {
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((compute) => compute[Symbol.asyncDispose]()));
  });

  it('gives the same as the functions in this realm', async () => {
    const compute = open();
    const matrix = random(24);
    expect(await compute.matrixAnalysis(matrix)).toEqual(matrixAnalysis(matrix));
    const table = { x: [1, 2, 3, 4], y: [1, 3, 2, 5] };
    expect((await compute.statistics(table, { bias: false }))['y']).toMatchObject({
      count: 4,
      mean: 2.75,
      bias: false,
    });
    expect((await compute.correlation(table)).names).toEqual(['x', 'y']);
    // the caller keeps its numbers
    expect(matrix.data).toHaveLength(24 * 24);
  });

  it('says which device it took and why; without an adapter that is wasm', async () => {
    const hub = createHub();
    const sink = createMemorySink(hub);
    const device = await open({ hub }).device();
    expect(device.kind).toBe('wasm');
    expect(device.reason).toMatch(/WebGPU/);
    expect(sink.ofType('device-select')).toMatchObject([{ device: 'wasm', reason: device.reason }]);
    await expect(open({ prefer: 'webgpu' }).device()).rejects.toMatchObject({
      code: 'compute/device-unavailable',
      fields: { kind: 'webgpu' },
    });
  });

  it('refuses bad input with its fields, on this side and on the other', async () => {
    const compute = open();
    await expect(
      compute.matrixAnalysis([
        [1, NaN],
        [0, 1],
      ]),
    ).rejects.toMatchObject({
      code: 'compute/matrix-invalid',
      fields: { row: 0, column: 1 },
    });
    await expect(compute.matrixAnalysis([[1]], { tolerance: -1 })).rejects.toMatchObject({
      code: 'compute/option-invalid',
      fields: { field: 'tolerance', value: '-1' },
    });
    await expect(compute.statistics({ mass: [1, null] })).rejects.toMatchObject({
      code: 'compute/column-invalid',
      fields: { field: 'mass', row: 1 },
    });
  });

  it('reports progress while the worker computes', async () => {
    const stages: string[] = [];
    await open().matrixAnalysis(random(200), { onProgress: ({ stage }) => stages.push(stage) });
    await expect.poll(() => stages).toEqual(['determinant', 'eigenvalues', 'singular-values', 'done']);
  });

  it('ends a call when its worker is killed, and starts another at the next use', async () => {
    const { workers, createWorker } = watched();
    const compute = open({ createWorker });
    await compute.matrixAnalysis([[1]]);
    const call = compute.matrixAnalysis(slow);
    const waiting = compute.statistics({ x: [1, 2] });
    await new Promise((resolve) => setTimeout(resolve, 50));
    workers[0]!.terminate();
    await expect(call).rejects.toMatchObject({ code: 'compute/worker-died', isRetryable: true });
    // what waited behind it runs in the next worker
    expect((await waiting)['x']).toMatchObject({ mean: 1.5 });
    expect(workers).toHaveLength(2);
  });

  it('does not wait longer than its start may take for a worker that never answers, and goes on with another', async () => {
    const ended: Worker[] = [];
    const workers: Worker[] = [];
    const silent = URL.createObjectURL(
      new Blob(['onmessage = () => undefined'], { type: 'text/javascript' }),
    );
    const clock = new SimulatedClock();
    const compute = open({
      clock,
      createWorker: () => {
        const worker = workers.length === 0 ? new Worker(silent) : spawnComputeWorker();
        const terminate = worker.terminate.bind(worker);
        worker.terminate = () => {
          ended.push(worker);
          terminate();
        };
        workers.push(worker);
        return worker;
      },
    });
    let code = 'pending';
    // the call itself would wait ten times as long
    const call = compute.matrixAnalysis([[2]], { timeoutMs: 10 * startTimeoutMs }).catch((error: unknown) => {
      code = (error as CodedError).code;
    });
    await expect.poll(() => workers.length).toBe(1);
    await clock.advance(startTimeoutMs - 1);
    expect([code, ended]).toEqual(['pending', []]);
    await clock.advance(1);
    await call;
    expect([code, ended]).toEqual(['port/timeout', [workers[0]]]);
    expect(await compute.matrixAnalysis([[4]])).toMatchObject({ determinant: 4 });
    expect(workers).toHaveLength(2);
    URL.revokeObjectURL(silent);
  });

  it('ends a call at its timeout, ends the worker with it, and goes on', async () => {
    const { workers, createWorker } = watched();
    const compute = open({ createWorker });
    await compute.matrixAnalysis([[1]]);
    const start = performance.now();
    await expect(compute.matrixAnalysis(slow, { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'port/timeout',
    });
    expect(performance.now() - start).toBeLessThan(1000);
    expect(await compute.matrixAnalysis([[4]])).toMatchObject({ determinant: 4 });
    expect(workers).toHaveLength(2);
  });

  it('ends a call that is cancelled, waiting or running', async () => {
    const { workers, createWorker } = watched();
    const compute = open({ createWorker });
    await compute.matrixAnalysis([[1]]);
    const [running, waiting] = [new AbortController(), new AbortController()];
    const first = compute.matrixAnalysis(slow, { signal: running.signal });
    const second = compute.matrixAnalysis(slow, { signal: waiting.signal });
    await new Promise((resolve) => setTimeout(resolve, 50));
    waiting.abort();
    await expect(second).rejects.toMatchObject({ code: 'port/cancelled' });
    expect(workers).toHaveLength(1);
    running.abort();
    await expect(first).rejects.toMatchObject({ code: 'port/cancelled' });
    expect(await compute.matrixAnalysis([[4]])).toMatchObject({ determinant: 4 });
    expect(workers).toHaveLength(2);
  });

  it('refuses more calls, and more bytes, than may wait', async () => {
    const compute = open({ limits: { maxCalls: 2, maxBytes: 5_000_000 } });
    const calls = [compute.matrixAnalysis(slow), compute.statistics({ x: [1] })];
    await expect(compute.statistics({ x: [1] })).rejects.toMatchObject({ code: 'compute/queue-full' });
    const other = open({ limits: { maxBytes: 1_000_000 } });
    await expect(other.matrixAnalysis(slow)).rejects.toMatchObject({
      code: 'compute/queue-full',
      fields: { bytes: 700 * 700 * 8 },
    });
    void Promise.allSettled(calls);
  });

  it('fails typed when the worker cannot start', async () => {
    const broken = (): Worker =>
      new Worker('data:text/javascript,throw new Error("broken")', { type: 'module' });
    await expect(open({ createWorker: broken }).matrixAnalysis([[1]])).rejects.toMatchObject({
      code: 'compute/worker-died',
    });
    const refusing = (): Worker => {
      throw new Error('no workers today');
    };
    await expect(open({ createWorker: refusing }).matrixAnalysis([[1]])).rejects.toMatchObject({
      code: 'platform/worker-failed',
    });
  });

  it('starts a worker at the next call when one could not be created', async () => {
    const { workers, createWorker } = watched();
    let refusals = 2;
    const compute = open({
      createWorker: () => {
        if (refusals-- > 0) throw new Error('no workers today');
        return createWorker();
      },
    });
    for (const _ of [1, 2])
      await expect(compute.matrixAnalysis([[1]])).rejects.toMatchObject({ code: 'platform/worker-failed' });
    expect(await compute.matrixAnalysis([[4]])).toMatchObject({ determinant: 4 });
    expect(workers).toHaveLength(1);
  });

  it('fails calls under way and later ones once it is closed', async () => {
    const compute = open();
    const call = compute.matrixAnalysis(slow);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await compute[Symbol.asyncDispose]();
    await expect(call).rejects.toMatchObject({ code: 'compute/closed' });
    await expect(compute.matrixAnalysis([[1]])).rejects.toMatchObject({ code: 'compute/closed' });
  });
});
