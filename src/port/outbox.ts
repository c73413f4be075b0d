/**
 * Frames on their way out. A message between realms costs far more than a frame in it, so frames that one turn of the event loop sends
 * may go in one message; their order never changes.
 */
import { maxBatchFrames, protocolVersion } from './envelope.ts';
import type { Envelope } from './envelope.ts';
import type { Port } from './port.ts';

/** Beyond it a batch goes at once: the other realm should begin while this one goes on. */
const maxBatchBytes = 64 * 1024;

const settled = Promise.resolve();

export class Outbox {
  readonly #port: Port;
  readonly #onRefused: (frame: Envelope, error: unknown) => void;
  #waiting: Envelope[] = [];
  #waitingBytes = 0;
  #isFlushDue = false;
  readonly #flushDue = (): void => {
    this.#isFlushDue = false;
    this.flush();
  };

  /** @param onRefused gets a frame that waited and that the port does not take */
  constructor(port: Port, onRefused: (frame: Envelope, error: unknown) => void) {
    this.#port = port;
    this.#onRefused = onRefused;
  }

  /** Goes at once, behind what waits. @throws `port/not-cloneable` */
  post(frame: Envelope, transfer?: readonly Transferable[]): void {
    this.flush();
    this.#port.post(frame, transfer);
  }

  /**
   * Goes with what else this turn sends, at its end at the latest.
   * @param frame plain data that nobody changes any more
   */
  add(frame: Envelope, sizeBytes: number): void {
    this.#waiting.push(frame);
    this.#waitingBytes += sizeBytes;
    if (this.#waiting.length >= maxBatchFrames || this.#waitingBytes >= maxBatchBytes) return this.flush();
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    // costs less than queueMicrotask
    void settled.then(this.#flushDue);
  }

  /** Sends what waits. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const frames = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    try {
      this.#port.post(asMessage(frames));
    } catch {
      for (const frame of frames) this.#postAlone(frame);
    }
  }

  #postAlone(frame: Envelope): void {
    try {
      this.#port.post(frame);
    } catch (error) {
      this.#onRefused(frame, error);
    }
  }
}

function asMessage(frames: readonly Envelope[]): unknown {
  return frames.length === 1 ? frames[0] : { vivarium: protocolVersion, type: 'batch-send', frames };
}
