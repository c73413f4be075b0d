/** The snapshot of one kind of guest in one realm: taken from the shelf, or made after the first start that had none. */
import { CodedError, messageOf } from '../../base/index.ts';
import { withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import { parseSnapshotMessage } from './protocol.ts';
import type { GuestSettings, SnapshotUse } from './protocol.ts';
import type { GuestKind, SandboxHost } from './sandbox-host.ts';
import { createSandboxId } from './sandbox-id.ts';
import type { SnapshotShelf } from './snapshot-shelf.ts';

/** Making one takes a core for about a second, which the first run is not to wait for. */
const makeDelayMs = 300;

export interface KindSnapshotOptions {
  readonly host: SandboxHost;
  readonly kind: GuestKind;
  readonly shelf: SnapshotShelf;
  readonly language: string;
  /** What a snapshot must have been made with. */
  readonly build: string;
  readonly clock: Clock;
  readonly hub: Hub;
  /** Longest that making one may take. */
  readonly timeoutMs: number;
  /** Aborts when the realm goes. */
  readonly signal: AbortSignal;
}

export class KindSnapshot {
  readonly #options: KindSnapshotOptions;
  #state: 'missing' | 'making' | 'present' | 'refused' = 'missing';

  constructor(options: KindSnapshotOptions) {
    this.#options = options;
  }

  /** How the next guest starts. */
  get use(): SnapshotUse {
    return this.#state === 'present' ? 'load' : 'none';
  }

  /** Hands the realm what the shelf had. */
  keep(image: ArrayBuffer): void {
    const { host, kind } = this.#options;
    host.keepSnapshot(kind, image);
    this.#state = 'present';
  }

  /** A guest could not start from it: no other one tries, and the next visit makes a new one. */
  refuse(reason: string): void {
    if (this.#state !== 'present') return;
    this.#state = 'refused';
    const { shelf, language, build } = this.#options;
    void shelf.drop(language, reason, build);
  }

  /** To be called after a start without one. Makes it in the background, at most once, in a worker where no guest ever runs. */
  makeIfMissing(settings: GuestSettings): void {
    if (this.#state !== 'missing') return;
    this.#state = 'making';
    const { clock, signal } = this.#options;
    clock.after(makeDelayMs, () => {
      if (!signal.aborted) void this.#make(settings);
    });
  }

  async #make(settings: GuestSettings): Promise<void> {
    const { shelf, language, build, clock, hub, timeoutMs, signal } = this.#options;
    const startMs = clock.monotonic();
    let image: ArrayBuffer;
    try {
      image = await withDeadline(clock, { timeoutMs, signal }, (ended) => this.#ask(settings, ended));
    } catch (error) {
      this.#state = 'refused';
      if (!signal.aborted) hub.emit({ type: 'snapshot-drop', language, reason: messageOf(error) });
      return;
    }
    const bytes = new Uint8Array(image.slice(0));
    this.keep(image);
    const sizeBytes = await shelf.put(language, build, bytes);
    if (sizeBytes === undefined) return;
    const durationMs = clock.monotonic() - startMs;
    hub.emit({ type: 'snapshot-make', language, sizeBytes, imageBytes: bytes.length, durationMs });
  }

  /** Opens a worker for this alone, and ends it. */
  #ask(settings: GuestSettings, ended: AbortSignal): Promise<ArrayBuffer> {
    const { host, kind } = this.#options;
    const id = createSandboxId();
    return new Promise<ArrayBuffer>((resolve, reject) => {
      const fail = (message: string): void => {
        reject(new CodedError('executor/snapshot-invalid', `no snapshot could be made: ${message}`));
      };
      ended.addEventListener('abort', () => fail('the time is over'), { once: true });
      const watcher = { fail, lose: () => fail('the frame is gone') };
      const port = host.open(id, { kind, settings, snapshot: 'make' }, watcher);
      port.onmessage = ({ data }: MessageEvent<unknown>) => {
        const message = parseSnapshotMessage(data);
        if (message?.type === 'snapshot-ready') resolve(message.content);
        else fail(message?.message ?? 'what was answered is none');
      };
    }).finally(() => host.close(id));
  }
}
