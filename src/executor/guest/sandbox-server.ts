/**
 * The frame's own work: it takes what each kind of guest is made of, compiles it once, and owns the workers and their interrupt flags. No guest code runs here, and
 * nothing that a worker posts to it is read.
 */
import { messageOf, unreachable } from '../../base/index.ts';
import type { FrameCommand, FrameReport, GuestBoot } from '../sandbox/protocol.ts';
import { createInterruptFlag, raiseInterrupt } from './interrupt-flag.ts';
import { createMailbox, deliver, rouse } from './mailbox.ts';
import { spawnGuest } from './spawn-guest.ts';

interface Guest {
  readonly worker: Worker;
  readonly interrupt: SharedArrayBuffer | undefined;
  readonly mailbox: SharedArrayBuffer | undefined;
}

/** What a kind of guest is made of. */
interface Kind {
  readonly assets: GuestBoot['assets'];
  readonly workerUrl: string;
  snapshot?: ArrayBuffer;
}

type CommandOf<T extends FrameCommand['type']> = Extract<FrameCommand, { type: T }>;

/** An error's text may be the guest's. */
const maxMessageLength = 1000;

/** WebKit can call itself isolated and have no such memory all the same. */
function canShareMemory(): boolean {
  return globalThis.crossOriginIsolated && typeof SharedArrayBuffer === 'function';
}

class SandboxServer {
  readonly #guests = new Map<string, Guest>();
  readonly #report: (report: FrameReport) => void;
  readonly #kinds = new Map<number, Kind>();

  constructor(report: (report: FrameReport) => void) {
    this.#report = report;
  }

  async load({ guest, worker, assets }: CommandOf<'guest-load'>): Promise<void> {
    try {
      const entries = await Promise.all(
        assets.map(async ({ name, form, content }) => {
          return [name, form === 'module' ? await WebAssembly.compile(content) : content] as const;
        }),
      );
      const workerUrl = URL.createObjectURL(new Blob([worker], { type: 'text/javascript' }));
      this.#kinds.set(guest, { assets: Object.fromEntries(entries), workerUrl });
      this.#report({ type: 'guest-ready', guest });
    } catch (error) {
      this.#report({ type: 'guest-fail', guest, message: messageOf(error).slice(0, maxMessageLength) });
    }
  }

  open({ sandbox, guest, settings, snapshot: use, port }: CommandOf<'sandbox-open'>): void {
    const fail = (message: string): void => this.#report({ type: 'sandbox-fail', sandbox, message });
    const kind = this.#kinds.get(guest);
    if (!kind) return fail('the frame does not have this kind of guest');
    try {
      const worker = spawnGuest(kind.workerUrl);
      const interrupt = canShareMemory() ? createInterruptFlag() : undefined;
      const mailbox =
        interrupt && settings.mailboxBytes > 0 ? createMailbox(settings.mailboxBytes) : undefined;
      // a guest can throw without end: only the first error, that of a failed start, is of use, and none fills the console
      let isTold = false;
      worker.addEventListener('error', (event) => {
        event.preventDefault();
        if (!isTold) fail((event.message || 'the worker did not start').slice(0, maxMessageLength));
        isTold = true;
      });
      // a guest speaks on its port alone: one that posts here may post without end, and keep this thread from everybody
      const silence = (): void => worker.terminate();
      worker.addEventListener('message', silence);
      worker.addEventListener('messageerror', silence);
      this.#guests.set(sandbox, { worker, interrupt, mailbox });
      // each gets a copy: none can change what another one starts from
      const snapshot = use === 'load' ? kind.snapshot : use === 'make' ? use : undefined;
      const boot: GuestBoot = { assets: kind.assets, settings, interrupt, mailbox, snapshot, port };
      worker.postMessage(boot, [port]);
    } catch (error) {
      fail(messageOf(error));
    }
  }

  keepSnapshot({ guest, content }: CommandOf<'snapshot-keep'>): void {
    const kind = this.#kinds.get(guest);
    if (kind) kind.snapshot = content;
  }

  ping(command: number): void {
    this.#report({ type: 'command-done', command });
  }

  interrupt({ sandbox, run, command }: CommandOf<'sandbox-interrupt'>): void {
    const guest = this.#guests.get(sandbox);
    if (guest?.interrupt) raiseInterrupt(guest.interrupt, run);
    // one that waits for a tool looks at the flag when it is woken
    if (guest?.mailbox) rouse(guest.mailbox);
    this.#report({ type: 'command-done', command });
  }

  deliver({ sandbox, call, answer }: CommandOf<'tool-deliver'>): void {
    const mailbox = this.#guests.get(sandbox)?.mailbox;
    if (mailbox) deliver(mailbox, call, answer);
  }

  close(sandbox: string, command: number): void {
    const guest = this.#guests.get(sandbox);
    this.#guests.delete(sandbox);
    // a terminated worker may go on for two seconds unless its loop is broken as well
    if (guest?.interrupt) raiseInterrupt(guest.interrupt);
    guest?.worker.terminate();
    this.#report({ type: 'command-done', command });
  }

  closeAll(): void {
    for (const { worker } of this.#guests.values()) worker.terminate();
    this.#guests.clear();
    for (const { workerUrl } of this.#kinds.values()) URL.revokeObjectURL(workerUrl);
    this.#kinds.clear();
  }
}

/** Serves the page on `port` until this realm goes, or until it is disposed: then every worker ends. */
export function serveSandboxes(port: MessagePort): Disposable {
  const report = (message: FrameReport): void => port.postMessage(message);
  const server = new SandboxServer(report);
  port.onmessage = ({ data: command }: MessageEvent<FrameCommand>) => {
    switch (command.type) {
      case 'guest-load':
        return void server.load(command);
      case 'sandbox-open':
        return server.open(command);
      case 'snapshot-keep':
        return server.keepSnapshot(command);
      case 'frame-ping':
        return server.ping(command.command);
      case 'sandbox-interrupt':
        return server.interrupt(command);
      case 'tool-deliver':
        return server.deliver(command);
      case 'sandbox-close':
        return server.close(command.sandbox, command.command);
      default:
        return unreachable(command);
    }
  };
  report({ type: 'frame-ready', isIsolated: canShareMemory() });
  return {
    [Symbol.dispose]() {
      port.close();
      server.closeAll();
    },
  };
}
