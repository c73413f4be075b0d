/** Entry of the frame's window. It takes one port, from its parent, and listens to nothing else ever after. */
import type { FrameConnect } from '../sandbox/protocol.ts';
import { serveSandboxes } from './sandbox-server.ts';

function connect(event: MessageEvent<FrameConnect>): void {
  const [port] = event.ports;
  if (event.source !== globalThis.parent || event.data?.type !== 'frame-connect' || !port) return;
  globalThis.removeEventListener('message', connect);
  serveSandboxes(port);
}

globalThis.addEventListener('message', connect);
