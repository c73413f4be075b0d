/** Opens the device that was chosen, and falls back when it fails or its GPU is lost. */
import { messageOf } from '../../base/index.ts';
import { sleep, systemClock } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import { silentHub } from '../../telemetry/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import { createDevice } from '../device.ts';
import type { Device, DeviceMemory, Engine } from '../device.ts';
import type { Operation, Plan } from '../operation.ts';
import { createReferenceEngine } from './reference.ts';
import { chooseDevice, platformFacts } from './select-device.ts';
import type { DeviceChoice, DevicePreference } from './select-device.ts';
import type { TfjsEngine } from './tfjs.ts';
import type { WasmUrls } from './wasm-urls.ts';

export interface OpenDeviceOptions {
  /** Default 'auto'. */
  readonly prefer?: DevicePreference | undefined;
  readonly hub?: Hub | undefined;
  readonly clock?: Clock | undefined;
  /** Where tfjs' .wasm files are, for hosts whose bundler does not understand `?url` imports. */
  readonly wasmUrls?: WasmUrls | undefined;
  /** Operands and result of one operation; default 2,000 MB. */
  readonly memoryLimitBytes?: number | undefined;
}

/** What is tried next when a kind fails. */
const next = { webgpu: 'wasm', wasm: 'cpu', cpu: undefined, reference: undefined } as const;

/** After an operation failed on a GPU, how long the news of its loss may take. */
const lossNewsMs = 200;

async function openEngine({ kind, reason }: DeviceChoice, wasmUrls: WasmUrls | undefined): Promise<Engine> {
  if (kind === 'reference') return createReferenceEngine(reason);
  const { openTfjsEngine } = await import('./tfjs.ts');
  return openTfjsEngine({ kind, reason, wasmUrls });
}

/** Opens `choice`, or under 'auto' the next lesser kind that starts; each step down is a `platform-degrade` event. */
async function openFirst(choice: DeviceChoice, options: OpenDeviceOptions): Promise<Engine> {
  try {
    return await openEngine(choice, options.wasmUrls);
  } catch (error) {
    const lesser = next[choice.kind];
    if (!lesser || (options.prefer ?? 'auto') !== 'auto') throw error;
    const reason = `${choice.kind} did not start: ${messageOf(error)}`;
    options.hub?.emit({
      type: 'platform-degrade',
      what: 'compute device',
      from: choice.kind,
      to: lesser,
      reason,
    });
    return openFirst({ kind: lesser, reason }, options);
  }
}

/** An engine that moves to wasm once its GPU is lost; the operation that was under way runs again there. */
class SteadyEngine implements Engine {
  #engine: Engine;
  #fallback: Promise<void> | undefined;
  #isDisposed = false;
  readonly #hub: Hub;
  readonly #clock: Clock;
  readonly #wasmUrls: WasmUrls | undefined;

  constructor(engine: Engine, options: OpenDeviceOptions) {
    this.#engine = engine;
    this.#hub = options.hub ?? silentHub;
    this.#clock = options.clock ?? systemClock;
    this.#wasmUrls = options.wasmUrls;
    if ('lost' in engine) this.#watch(engine as TfjsEngine);
  }

  get kind(): Engine['kind'] {
    return this.#engine.kind;
  }

  get reason(): string {
    return this.#engine.reason;
  }

  get dtypes(): Engine['dtypes'] {
    return this.#engine.dtypes;
  }

  async execute(operation: Operation, plan: Plan): Promise<Float32Array | Float64Array> {
    await this.#fallback;
    const engine = this.#engine;
    try {
      const data = await engine.execute(operation, plan);
      if (!this.#fallback || engine !== this.#engine || engine.kind !== 'webgpu') return data;
    } catch (error) {
      if (engine.kind === 'webgpu') await this.#lossNews(engine as TfjsEngine);
      if (!this.#fallback) throw error;
    }
    await this.#fallback;
    return this.#engine.execute(operation, plan);
  }

  memory(): Promise<DeviceMemory> {
    return this.#engine.memory();
  }

  async dispose(): Promise<void> {
    this.#isDisposed = true;
    await this.#fallback;
    await this.#engine.dispose();
  }

  #watch(engine: TfjsEngine): void {
    void engine.lost.then((cause) => {
      if (this.#isDisposed) return;
      this.#fallback = this.#moveToWasm(engine, cause);
      // the next operation reports it
      this.#fallback.catch(() => undefined);
    });
  }

  async #lossNews(engine: TfjsEngine): Promise<void> {
    await Promise.race([engine.lost, sleep(this.#clock, lossNewsMs)]);
  }

  async #moveToWasm(lost: Engine, cause: string): Promise<void> {
    const reason = `the GPU was lost: ${cause}`;
    this.#engine = await openFirst({ kind: 'wasm', reason }, { hub: this.#hub, wasmUrls: this.#wasmUrls });
    this.#hub.emit({
      type: 'platform-degrade',
      what: 'compute device',
      from: 'webgpu',
      to: this.#engine.kind,
      reason,
    });
    this.#hub.emit({ type: 'device-select', device: this.#engine.kind, reason });
    await lost.dispose();
  }
}

/**
 * Opens a device in this realm and says which and why with a `device-select` event.
 * Errors: `compute/device-unavailable` when a kind was asked for by name and cannot be had.
 */
export async function openDevice(options: OpenDeviceOptions = {}): Promise<Device> {
  const prefer = options.prefer ?? 'auto';
  const choice = chooseDevice(await platformFacts(options.wasmUrls !== undefined), prefer);
  const engine = new SteadyEngine(await openFirst(choice, options), options);
  options.hub?.emit({ type: 'device-select', device: engine.kind, reason: engine.reason });
  return createDevice(engine, options.memoryLimitBytes);
}
