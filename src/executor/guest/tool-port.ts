/** The worker's end of tool calls: sends them, and waits for answers with its thread or with a promise. */
import { maxToolNameLength } from '../sandbox/protocol.ts';
import type { GuestMessage, RunStart } from '../sandbox/protocol.ts';
import { unpackAnswer } from '../sandbox/tool-answer.ts';
import type { ToolAnswer } from '../sandbox/tool-answer.ts';
import { isInterrupted } from './interrupt-flag.ts';
import { collect } from './mailbox.ts';

/** What a guest asks for. */
export interface GuestToolCall {
  readonly name: string;
  /** `[positional, [name, value][]]` as JSON, written as `value-codec.ts` says. */
  readonly arguments: string;
  readonly buffers: readonly ArrayBuffer[];
  /** The line of the guest's code that calls, where it is known. */
  readonly line: number | null;
}

/** Tools, as an engine uses them. Nothing is sent outside a run, nor more than a run may send. */
export interface GuestTools {
  /** Whether a call can wait with the thread: memory is shared. */
  readonly canBlock: boolean;
  /** Waits with the thread; `undefined` when the run was asked to stop meanwhile. Throws where `canBlock` is false. */
  call(call: GuestToolCall): ToolAnswer | undefined;
  /** The same as a promise. */
  start(call: GuestToolCall): Promise<ToolAnswer | undefined>;
}

type Send = (message: GuestMessage, transfer?: readonly ArrayBuffer[]) => void;
type Resolve = (answer: ToolAnswer | undefined) => void;

export class ToolPort implements GuestTools {
  readonly #send: Send;
  readonly #interrupt: SharedArrayBuffer | undefined;
  readonly #mailbox: SharedArrayBuffer | undefined;
  readonly #waiting = new Map<number, Resolve>();
  #run: number | undefined;
  #callsLeft = 0;
  #argumentBytes = 0;
  /** Counted over the worker's life: an answer of an earlier run is no later call's. */
  #calls = 0;

  constructor(send: Send, interrupt: SharedArrayBuffer | undefined, mailbox: SharedArrayBuffer | undefined) {
    this.#send = send;
    this.#interrupt = interrupt;
    this.#mailbox = mailbox;
  }

  get canBlock(): boolean {
    return this.#mailbox !== undefined;
  }

  begin({ run, toolCalls, toolArgumentBytes }: RunStart): void {
    this.#run = run;
    // one more than allowed: it tells the page that the guest wanted more
    this.#callsLeft = toolCalls + 1;
    this.#argumentBytes = toolArgumentBytes;
  }

  /** The run is over, or was asked to stop: nobody waits any longer. */
  stop(): void {
    for (const resolve of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
  }

  end(): void {
    this.#run = undefined;
    this.stop();
  }

  receive(call: number, answer: Uint8Array<ArrayBuffer>): void {
    this.#waiting.get(call)?.(unpackAnswer(answer));
    this.#waiting.delete(call);
  }

  call(request: GuestToolCall): ToolAnswer | undefined {
    if (!this.#mailbox) throw new Error('no memory is shared');
    const call = this.#post(request, true);
    const isStopped = (): boolean => this.#interrupt !== undefined && isInterrupted(this.#interrupt);
    const answer = call === undefined ? undefined : collect(this.#mailbox, call, isStopped);
    return answer && unpackAnswer(answer);
  }

  start(request: GuestToolCall): Promise<ToolAnswer | undefined> {
    const call = this.#post(request, false);
    if (call === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#waiting.set(call, resolve));
  }

  #post({ name, arguments: json, buffers, line }: GuestToolCall, isBlocking: boolean): number | undefined {
    if (this.#run === undefined || this.#callsLeft <= 0) return undefined;
    const isSound = typeof name === 'string' && name.length <= maxToolNameLength && typeof json === 'string';
    const sizeBytes = isSound ? buffers.reduce((sum, buffer) => sum + buffer.byteLength, json.length) : 0;
    if (!isSound || sizeBytes > this.#argumentBytes) throw new Error('the arguments are too large');
    this.#callsLeft -= 1;
    const call = ++this.#calls;
    this.#send(
      { type: 'tool-call', run: this.#run, call, name, arguments: json, buffers, line, isBlocking },
      buffers,
    );
    return call;
  }
}
