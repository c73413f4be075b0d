import { expect, test } from 'vitest';
import type { FrameCommand, FrameReport } from '../sandbox/protocol.ts';
import { serveSandboxes } from './sandbox-server.ts';

/** The smallest module there is. */
const emptyWasm = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]).buffer;
const throwing = 'onmessage = () => setInterval(() => { throw new Error("x".repeat(4000)) }, 1)';

test('of a worker that throws without end, one short error is told', async () => {
  const { port1, port2 } = new MessageChannel();
  using _realm = serveSandboxes(port2);
  const reports: FrameReport[] = [];
  port1.onmessage = (event: MessageEvent<FrameReport>) => void reports.push(event.data);
  const send = (command: FrameCommand, transfer: Transferable[] = []): void =>
    port1.postMessage(command, transfer);
  send({ type: 'frame-boot', wasm: emptyWasm, standardLibrary: new ArrayBuffer(0), worker: throwing });
  await expect.poll(() => reports.map(({ type }) => type)).toEqual(['frame-ready']);
  const { port1: port } = new MessageChannel();
  const settings = { fileBytes: 0, isStripped: true };
  send({ type: 'sandbox-open', sandbox: 's', settings, port }, [port]);
  await expect.poll(() => reports.length, { timeout: 10_000 }).toBeGreaterThan(1);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const failures = reports.filter((report) => report.type === 'sandbox-fail');
  expect(failures).toHaveLength(1);
  expect(failures[0]?.message.length).toBeLessThanOrEqual(1000);
});
