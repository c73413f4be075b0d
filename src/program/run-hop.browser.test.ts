import { expect, test } from 'vitest';
import { Module } from './module.ts';
import type { HopReply } from './run-hop-test.ts';
import { describeHop } from './run-hop.contract.ts';

describeHop('a web worker', () => {
  const worker = new Worker(new URL('./run-hop-test.worker.ts', import.meta.url), { type: 'module' });
  return {
    post: (request) => worker.postMessage(request),
    onReply: (listener) => {
      worker.onmessage = (event: MessageEvent<HopReply>) => listener(event.data);
    },
    close: () => worker.terminate(),
  };
});

test('a #private member under a view is explained in this engine too', async () => {
  class Private extends Module<unknown, number> {
    #count = 1;
    override async forward(): Promise<number> {
      return (this.#count += 1);
    }
  }
  await expect(new Private().call({})).rejects.toMatchObject({ code: 'program/private-member' });
});
