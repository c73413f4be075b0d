/** One interpreter, seen from the page: it boots, runs one thing at a time, and ends. */
import { CodedError } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { OutputPart } from '../executor.ts';
import type { LostName } from '../outcome.ts';
import type { PreparedRun } from './prepare-run.ts';
import { parseGuestMessage } from './protocol.ts';
import type { GuestCommand, GuestMessage, OutputBound, ToolCallMessage } from './protocol.ts';
import { takeSave } from './saved-session.ts';
import type { SavedSession } from './saved-session.ts';
import type { SaveBounds, SessionSave } from './session-protocol.ts';
import { parseRunResult } from './run-result.ts';
import type { ResultBounds, RunResult } from './run-result.ts';
import type { OpenedGuest, SandboxHost } from './sandbox-host.ts';
import type { SandboxId } from './sandbox-id.ts';

/** Why an interpreter ended. */
export type KillCause =
  | 'used'
  | 'time'
  | 'output'
  | 'display'
  | 'result'
  | 'calls'
  | 'keys'
  | 'denied'
  | 'cancelled'
  | 'disposed'
  | 'died'
  /** The guest has called itself until the interpreter had no stack left. */
  | 'stack'
  | 'protocol'
  | 'frame-lost';

/** How a run left the interpreter. */
export type RunEnd =
  | { readonly type: 'result'; readonly result: RunResult; readonly isStateLost: boolean }
  | { readonly type: 'dead'; readonly cause: KillCause; readonly message: string };

/** Follows one run. */
export interface RunWatcher {
  output(stream: OutputPart['stream'], text: string): void;
  /** The guest shows a rich value. */
  display(bundle: string): void;
  /** The guest calls a tool; answered with {@link Sandbox.answer}. */
  call(message: ToolCallMessage): void;
  /** The guest printed, showed or kept more than it may. */
  exceed(bound: OutputBound): void;
}

export interface SandboxOptions {
  readonly id: SandboxId;
  readonly host: SandboxHost;
  readonly guest: OpenedGuest;
  readonly bounds: ResultBounds;
  readonly hub: Hub;
  readonly clock: Clock;
  /** The guest ends its run at the time limit by itself, as far as it can. */
  readonly keepsTime: boolean;
}

/** Messages that mean one run. */
type OfRun = Extract<
  GuestMessage,
  { type: 'output-write' | 'output-exceed' | 'display-write' | 'tool-call' | 'run-end' }
>;

interface CurrentRun {
  readonly run: number;
  readonly watcher: RunWatcher;
  readonly resolve: (end: RunEnd) => void;
}

/** Who spoke so short a time ago is there: asking would take longer than many a run. */
const recentMs = 100;

/** Before its first run a guest says little. */
const messagesBetweenRuns = 1000;

/**
 * More messages than an honest guest sends in such a run: its runner gathers text for 16 ms, 4 KiB or a part of its lines (some 600 messages at most), and stops at the bounds on calls and rich
 * values. Each of these two is a message that comes after what was printed before it, on two streams: three at most. What is beyond it would keep the page busy, whatever it says.
 */
