/** The worker of any language: takes what the frame hands over, starts the engine, and serves the page's runs on the port. */
import { messageOf } from '../../base/index.ts';
import type { GuestBoot, GuestCommand, GuestMessage, SnapshotMessage } from '../sandbox/protocol.ts';
import type { MakeSnapshot, StartEngine } from './engine.ts';
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

/** The worker's only act: nothing is ever run in it. */
async function sendSnapshot({ port }: GuestBoot, snapshot: Promise<ArrayBuffer>): Promise<void> {
  const send = (message: SnapshotMessage, transfer: ArrayBuffer[] = []): void =>
    port.postMessage(message, transfer);
  try {
    const content = await snapshot;
    send({ type: 'snapshot-ready', content }, [content]);
  } catch (error) {
    send({ type: 'snapshot-fail', message: messageOf(error).slice(0, 1000) });
  }
}

/**
 * The whole of a worker's entry; called once, as the entry's last act.
 * @param makeSnapshot for a language that `hasSnapshots`
 */
export function serveGuest(startEngine: StartEngine, makeSnapshot?: MakeSnapshot): void {
  globalThis.onmessage = (event: MessageEvent<GuestBoot>) => {
    globalThis.onmessage = null;
    const { data } = event;
    if (data.snapshot === 'make' && makeSnapshot) void sendSnapshot(data, makeSnapshot(data));
    else void boot(data, startEngine);
  };
}
