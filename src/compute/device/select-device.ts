/** Which device this platform should use: a decision on plain facts, with its reason in words. */
import { CodedError } from '../../base/index.ts';
import type { DeviceKind } from '../device.ts';

/** 'auto' is webgpu → wasm → cpu by what is there. A kind by name is taken, or refused with a typed error. */
export type DevicePreference = 'auto' | DeviceKind;

export interface PlatformFacts {
  /** 'fallback' is an adapter that runs on the CPU: slower than wasm. */
  readonly webgpu: 'hardware' | 'fallback' | 'no-adapter' | 'absent';
  /** Whether WebAssembly exists and its files can be fetched. */
  readonly canFetchWasm: boolean;
}

export interface DeviceChoice {
  readonly kind: DeviceKind;
  readonly reason: string;
}

/** Asks the platform; never throws. */
export async function platformFacts(hasWasmUrls: boolean): Promise<PlatformFacts> {
  const hasWasm = typeof WebAssembly !== 'undefined';
  return {
    webgpu: await webGpuFact(),
    canFetchWasm: hasWasm && (hasWasmUrls || typeof location !== 'undefined'),
  };
}

async function webGpuFact(): Promise<PlatformFacts['webgpu']> {
  if (typeof navigator === 'undefined' || !('gpu' in navigator)) return 'absent';
  try {
    const adapter = await navigator.gpu.requestAdapter();
    if (!adapter) return 'no-adapter';
    return adapter.info.isFallbackAdapter ? 'fallback' : 'hardware';
  } catch {
    return 'no-adapter';
  }
}

const whyNotWebGpu: Readonly<Record<PlatformFacts['webgpu'], string>> = {
  hardware: '',
  fallback: 'the WebGPU adapter is a software fallback',
  'no-adapter': 'no WebGPU adapter',
  absent: 'no WebGPU',
};

const whyNotWasm = 'no WebAssembly that can be fetched here';

function unavailable(kind: DeviceKind, reason: string): CodedError {
  return new CodedError('compute/device-unavailable', `${kind} was asked for, but there is ${reason}`, {
    fields: { kind, reason },
  });
}

/** Errors: `compute/device-unavailable` when a kind is asked for by name and cannot be had. */
export function chooseDevice(facts: PlatformFacts, prefer: DevicePreference): DeviceChoice {
  if (prefer !== 'auto') {
    const isGpuMissing = facts.webgpu === 'absent' || facts.webgpu === 'no-adapter';
    if (prefer === 'webgpu' && isGpuMissing) throw unavailable(prefer, whyNotWebGpu[facts.webgpu]);
    if (prefer === 'wasm' && !facts.canFetchWasm) throw unavailable(prefer, whyNotWasm);
    return { kind: prefer, reason: 'asked for' };
  }
  if (facts.webgpu === 'hardware') return { kind: 'webgpu', reason: 'a WebGPU adapter on hardware' };
  const noGpu = whyNotWebGpu[facts.webgpu];
  if (facts.canFetchWasm) return { kind: 'wasm', reason: noGpu };
  return { kind: 'cpu', reason: `${noGpu}; ${whyNotWasm}` };
}
