/** One interpreter, seen from the page: it boots, runs one thing at a time, and ends. */
import { CodedError } from '../../base/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { OutputPart } from '../executor.ts';
import type { PreparedRun } from './prepare-run.ts';
import { parseGuestMessage } from './protocol.ts';
import type { GuestCommand, GuestMessage, ToolCallMessage } from './protocol.ts';
import { parseRunResult } from './run-result.ts';
import type { ResultBounds, RunResult } from './run-result.ts';
import type { OpenedGuest, SandboxHost } from './sandbox-host.ts';
import type { SandboxId } from './sandbox-id.ts';

/** Why an interpreter ended. */
export type KillCause =
  | 'used'
  | 'time'
  | 'output'
  | 'calls'
  | 'denied'
  | 'cancelled'
  | 'disposed'
  | 'died'
  | 'protocol'
  | 'frame-lost';

/** How a run left the interpreter. */
export type RunEnd =
  | { readonly type: 'result'; readonly result: RunResult; readonly isStateLost: boolean }
  | { readonly type: 'dead'; readonly cause: KillCause; readonly message: string };

/** Follows one run. */
export interface RunWatcher {
  output(part: OutputPart): void;
  /** The guest shows a rich value. */
  display(bundle: string): void;
  /** The guest calls a tool; answered with {@link Sandbox.answer}. */
  call(message: ToolCallMessage): void;
  /** The guest printed more than it may. */
  exceed(): void;
}

export interface SandboxOptions {
  readonly id: SandboxId;
  readonly host: SandboxHost;
  readonly guest: OpenedGuest;
  readonly bounds: ResultBounds;
  readonly hub: Hub;
  /** The guest ends its run at the time limit by itself, as far as it can. */
  readonly keepsTime: boolean;
}

interface CurrentRun {
  readonly run: number;
  readonly watcher: RunWatcher;
  readonly resolve: (end: RunEnd) => void;
}

export class Sandbox {
  readonly id: SandboxId;
  /** Rejects with `executor/boot-failed` or `executor/frame-lost`. */
  readonly ready: Promise<void>;
  readonly #options: SandboxOptions;
  readonly #port: MessagePort;
  #settle: { resolve: () => void; reject: (error: CodedError) => void } | undefined;
  #current: CurrentRun | undefined;
  #runs = 0;
  #isAlive = true;