export function mostMessages({
  outputBytes,
  timeoutMs,
  displays,
  toolCalls,
}: Pick<PreparedRun, 'outputBytes' | 'timeoutMs' | 'displays' | 'toolCalls'>): number {
  return messagesBetweenRuns + outputBytes / 1024 + timeoutMs / 4 + 3 * displays + 3 * toolCalls;
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
  #heardMs = -Infinity;
  #messagesLeft = messagesBetweenRuns;
  #completedRuns = 0;
  #saving: SaveBounds | null = null;
  #saved: SavedSession | undefined;
  /** While the worker puts something aside. */
  #busy: { readonly done: Promise<void>; readonly end: () => void } | undefined;
  #settleRestore: ((lost: readonly LostName[] | undefined) => void) | undefined;
  #endCause: KillCause | undefined;

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
    return this.#endCause === undefined;
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

  /** Whether it can be used: a frame that has crashed says nothing by itself. It is asked unless the interpreter spoke in the last 100 ms. */
  async isReachable(): Promise<boolean> {
    const { host, clock } = this.#options;
    const isRecent = clock.monotonic() - this.#heardMs < recentMs;
    if (this.isAlive && !isRecent) await host.ping().catch(() => undefined);
    return this.isAlive;
  }

  /** The next run finds an interpreter that has run nothing. Only between runs, and where the language is `isRenewable`. */
  renew(): void {
    this.#send({ type: 'guest-renew' }, []);
  }

  /** What was put aside last; stays when the interpreter has ended. */
  get saved(): SavedSession | undefined {
    return this.#saved;
  }

  /** Completed runs that {@link saved} does not hold. */
  get missedRuns(): number {
    const saved = this.#saved;
    return saved ? saved.missedRuns + this.#completedRuns - saved.run : 0;
  }

  /** Why it ended. */
  get endCause(): KillCause | undefined {
    return this.#endCause;
  }

  /** From now on what runs leave is put aside. @param saved what it will be made of: until then, that is what it leaves */
  keepSession(bounds: SaveBounds, saved: SavedSession | undefined): void {
    this.#saving = bounds;
    this.#saved = saved && { ...saved, run: 0 };
  }

  /** Resolves when nothing is being put aside, so that the next run need not wait for it in the worker. */
  whenSaved(): Promise<void> {
    return this.#busy?.done ?? Promise.resolve();
  }

  /** Makes it what another one was; resolves with what did not come back, and with `undefined` when it ended instead. */
  restore({ parts }: SavedSession): Promise<readonly LostName[] | undefined> {
    if (!this.isAlive) return Promise.resolve(undefined);
    const restored = new Promise<readonly LostName[] | undefined>((resolve) => {
      this.#settleRestore = resolve;
    });
    // copied: it may be needed again
    this.#send({ type: 'session-restore', parts }, []);
    return this.#options.host.watch(restored);
  }

  /** Resolves always. The caller runs one thing at a time. */
  run(prepared: PreparedRun, watcher: RunWatcher): Promise<RunEnd> {
    const { grant: _kept, ...start } = prepared;
    if (!this.isAlive)
      return Promise.resolve({ type: 'dead', cause: 'died', message: 'it had ended before' });
    const run = ++this.#runs;
    this.#messagesLeft = mostMessages(prepared);
    const end = new Promise<RunEnd>((resolve) => {
      this.#current = { run, watcher, resolve };
      this.#send({ type: 'run-start', run, ...start, saving: this.#saving }, [
        start.request.buffer,
        ...start.buffers,
      ]);
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
    if (!this.isAlive || this.#current?.run !== run) return;
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
    if (--this.#messagesLeft < 0) return this.#end('protocol', 'the interpreter sent messages without end');
    const message = parseGuestMessage(data);
    if (!message) return this.#end('protocol', 'the interpreter sent something that is no message');
    this.#heardMs = this.#options.clock.monotonic();
    switch (message.type) {
      case 'sandbox-ready':
        return this.#settle?.resolve();
      case 'sandbox-fail':
        return this.#bootFail(message.message);
      case 'sandbox-die':
        return this.#end(message.reason ?? 'died', message.message);
      case 'session-save':
        return this.#keep(message);
      case 'session-saving':
        return this.#beginSave(message.run);
      case 'session-unsaved':
        return this.#endSave(message.run);
      case 'session-restored':
        return this.#settleRestore?.(message.lost);
      case 'output-write':
      case 'output-exceed':
      case 'display-write':
      case 'tool-call':
      case 'run-end':
        return this.#receiveOfRun(message);
    }
  }

  /** One that came too late for its run is of use no more. */
  #keep(message: SessionSave): void {
    if (!this.#saving || message.run !== this.#completedRuns) return;
    const { sizeBytes, packageBytes } = this.#saving;
    const saved = takeSave(message, this.#saved, sizeBytes + packageBytes);
    if (!saved)
      return this.#end('protocol', 'what was put aside of a session is more than may be, or incomplete');
    this.#saved = saved;
    this.#endSave(message.run);
  }

  #beginSave(run: number): void {
    if (!this.#saving || this.#busy || run !== this.#completedRuns) return;
    let end = (): void => undefined;
    const done = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#busy = { done, end };
  }

  #endSave(run: number): void {
    if (run !== this.#completedRuns) return;
    this.#busy?.end();
    this.#busy = undefined;
  }

  /** Messages of another run than the current one are left-overs, or forged. */
  #receiveOfRun(message: OfRun): void {
    const current = this.#current;
    if (!current || message.run !== current.run) return;
    switch (message.type) {
      case 'output-write':
        return current.watcher.output(message.stream, message.text);
      case 'output-exceed':
        return current.watcher.exceed(message.bound);
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
      if (!end.isStateLost) {
        this.#completedRuns = current.run;
        if (end.isStateSame) this.#saved &&= { ...this.#saved, run: current.run, missedRuns: 0 };
        else this.#beginSave(current.run);
      }
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
    if (!this.isAlive) return;
    this.#endCause = cause;
    const { host, hub } = this.#options;
    host.close(this.id);
    this.#port.close();
    hub.emit({ type: 'sandbox-kill', sandbox: this.id, cause });
    const code = cause === 'frame-lost' ? 'executor/frame-lost' : 'executor/boot-failed';
    this.#settle?.reject(new CodedError(code, message, { isRetryable: true }));
    this.#current?.resolve({ type: 'dead', cause, message });
    this.#settleRestore?.(undefined);
    this.#busy?.end();
    this.#current = undefined;
  }
}
