import { describe, expect, it } from 'vitest';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { createCompute } from '../compute.ts';
import { describeDevice } from '../device.contract.ts';
import { createTensor } from '../tensor.ts';
import { openDevice } from './open-device.ts';
import { chooseDevice, platformFacts } from './select-device.ts';

/** Runs only in the browser that is started with a WebGPU adapter, see vite.config.ts; without one the name says what is there. */
const { webgpu } = await platformFacts(false);
const hasAdapter = webgpu === 'hardware' || webgpu === 'fallback';

/** A software GPU sums in its own order and compiles a shader per shape. */
const options = { tolerance: 2e-5, runs: 5 };

describe.runIf(hasAdapter)(`WebGPU, adapter: ${webgpu}`, () => {
  describeDevice('tfjs webgpu on the page', () => openDevice({ prefer: 'webgpu' }), options);
  describeDevice(
    'tfjs webgpu in the compute worker',
    () => createCompute({ prefer: 'webgpu' }).device(),
    options,
  );

  it('is taken unasked only on hardware', async () => {
    const choice = chooseDevice(await platformFacts(false), 'auto');
    expect(choice.kind).toBe(webgpu === 'hardware' ? 'webgpu' : 'wasm');
  });

  it('falls back to wasm when the GPU is lost, says so, and loses no result', async () => {
    const hub = createHub();
    const sink = createMemorySink(hub);
    const device = await openDevice({ prefer: 'webgpu', hub });
    expect(device.kind).toBe('webgpu');
    const a = createTensor([1, 2, 3, 4], [2, 2]);
    await device.matMul(a, a);
    const { findBackend } = await import('@tensorflow/tfjs-core');
    const call = device.matMul(a, a);
    (findBackend('webgpu') as unknown as { device: GPUDevice }).device.destroy();
    expect(Array.from((await call).data)).toEqual([7, 10, 15, 22]);
    await expect.poll(() => device.kind).toBe('wasm');
    expect(Array.from((await device.matMul(a, a)).data)).toEqual([7, 10, 15, 22]);
    expect(device.reason).toMatch(/the GPU was lost/);
    expect(sink.ofType('platform-degrade')).toMatchObject([{ from: 'webgpu', to: 'wasm' }]);
    expect(sink.ofType('device-select').map((event) => event.device)).toEqual(['webgpu', 'wasm']);
    expect(await device.memory()).toEqual({ tensors: 0, bytes: 0 });
    await device[Symbol.asyncDispose]();
  });
});
