import { describe, expect, it } from 'vitest';
import { createMemorySink, createHub } from '../../telemetry/index.ts';
import { describeDevice } from '../device.contract.ts';
import { openDevice } from './open-device.ts';
import { createReferenceDevice } from './reference.ts';
import { chooseDevice } from './select-device.ts';
import type { PlatformFacts } from './select-device.ts';

describeDevice('plain loops', async () => createReferenceDevice());
describeDevice('tfjs cpu in Node', () => openDevice({ prefer: 'cpu' }));

describe('chooseDevice', () => {
  const facts = (webgpu: PlatformFacts['webgpu'], canFetchWasm = true): PlatformFacts => ({
    webgpu,
    canFetchWasm,
  });

  it.each([
    [facts('hardware'), 'webgpu', 'a WebGPU adapter on hardware'],
    [facts('fallback'), 'wasm', 'the WebGPU adapter is a software fallback'],
    [facts('no-adapter'), 'wasm', 'no WebGPU adapter'],
    [facts('absent'), 'wasm', 'no WebGPU'],
    [facts('absent', false), 'cpu', 'no WebGPU; no WebAssembly that can be fetched here'],
    [
      facts('fallback', false),
      'cpu',
      'the WebGPU adapter is a software fallback; no WebAssembly that can be fetched here',
    ],
  ])('takes by what is there: %o', (platform, kind, reason) => {
    expect(chooseDevice(platform, 'auto')).toEqual({ kind, reason });
  });

  it('takes a fallback adapter only when asked to', () => {
    expect(chooseDevice(facts('fallback'), 'webgpu').kind).toBe('webgpu');
  });

  it.each([
    [facts('absent'), 'webgpu', 'no WebGPU'],
    [facts('no-adapter'), 'webgpu', 'no WebGPU adapter'],
    [facts('hardware', false), 'wasm', 'no WebAssembly that can be fetched here'],
  ] as const)('refuses by name what cannot be had: %o', (platform, prefer, reason) => {
    expect(() => chooseDevice(platform, prefer)).toThrow(
      expect.objectContaining({ code: 'compute/device-unavailable', fields: { kind: prefer, reason } }),
    );
  });
});

describe('openDevice', () => {
  it('says on the hub what was chosen and why', async () => {
    const hub = createHub();
    const sink = createMemorySink(hub);
    const device = await openDevice({ hub });
    expect(device.kind).toBe('cpu');
    expect(sink.events).toMatchObject([{ type: 'device-select', device: 'cpu', reason: device.reason }]);
    await device[Symbol.asyncDispose]();
  });

  it('steps down when a kind does not start, and says so', async () => {
    const hub = createHub();
    const sink = createMemorySink(hub);
    const wasmUrls = { plain: 'nowhere:/plain.wasm', simd: 'nowhere:/simd.wasm' };
    const device = await openDevice({ hub, wasmUrls });
    expect(device.kind).toBe('cpu');
    expect(sink.events).toMatchObject([
      { type: 'platform-degrade', what: 'compute device', from: 'wasm', to: 'cpu' },
      { type: 'device-select', device: 'cpu' },
    ]);
    await device[Symbol.asyncDispose]();
    await expect(openDevice({ prefer: 'wasm', wasmUrls })).rejects.toMatchObject({
      code: 'compute/device-unavailable',
    });
  });

  it('bounds one operation by the limit it was given', async () => {
    const device = await openDevice({ prefer: 'reference', memoryLimitBytes: 100 });
    const tensor = { shape: [20], dtype: 'float32', data: new Float32Array(20) } as const;
    await expect(device.exp(tensor)).rejects.toMatchObject({
      code: 'compute/out-of-memory',
      fields: { bytes: 160, limitBytes: 100 },
    });
  });
});
