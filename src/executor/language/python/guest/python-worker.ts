/** Entry of the worker that runs Python; bundled as one classic script, because the frame can start no other kind. */
import './prelude.ts';
import { messageOf } from '../../../../base/index.ts';
import type { GuestBoot, GuestMessage, RunStart } from '../../../sandbox/protocol.ts';
import { limitFiles } from './file-quota.ts';
import type { FileSystem } from './file-quota.ts';
import { GuestRunner } from '../../../guest/guest-runner.ts';
import { loadInterpreter } from './load-interpreter.ts';

async function boot(start: GuestBoot): Promise<void> {
  const { port, settings } = start;
  // bound now: a guest that changes MessagePort later does not change ours
  const post = port.postMessage.bind(port);
  const send = (message: GuestMessage, transfer: readonly ArrayBuffer[] = []): void =>
    post(message, [...transfer]);
  try {
    const runner = new GuestRunner(send, start.interrupt);
    const python = await loadInterpreter(start, (stream, bytes) => runner.writeRaw(stream, bytes));
    const internals = python as unknown as { _api: { on_fatal?: (error: unknown) => void } };
    internals._api.on_fatal = (error) => runner.die(error);
    runner.install(python, harnessSource);
    limitFiles(python.FS as unknown as FileSystem, settings.fileBytes);
    port.onmessage = (event: MessageEvent<RunStart>) => void runner.serve(event.data);
    send({ type: 'sandbox-ready' });
  } catch (error) {
    send({ type: 'sandbox-fail', message: messageOf(error).slice(0, 1000) });
  }
}

globalThis.onmessage = (event: MessageEvent<GuestBoot>) => {
  globalThis.onmessage = null;
  void boot(event.data);
};
