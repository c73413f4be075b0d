/** The compute worker: trusted code of ours, reached through comlink by `compute-client.ts` alone. */
import { expose } from 'comlink';
import { holdLock } from '../platform/index.ts';
import { toWireError } from '../port/index.ts';
import { createHub } from '../telemetry/index.ts';
import type { ComputeService, Reply } from './compute-service.ts';
import type { Device } from './device.ts';
import { openDevice } from './device/open-device.ts';
import { answerRequest } from './request.ts';
import type { ComputeRequest, WorkerSettings } from './request.ts';

const hub = createHub();
let settings: WorkerSettings = { prefer: 'auto' };
let device: Promise<Device> | undefined;

function sharedDevice(): Promise<Device> {
  if (!device) {
    device = openDevice({ ...settings, hub });
    // a refused device may be there next time
    device.catch(() => (device = undefined));
  }
  return device;
}

async function reply(request: ComputeRequest, onProgress?: (...parts: never[]) => void): Promise<Reply> {
  try {
    const context = { device: sharedDevice, ...(onProgress ? { onProgress: onProgress as () => void } : {}) };
    return { ok: true, value: await answerRequest(request, context) };
  } catch (error) {
    return { ok: false, error: toWireError(error, 'compute/failed') };
  }
}

const service: ComputeService = {
  async start(lockName, given, onEvent) {
    settings = given;
    hub.subscribe((event) => void onEvent(event));
    await holdLock(lockName);
  },
  run: (request, onProgress) => reply(request, onProgress),
};

expose(service);
