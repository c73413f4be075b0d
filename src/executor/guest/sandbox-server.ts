/**
 * The frame's own work: it compiles the interpreter once and owns the workers and their interrupt flags. No guest code runs here, and
 * nothing that a worker posts to it is read.
 */
import { messageOf, unreachable } from '../../base/index.ts';
import type { FrameCommand, FrameReport, GuestBoot } from '../sandbox/protocol.ts';
import { createInterruptFlag, raiseInterrupt } from './interrupt-flag.ts';
import { spawnGuest } from './spawn-guest.ts';

interface Guest {
  readonly worker: Worker;
  readonly interrupt: SharedArrayBuffer | undefined;
}

interface Files {
  readonly module: WebAssembly.Module;
  readonly standardLibrary: ArrayBuffer;
  readonly workerUrl: string;
}

type CommandOf<T extends FrameCommand['type']> = Extract<FrameCommand, { type: T }>;

/** An error's text may be the guest's. */
const maxMessageLength = 1000;

class SandboxServer {
  readonly #guests = new Map<string, Guest>();
  readonly #report: (report: FrameReport) => void;
  #files: Files | undefined;

  constructor(report: (report: FrameReport) => void) {
    this.#report = report;
  }

  async boot(command: CommandOf<'frame-boot'>): Promise<void> {
    try {
      const workerUrl = URL.createObjectURL(new Blob([command.worker], { type: 'text/javascript' }));
      const module = await WebAssembly.compile(command.wasm);
      this.#files = { module, standardLibrary: command.standardLibrary, workerUrl };
      this.#report({ type: 'frame-ready', isIsolated: globalThis.crossOriginIsolated });
    } catch (error) {
      this.#report({ type: 'frame-fail', message: messageOf(error) });
    }
  }

  open({ sandbox, settings, port }: CommandOf<'sandbox-open'>): void {
    const fail = (message: string): void => this.#report({ type: 'sandbox-fail', sandbox, message });
    const files = this.#files;
    if (!files) return fail('the frame has not been booted');
    try {
      const worker = spawnGuest(files.workerUrl);
      const interrupt = globalThis.crossOriginIsolated ? createInterruptFlag() : undefined;
      // a guest can throw without end: only the first error, that of a failed start, is of use, and none fills the console
      let isTold = false;
      worker.addEventListener('error', (event) => {
        event.preventDefault();
        if (!isTold) fail((event.message || 'the worker did not start').slice(0, maxMessageLength));
        isTold = true;
      });
      this.#guests.set(sandbox, { worker, interrupt });
      const { module, standardLibrary } = files;
      const boot: GuestBoot = { module, standardLibrary, settings, interrupt, port };
      worker.postMessage(boot, [port]);
    } catch (error) {
      fail(messageOf(error));
    }
  }

  ping(command: number): void {
    this.#report({ type: 'command-done', command });
  }

  interrupt({ sandbox, run, command }: CommandOf<'sandbox-interrupt'>): void {
    const flag = this.#guests.get(sandbox)?.interrupt;
    if (flag) raiseInterrupt(flag, run);
    this.#report({ type: 'command-done', command });
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
    if (this.#files) URL.revokeObjectURL(this.#files.workerUrl);
  }
}

/** Serves the page on `port` until this realm goes, or until it is disposed: then every worker ends. */
export function serveSandboxes(port: MessagePort): Disposable {
  const server = new SandboxServer((report) => port.postMessage(report));
  port.onmessage = ({ data: command }: MessageEvent<FrameCommand>) => {
    switch (command.type) {
      case 'frame-boot':
        return void server.boot(command);
      case 'sandbox-open':
        return server.open(command);
      case 'frame-ping':
        return server.ping(command.command);
      case 'sandbox-interrupt':
        return server.interrupt(command);
      case 'sandbox-close':
        return server.close(command.sandbox, command.command);
      default:
        return unreachable(command);
    }
  };
  return {
    [Symbol.dispose]() {
      port.close();
      server.closeAll();
    },
  };
}
