/** The page's end of a realm that holds sandboxes: a frame, or in the control of the escape suite the page itself. */
import { CodedError } from '../../base/index.ts';
import type { Brand } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import { waitForAnswer } from './answer-wait.ts';
import type { FrameAsset, FrameCommand, FrameReport, GuestSettings, SnapshotUse } from './protocol.ts';
import type { SandboxId } from './sandbox-id.ts';

/** What one kind of guest is made of; handed to a realm once, the buffers given away. */
export interface GuestFiles {
  /** Source of the worker, a classic script; bytes are UTF-8. */
  readonly worker: string | ArrayBuffer;
  readonly assets: readonly FrameAsset[];
  /** Digest of all of it, or `undefined` where there can be none; never rejects. Where the language `hasSnapshots`. */
  readonly build?: Promise<string | undefined> | undefined;
}

/** Names a kind of guest that a realm has; good in that realm alone. */
export type GuestKind = Brand<number, 'GuestKind'>;

/** A kind of guest that the realm has, and compiles. */
export interface LoadingGuest {
  /** May be given a snapshot at once, and be opened when it is ready. */
  readonly kind: GuestKind;
  /** Resolves when the realm has compiled the files; rejects with `executor/boot-failed` or `executor/frame-lost`. */
  readonly ready: Promise<void>;
}

/** Told about one sandbox. */
export interface SandboxWatcher {
  /** Its worker could not be started, or raised an error outside any run. */
  fail(message: string): void;
  /** The whole realm is gone. */
  lose(): void;
}

/** Which kind of guest a worker is, and how it is set up. */
export interface OpenedGuest {
  readonly kind: GuestKind;
  readonly settings: GuestSettings;
  /** Default `none`. */
  readonly snapshot?: SnapshotUse;
}

export interface SandboxHost extends Disposable {
  /** Whether a guest can be interrupted without being ended. */
  readonly isIsolated: boolean;
  readonly isLost: boolean;
  /** Resolves when the realm answers; rejects with `executor/frame-lost`, and is lost then. */
  ping(): Promise<void>;
  /** Asks again and again while `work` lasts, so that a realm which dies meanwhile is found out. Settles as `work` does. */
  watch<T>(work: Promise<T>): Promise<T>;
  /** Throws `executor/frame-lost`. */
  load(files: GuestFiles): LoadingGuest;
  /** What guests of this kind may start from, from now on; the buffer is given away. */
  keepSnapshot(kind: GuestKind, content: ArrayBuffer): void;
  /** Starts a worker; the port speaks with it. */
  open(id: SandboxId, guest: OpenedGuest, watcher: SandboxWatcher): MessagePort;
  /** Resolves when a later run can no longer be hit. @param run which one, also when it has yet to begin */
  interrupt(id: SandboxId, run: number): Promise<void>;
  /** Puts a tool's answer where the worker's waiting thread finds it. */
  deliver(id: SandboxId, call: number, answer: Uint8Array<ArrayBuffer>): void;
  close(id: SandboxId): void;
}

export interface HostOptions {
  readonly clock: Clock;
  /** How long a command may stay unconfirmed while the page itself is awake. */
  readonly answerMs: number;
  /** Removes the realm. */
  readonly remove: () => void;
}

type Waiter = { resolve: () => void; reject: (error: CodedError) => void };

const lost = (): CodedError =>
  new CodedError('executor/frame-lost', 'the frame that holds the sandboxes does not answer', {
    isRetryable: true,
  });

/** Speaks with a realm that serves `port` as `guest/sandbox-server.ts` does. */
export class PortSandboxHost implements SandboxHost {
  readonly #port: MessagePort;
  readonly #options: HostOptions;
  readonly #watchers = new Map<string, SandboxWatcher>();
  readonly #waiting = new Map<number, Waiter>();
  readonly #loading = new Map<number, Waiter>();
  readonly #ready: Promise<void>;
  #settleReady: Waiter | undefined;
  #kinds = 0;
  #commands = 0;
  #isIsolated = false;
  #isLost = false;

  constructor(port: MessagePort, options: HostOptions) {
    this.#port = port;
    this.#options = options;
    this.#ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    // told to whoever asks for it
    this.#ready.catch(() => undefined);
    port.onmessage = (event: MessageEvent<FrameReport>) => this.#receive(event.data);
  }

