/**
 * The frame's own work: it takes what each kind of guest is made of, compiles it once, and owns the workers and their interrupt flags. No guest code runs here, and
 * nothing that a worker posts to it is read.
 */
import { messageOf, unreachable } from '../../base/index.ts';
import { systemClock } from '../../platform/index.ts';
import type { FrameAsset, FrameCommand, FrameReport, GuestBoot, SnapshotUse } from '../sandbox/protocol.ts';
import { Copies } from './copies.ts';
import { createInterruptFlag, raiseInterrupt } from './interrupt-flag.ts';
import { createMailbox, deliver, rouse } from './mailbox.ts';
import { spawnGuest } from './spawn-guest.ts';

interface Guest {
  readonly worker: Worker;
  readonly interrupt: SharedArrayBuffer | undefined;
  readonly mailbox: SharedArrayBuffer | undefined;
}

/** A worker that has been started, and perhaps not yet been told what it is. */
interface Started {
  readonly worker: Worker;
  /** What its first error said. */
  failure?: string;
  onFail?: (message: string) => void;
}

/** What a kind of guest is made of. */
interface Kind {
  readonly workerUrl: string;
  /** Reads its script while the rest is compiled; for the first guest of this kind. */
  first?: Started | undefined;
  modules?: Readonly<Record<string, WebAssembly.Module>>;
  readonly bytes: ReadonlyMap<string, Copies>;
  snapshot?: Copies;
}

type CommandOf<T extends FrameCommand['type']> = Extract<FrameCommand, { type: T }>;

/** An error's text may be the guest's. */
const maxMessageLength = 1000;

/** By then a worker that was given its copies has started, and needs the machine no more. */
const copyDelayMs = 1000;

/** WebKit can call itself isolated and have no such memory all the same. */
function canShareMemory(): boolean {
  return globalThis.crossOriginIsolated && typeof SharedArrayBuffer === 'function';
}

/** A worker whose first error is kept, and which says nothing to this window. */
function startWorker(url: string): Started {
  const worker = spawnGuest(url);
  const started: Started = { worker };
  // a guest can throw without end: only the first error, that of a failed start, is of use, and none fills the console
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    if (started.failure !== undefined) return;
    started.failure = (event.message || 'the worker did not start').slice(0, maxMessageLength);
    started.onFail?.(started.failure);
  });
  // a guest speaks on its port alone: one that posts here may post without end, and keep this thread from everybody
  const silence = (): void => worker.terminate();
  worker.addEventListener('message', silence);
  worker.addEventListener('messageerror', silence);
  return started;
}

function copiesOf(kind: Kind): readonly Copies[] {
  return [...kind.bytes.values(), ...(kind.snapshot ? [kind.snapshot] : [])];
}

interface Supplied extends Pick<GuestBoot, 'assets' | 'snapshot'> {
  /** Buffers of it, to be given away. */
  readonly given: readonly ArrayBuffer[];
}

/** What a worker starts with. */
function supply(kind: Kind, use: SnapshotUse): Supplied {
  const copied = [...kind.bytes].map(([name, copies]) => [name, copies.take()] as const);
  const assets = { ...kind.modules, ...Object.fromEntries(copied) };
  const given = copied.map(([, content]) => content);
  if (use !== 'load') return { assets, snapshot: use === 'make' ? use : undefined, given };
  const snapshot = kind.snapshot?.take();
  return { assets, snapshot, given: snapshot ? [...given, snapshot] : given };
}

async function compileModules(assets: readonly FrameAsset[]): Promise<Record<string, WebAssembly.Module>> {
  const modules = assets.filter(({ form }) => form === 'module');
  return Object.fromEntries(
    await Promise.all(
      modules.map(async ({ name, content }) => [name, await WebAssembly.compile(content)] as const),
    ),
  );
}

class SandboxServer {
  readonly #guests = new Map<string, Guest>();
  readonly #report: (report: FrameReport) => void;
  readonly #kinds = new Map<number, Kind>();
  #cancelCopying: (() => void) | undefined;

  constructor(report: (report: FrameReport) => void) {
    this.#report = report;
  }

  async load({ guest, worker, assets }: CommandOf<'guest-load'>): Promise<void> {
    try {
      const workerUrl = URL.createObjectURL(new Blob([worker], { type: 'text/javascript' }));
      const bytes = assets.filter(({ form }) => form === 'bytes');
      const kind: Kind = {
        workerUrl,
        first: startWorker(workerUrl),
        bytes: new Map(bytes.map(({ name, content }) => [name, new Copies(content)])),
      };
      this.#kinds.set(guest, kind);
      const compiling = compileModules(assets);
      // other threads compile
      for (const copies of copiesOf(kind)) copies.prepare();
      kind.modules = await compiling;
      this.#report({ type: 'guest-ready', guest });
    } catch (error) {
      this.#report({ type: 'guest-fail', guest, message: messageOf(error).slice(0, maxMessageLength) });
    }
  }

  open({ sandbox, guest, settings, snapshot: use, port }: CommandOf<'sandbox-open'>): void {
    const fail = (message: string): void => this.#report({ type: 'sandbox-fail', sandbox, message });
    const kind = this.#kinds.get(guest);
    if (!kind?.modules) return fail('the frame does not have this kind of guest');
    try {
      const { worker } = this.#begin(kind, fail);
      const interrupt = canShareMemory() ? createInterruptFlag() : undefined;
      const mailbox =
        interrupt && settings.mailboxBytes > 0 ? createMailbox(settings.mailboxBytes) : undefined;
      this.#guests.set(sandbox, { worker, interrupt, mailbox });
      const { given, ...supplied } = supply(kind, use);
      const boot: GuestBoot = { ...supplied, settings, interrupt, mailbox, port };
      worker.postMessage(boot, [port, ...given]);
      this.#copyLater();
    } catch (error) {
      fail(messageOf(error));
    }
  }

  /** The worker that was started ahead, or a new one. */
  #begin(kind: Kind, fail: (message: string) => void): Started {
    const started = kind.first ?? startWorker(kind.workerUrl);
    kind.first = undefined;
    started.onFail = fail;
    if (started.failure !== undefined) fail(started.failure);
    return started;
  }

  keepSnapshot({ guest, content }: CommandOf<'snapshot-keep'>): void {
    const kind = this.#kinds.get(guest);
    if (!kind) return;
    kind.snapshot = new Copies(content);
    kind.snapshot.prepare();
  }

  /** Makes the copies for the next worker, at a time when no worker is likely to start. */
  #copyLater(): void {
    this.#cancelCopying?.();
    this.#cancelCopying = systemClock.after(copyDelayMs, () => {
      for (const kind of this.#kinds.values()) for (const copies of copiesOf(kind)) copies.prepare();
    });
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
    this.#cancelCopying?.();
    for (const { workerUrl, first } of this.#kinds.values()) {
      first?.worker.terminate();
      URL.revokeObjectURL(workerUrl);
    }
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
