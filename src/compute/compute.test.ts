import { describe, expect, it } from 'vitest';
import { createHub, createMemorySink } from '../telemetry/index.ts';
import { createCompute } from './compute.ts';
import { describeDevice } from './device.contract.ts';

describeDevice('in-process, without workers', () => createCompute({ prefer: 'reference' }).device());

describe('createCompute without workers', () => {
  it('answers in the same realm', async () => {
    await using compute = createCompute();
    const analysis = await compute.matrixAnalysis([
      [2, 0],
      [0, 3],
    ]);
    expect(analysis).toMatchObject({ determinant: 6, rank: 2, positiveDefinite: true });
    const table = { x: [1, 2, 3], y: [2, 4, 6] };
    expect((await compute.statistics(table, { ddof: 0 }))['x']).toMatchObject({
      mean: 2,
      ddof: 0,
      variance: 2 / 3,
    });
    expect((await compute.correlation(table)).correlation.data[1]).toBeCloseTo(1, 14);
  });

  it('says which device it took and why', async () => {
    const hub = createHub();
    const sink = createMemorySink(hub);
    await using compute = createCompute({ hub });
    const device = await compute.device();
    expect(device.kind).toBe('cpu');
    expect(sink.ofType('device-select')).toMatchObject([{ device: 'cpu' }]);
  });

  it('refuses bad input, a cancelled call and a call after its end', async () => {
    const compute = createCompute();
    await expect(compute.matrixAnalysis([[1, 2]])).rejects.toMatchObject({ code: 'compute/matrix-invalid' });
    await expect(compute.statistics({ a: [] })).rejects.toMatchObject({ code: 'compute/column-invalid' });
    await expect(compute.correlation({ a: [1] }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'port/cancelled',
    });
    await compute[Symbol.asyncDispose]();
    await expect(compute.matrixAnalysis([[1]])).rejects.toMatchObject({ code: 'compute/closed' });
  });
});