  get isIsolated(): boolean {
    return this.#isIsolated;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** Resolves when the realm has spoken; rejects with `executor/frame-lost`. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  load({ worker, assets }: GuestFiles): LoadingGuest {
    if (this.#isLost) throw lost();
    const guest = ++this.#kinds;
    const done = new Promise<void>((resolve, reject) => this.#loading.set(guest, { resolve, reject }));
    const given = assets.map(({ content }) => content);
    if (typeof worker !== 'string') given.push(worker);
    this.#send({ type: 'guest-load', guest, worker, assets }, given);
    const ready = this.watch(done).finally(() => this.#loading.delete(guest));
    return { kind: guest as GuestKind, ready };
  }

  keepSnapshot(kind: GuestKind, content: ArrayBuffer): void {
    if (!this.#isLost) this.#send({ type: 'snapshot-keep', guest: kind, content }, [content]);
  }

  open(id: SandboxId, guest: OpenedGuest, watcher: SandboxWatcher): MessagePort {
    const { kind, settings, snapshot = 'none' } = guest;
    if (this.#isLost) throw lost();
    const { port1, port2 } = new MessageChannel();
    this.#watchers.set(id, watcher);
    this.#send({ type: 'sandbox-open', sandbox: id, guest: kind, settings, snapshot, port: port2 }, [port2]);
    return port1;
  }

  ping(): Promise<void> {
    return this.#command((command) => ({ type: 'frame-ping', command }));
  }

  async watch<T>(work: Promise<T>): Promise<T> {
    const { clock, answerMs } = this.#options;
    let isSettled = false;
    const beat = async (): Promise<void> => {
      await this.ping().catch(() => undefined);
      if (!isSettled && !this.#isLost) cancel = clock.after(answerMs, () => void beat());
    };
    let cancel = clock.after(answerMs, () => void beat());
    try {
      return await work;
    } finally {
      isSettled = true;
      cancel();
    }
  }

  interrupt(id: SandboxId, run: number): Promise<void> {
    return this.#command((command) => ({ type: 'sandbox-interrupt', sandbox: id, run, command }));
  }

  deliver(id: SandboxId, call: number, answer: Uint8Array<ArrayBuffer>): void {
    if (this.#isLost) return;
    this.#send({ type: 'tool-deliver', sandbox: id, call, answer }, [answer.buffer]);
  }

  close(id: SandboxId): void {
    this.#watchers.delete(id);
    if (this.#isLost) return;
    void this.#command((command) => ({ type: 'sandbox-close', sandbox: id, command })).catch(() => undefined);
  }

  [Symbol.dispose](): void {
    this.#lose();
  }

  /**
   * A command that is not confirmed in time means that nothing in there can be stopped any more: all of it goes. Rejects with
   * `executor/frame-lost`.
   */
  async #command(create: (command: number) => FrameCommand): Promise<void> {
    if (this.#isLost) throw lost();
    const command = ++this.#commands;
    const { clock, answerMs } = this.#options;
    const done = new Promise<void>((resolve, reject) => this.#waiting.set(command, { resolve, reject }));
    this.#send(create(command), []);
    const endWait = waitForAnswer({
      clock,
      answerMs,
      // answers come in order: when this one is here, the one that is waited for is too
      onDoubt: () => this.#send({ type: 'frame-ping', command: ++this.#commands }, []),
      onSilence: () => this.#lose(),
    });
    try {
      await done;
    } finally {
      endWait();
      this.#waiting.delete(command);
    }
  }

  #send(command: FrameCommand, transfer: Transferable[]): void {
    this.#port.postMessage(command, transfer);
  }

  #receive(report: FrameReport): void {
    switch (report.type) {
      case 'frame-ready':
        this.#isIsolated = report.isIsolated;
        return this.#settleReady?.resolve();
      case 'guest-ready':
        return this.#loading.get(report.guest)?.resolve();
      case 'guest-fail':
        return this.#loading
          .get(report.guest)
          ?.reject(
            new CodedError('executor/boot-failed', `the frame cannot take the guest: ${report.message}`),
          );
      case 'sandbox-fail':
        return this.#watchers.get(report.sandbox)?.fail(report.message);
      case 'command-done':
        return this.#waiting.get(report.command)?.resolve();
    }
  }

  #lose(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#settleReady?.reject(lost());
    for (const { reject } of this.#loading.values()) reject(lost());
    for (const { reject } of this.#waiting.values()) reject(lost());
    for (const watcher of this.#watchers.values()) watcher.lose();
    this.#watchers.clear();
    this.#port.close();
    this.#options.remove();
  }
}
