/**
 * How an answer reaches a guest that waits for it without giving up its thread: memory that the frame shares with the worker. The worker can write
 * what it likes there, and fools only itself: the frame never reads it.
 */

/** Bumped by every delivery and every interrupt: what the worker sleeps on. */
const sequenceIndex = 0;
const callIndex = 1;
const lengthIndex = 2;
const headerBytes = 4 * Int32Array.BYTES_PER_ELEMENT;

/** @param capacityBytes of the longest answer */
export function createMailbox(capacityBytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(headerBytes + capacityBytes);
}

/** Puts an answer in; one that does not fit is not delivered. Calls are numbered from 1. */
export function deliver(mailbox: SharedArrayBuffer, call: number, bytes: Uint8Array): void {
  if (bytes.length > mailbox.byteLength - headerBytes) return;
  const cells = new Int32Array(mailbox, 0, 4);
  new Uint8Array(mailbox).set(bytes, headerBytes);
  Atomics.store(cells, lengthIndex, bytes.length);
  Atomics.store(cells, callIndex, call);
  rouse(mailbox);
}

/** Wakes a worker that waits: there is something to look at, perhaps an interrupt. */
export function rouse(mailbox: SharedArrayBuffer): void {
  const cells = new Int32Array(mailbox, 0, 4);
  Atomics.add(cells, sequenceIndex, 1);
  Atomics.notify(cells, sequenceIndex);
}

/** Blocks this thread until the answer to `call` is there, or `isStopped` says so after a rousing; then `undefined`. */
export function collect(
  mailbox: SharedArrayBuffer,
  call: number,
  isStopped: () => boolean,
): Uint8Array<ArrayBuffer> | undefined {
  const cells = new Int32Array(mailbox, 0, 4);
  for (;;) {
    // before the look: what comes after it ends the sleep at once
    const sequence = Atomics.load(cells, sequenceIndex);
    if (Atomics.load(cells, callIndex) === call) {
      return new Uint8Array(mailbox, headerBytes, Atomics.load(cells, lengthIndex)).slice();
    }
    if (isStopped()) return undefined;
    Atomics.wait(cells, sequenceIndex, sequence);
  }
}
