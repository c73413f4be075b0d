import { expect, test } from 'vitest';
import { openDevice } from './open-device.ts';
import { platformFacts } from './select-device.ts';

const { webgpu } = await platformFacts(false);

test.skipIf(webgpu === 'hardware')(
  `without a GPU (adapter: ${webgpu}) WebGPU is refused by name`,
  async () => {
    await expect(openDevice({ prefer: 'webgpu' })).rejects.toMatchObject({
      code: 'compute/device-unavailable',
    });
  },
);