  /** Starts the worker at once; throws `executor/frame-lost`. */
  constructor(options: SandboxOptions) {
    this.id = options.id;
    this.#options = options;
    const ready = new Promise<void>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.ready = options.host.watch(ready);
    // whoever opened it awaits it; nobody else has to
    this.ready.catch(() => undefined);
    this.#port = options.host.open(options.id, options.guest, {
      fail: (message) => this.#bootFail(message),
      lose: () => this.#end('frame-lost', 'the frame that held the interpreter is gone'),
    });
    this.#port.onmessage = (event: MessageEvent<unknown>) => this.#receive(event.data);
    this.#port.onmessageerror = () => this.#end('protocol', 'a message could not be read');
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isFromSnapshot(): boolean {
    return this.#options.guest.snapshot === 'load';
  }

  get canInterrupt(): boolean {
    return this.#options.host.isIsolated;
  }

  get keepsTime(): boolean {
    return this.#options.keepsTime;
  }

  /** Whether it can be used: a frame that has crashed says nothing by itself. */
  async isReachable(): Promise<boolean> {
    if (!this.#isAlive) return false;
    await this.#options.host.ping().catch(() => undefined);
    return this.#isAlive;
  }

  /** The next run finds an interpreter that has run nothing. Only between runs, and where the language is `isRenewable`. */
  renew(): void {
    this.#send({ type: 'guest-renew' }, []);
  }

  /** Resolves always. The caller runs one thing at a time. */
  run(prepared: PreparedRun, watcher: RunWatcher): Promise<RunEnd> {
    const { grant: _kept, ...start } = prepared;
    if (!this.#isAlive)
      return Promise.resolve({ type: 'dead', cause: 'died', message: 'it had ended before' });
    const run = ++this.#runs;
    const end = new Promise<RunEnd>((resolve) => {
      this.#current = { run, watcher, resolve };
      this.#send({ type: 'run-start', run, ...start }, [start.request.buffer, ...start.buffers]);
    });
    return this.#options.host.watch(end);
  }

  /** Asks the guest to stop its current run; resolves when a later run cannot be hit by it. Rejects with `executor/frame-lost`. */
  interrupt(): Promise<void> {
    this.#send({ type: 'run-stop', run: this.#runs }, []);
    return this.#options.host.interrupt(this.id, this.#runs);
  }

  /** Answers a tool's call of the current run; that of an earlier one is dropped. */
  answer({ run, call, isBlocking }: ToolCallMessage, answer: Uint8Array<ArrayBuffer>): void {
    if (!this.#isAlive || this.#current?.run !== run) return;
    if (isBlocking) this.#options.host.deliver(this.id, call, answer);
    else this.#send({ type: 'tool-answer', call, answer }, [answer.buffer]);
  }

  /** Ends the worker; a run in progress ends as `dead` with this cause. */
  kill(cause: KillCause): void {
    this.#end(cause, `the interpreter was ended: ${cause}`);
  }

  #send(command: GuestCommand, transfer: ArrayBuffer[]): void {
    this.#port.postMessage(command, transfer);
  }

  #receive(data: unknown): void {
    const message = parseGuestMessage(data);
    if (!message) return this.#end('protocol', 'the interpreter sent something that is no message');
    switch (message.type) {
      case 'sandbox-ready':
        return this.#settle?.resolve();
      case 'sandbox-fail':
        return this.#bootFail(message.message);
      case 'sandbox-die':
        return this.#end('died', message.message);
      case 'output-write':
      case 'output-exceed':
      case 'display-write':
      case 'tool-call':
      case 'run-end':
        return this.#receiveOfRun(message);
    }
  }

  /** Messages of another run than the current one are left-overs, or forged. */
  #receiveOfRun(message: Exclude<GuestMessage, { message: string } | { type: 'sandbox-ready' }>): void {
    const current = this.#current;
    if (!current || message.run !== current.run) return;
    switch (message.type) {
      case 'output-write':
        return current.watcher.output({ stream: message.stream, text: message.text });
      case 'output-exceed':
        return current.watcher.exceed();
      case 'display-write':
        return current.watcher.display(message.bundle);
      case 'tool-call':
        return current.watcher.call(message);
      case 'run-end':
        return this.#finish(current, message);
    }
  }

  #finish(current: CurrentRun, end: Extract<GuestMessage, { type: 'run-end' }>): void {
    try {
      const result = parseRunResult(end.result, end.buffers, this.#options.bounds);
      this.#current = undefined;
      current.resolve({ type: 'result', result, isStateLost: end.isStateLost });
    } catch (error) {
      this.#end('protocol', error instanceof Error ? error.message : 'a result could not be read');
    }
  }

  /** After its start, an error in the worker outside any run is the guest's own affair. */
  #bootFail(message: string): void {
    this.#settle?.reject(
      new CodedError('executor/boot-failed', `the interpreter did not start: ${message}`, {
        fields: { message },
      }),
    );
  }

  #end(cause: KillCause, message: string): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    const { host, hub } = this.#options;
    host.close(this.id);
    this.#port.close();
    hub.emit({ type: 'sandbox-kill', sandbox: this.id, cause });
    const code = cause === 'frame-lost' ? 'executor/frame-lost' : 'executor/boot-failed';
    this.#settle?.reject(new CodedError(code, message, { isRetryable: true }));
    this.#current?.resolve({ type: 'dead', cause, message });
    this.#current = undefined;
  }
}
