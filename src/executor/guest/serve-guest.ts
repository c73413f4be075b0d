/** The worker of any language: takes what the frame hands over, starts the engine, and serves the page's runs on the port. */
import { messageOf } from '../../base/index.ts';
import type { GuestBoot, GuestCommand, GuestMessage } from '../sandbox/protocol.ts';
import type { StartEngine } from './engine.ts';
import { GuestRunner } from './guest-runner.ts';

async function boot(start: GuestBoot, startEngine: StartEngine): Promise<void> {
  const { port } = start;
  // bound now: a guest that changes MessagePort later does not change ours
  const post = port.postMessage.bind(port);
  const send = (message: GuestMessage, transfer: readonly ArrayBuffer[] = []): void =>
    post(message, [...transfer]);
  try {
    const runner = new GuestRunner(send, start);
    runner.install(await startEngine(start, runner));
    port.onmessage = (event: MessageEvent<GuestCommand>) => void runner.receive(event.data);
    send({ type: 'sandbox-ready' });
  } catch (error) {
    send({ type: 'sandbox-fail', message: messageOf(error).slice(0, 1000) });
  }
}

/** The whole of a worker's entry; called once, as the entry's last act. */
export function serveGuest(startEngine: StartEngine): void {
  globalThis.onmessage = (event: MessageEvent<GuestBoot>) => {
    globalThis.onmessage = null;
    void boot(event.data, startEngine);
  };
}
