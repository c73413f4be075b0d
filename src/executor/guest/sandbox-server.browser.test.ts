import { expect, test } from 'vitest';
import type { FrameCommand, FrameReport } from '../sandbox/protocol.ts';
import { serveSandboxes } from './sandbox-server.ts';

const throwing = 'onmessage = () => setInterval(() => { throw new Error("x".repeat(4000)) }, 1)';

test('of a worker that throws without end, one short error is told', async () => {
  const { port1, port2 } = new MessageChannel();
  using _realm = serveSandboxes(port2);
  const reports: FrameReport[] = [];
  port1.onmessage = (event: MessageEvent<FrameReport>) => void reports.push(event.data);
  const send = (command: FrameCommand, transfer: Transferable[] = []): void =>
    port1.postMessage(command, transfer);
  send({ type: 'guest-load', guest: 1, worker: throwing, assets: [] });
  await expect.poll(() => reports.map(({ type }) => type)).toEqual(['frame-ready', 'guest-ready']);
  const { port1: port } = new MessageChannel();
  const settings = { fileBytes: 0, memoryBytes: 0, mailboxBytes: 0, isStripped: true, own: {} };
  send({ type: 'sandbox-open', sandbox: 's', guest: 1, settings, snapshot: 'none', port }, [port]);
  await expect.poll(() => reports.length, { timeout: 10_000 }).toBeGreaterThan(2);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const failures = reports.filter((report) => report.type === 'sandbox-fail');
  expect(failures).toHaveLength(1);
  expect(failures[0]?.message.length).toBeLessThanOrEqual(1000);
});
