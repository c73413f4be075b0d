/** The worker's end of the sandbox port: one run at a time goes into the engine, its result comes back as text. */
import { messageOf } from '../../base/index.ts';
import { systemClock } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { GuestBoot, GuestCommand, GuestMessage, OutputBound, RunStart } from '../sandbox/protocol.ts';
import type { Engine, GuestOutput } from './engine.ts';
import { beginRun } from './interrupt-flag.ts';
import { SessionSaver } from './session-saver.ts';
import { ToolPort } from './tool-port.ts';

export type Send = (message: GuestMessage, transfer?: readonly ArrayBuffer[]) => void;

/** As many buffers as the page reads in one result. */
const maxBuffers = 100_000;
/** Messages and tracebacks come on top of the values; the page leaves the same room. */
const messageLength = 100_000;
const tooLarge = JSON.stringify({ type: 'exceeded', limit: 'result' });

/**
 * So many writes of a run leave at once; after them text is gathered for this long, or up to this length, or until its lines are this part of those
 * that have left. The last costs few messages however much is printed, as each is longer, and needs no clock: a burst before a long
 * computation leaves but for its end.
 */
const freeWrites = 64;
const batchMs = 16;
const batchLength = 4096;
const linesPart = 32;

/** A longer text leaves at once anyway. */
function countLines(text: string): number {
  if (text.length >= batchLength) return 0;
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

/** A longer text crosses to another process by way of memory of its own, which takes longer than several short ones. */
const pieceLength = 60_000;

/** Where a piece ends that begins there: between two characters. */
function endOfPiece(text: string, begin: number): number {
  const end = begin + pieceLength;
  if (end >= text.length) return text.length;
  const isPair = (text.codePointAt(end - 1) as number) > 0xff_ff;
  return isPair ? end - 1 : end;
}

/** The result of a run that was asked to stop before it began. */
function interrupted(type: string): string {
  return JSON.stringify({
    type: 'threw',
    error: { type, message: '', traceback: `${type}\n`, line: null },
  });
}

/** Memory that is shared with the frame, where it is isolated. */
export type SharedMemory = Partial<Pick<GuestBoot, 'interrupt' | 'mailbox'>>;

/** The budgets of a run are kept here once more: a guest can reach what the engine was given, and leave the engine's own out. */
export class GuestRunner implements GuestOutput {
  readonly tools: ToolPort;
  readonly #send: Send;
  readonly #interrupt: SharedArrayBuffer | undefined;
  readonly #clock: Clock;
  readonly #saver: SessionSaver;
  readonly #pending = { stdout: '', stderr: '' };
  #writes = 0;
  #writtenMs = 0;
  #heldLines = 0;
  #sentLines = 0;
  /** While somebody will look at what is held. */
  #cancelWatch: (() => void) | undefined;
  #engine: Engine | undefined;
  #run: number | undefined;
  #hasExceeded = false;
  #isStateLost = false;
  #rawLeft = 0;
  #textLeft = 0;
  #displayLeft = 0;
  #displaysLeft = 0;
  #bytesLeft = 0;
  #buffers: ArrayBuffer[] = [];
  #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  constructor(send: Send, { interrupt, mailbox }: SharedMemory, clock: Clock = systemClock) {
    this.#send = send;
    this.#clock = clock;
    this.#interrupt = interrupt;
    const sendCall: Send = (message, transfer) => {
      // what was printed before is seen before
      this.#write();
      send(message, transfer);
    };
    this.tools = new ToolPort(sendCall, interrupt, mailbox);
    this.#saver = new SessionSaver({ send, clock, die: (error) => this.die(error) });
  }

  install(engine: Engine): void {
    this.#engine = engine;
  }

  async receive(command: GuestCommand): Promise<void> {
    switch (command.type) {
      case 'run-start':
        return this.#serve(command);
      case 'run-stop':
        // one for an earlier run comes too late
        if (command.run !== this.#run) return;
        this.tools.stop();
        return this.#engine?.stop?.();
      case 'tool-answer':
        return this.tools.receive(command.call, command.answer);
      case 'guest-renew':
        return this.#renew();
      case 'session-restore':
        return this.#saver.restore(this.#engine as Engine, command.parts);
    }
  }

  #renew(): void {
    try {
      this.#engine?.renew?.();
    } catch (error) {
      this.die(error);
    }
  }

  async #serve(message: RunStart): Promise<void> {
    const { run, request, buffers, timeoutMs } = message;
    const engine = this.#engine as Engine;
    this.#saver.cancel();
    const isInterrupted = this.#interrupt !== undefined && beginRun(this.#interrupt, run);
    this.#begin(message);
    try {
      const views = buffers.map((buffer) => new Uint8Array(buffer));
      const answer = isInterrupted
        ? interrupted(engine.interruptName)
        : engine.run({ request, buffers: views, timeoutMs, hasTools: message.hasTools });
      const result = typeof answer === 'string' ? answer : await answer;
      // what is left of a lost state is nothing: what was put aside before stays
      const saving = this.#isStateLost ? null : message.saving;
      const isStateSame = saving !== null && (engine.isSame?.() ?? false);
      this.#end(run, result, isStateSame);
      if (saving && !isStateSame) this.#saver.save(engine, run, saving);
    } catch (error) {
      this.die(error);
    }
  }

  writeRaw(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    if (this.#run === undefined || this.#hasExceeded) return;
    const text = this.#decoder.decode(bytes.subarray(0, Math.max(0, this.#rawLeft)));
    this.#rawLeft -= bytes.length;
    this.emit(stream, text);
    if (this.#rawLeft < 0) this.exceed('outputBytes');
  }

  die(error: unknown, reason?: 'stack'): void {
    this.#write();
    this.#unwatch();
    this.#run = undefined;
    this.tools.end();
    const message = messageOf(error).slice(0, 1000);
    this.#send({ type: 'sandbox-die', message, ...(reason ? { reason } : {}) });
  }

  loseState(): void {
    this.#isStateLost = true;
  }

  emit(stream: 'stdout' | 'stderr', text: unknown): void {
    if (this.#run === undefined || this.#hasExceeded || typeof text !== 'string') return;
    // a text has at least as many bytes as characters
    const kept = text.slice(0, this.#textLeft);
    this.#textLeft -= kept.length;
    this.#pending[stream] += kept;
    this.#heldLines += countLines(kept);
    if (this.#isDue(stream)) this.#write();
    else this.watch();
    if (kept.length < text.length) this.exceed('outputBytes');
  }

  #isDue(stream: 'stdout' | 'stderr'): boolean {
    return (
      this.#writes < freeWrites ||
      this.#pending[stream].length >= batchLength ||
      (this.#heldLines > 0 && this.#heldLines * linesPart >= this.#sentLines) ||
      this.#clock.monotonic() - this.#writtenMs >= batchMs
    );
  }

  /** A timer runs when the guest waits: what it printed before leaves then. */
  watch(): void {
    if (this.#run === undefined || this.#hasExceeded || this.#cancelWatch) return;
    this.#cancelWatch = this.#clock.after(batchMs, () => {
      this.#engine?.flush?.();
      this.#unwatch();
      this.#write();
    });
  }

  #unwatch(): void {
    this.#cancelWatch?.();
    this.#cancelWatch = undefined;
  }

  emitBytes(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    for (let begin = 0; begin < bytes.length && !this.#hasExceeded; begin += pieceLength) {
      const end = begin + pieceLength;
      this.emit(stream, decoder.decode(bytes.subarray(begin, end), { stream: end < bytes.length }));
    }
  }

  display(bundle: unknown): boolean {
    if (this.#run === undefined || typeof bundle !== 'string') return true;
    if (this.#hasExceeded) return false;
    this.#displayLeft -= bundle.length;
    if (this.#displayLeft < 0 || this.#displaysLeft-- <= 0) {
      this.exceed(this.#displayLeft < 0 ? 'displayBytes' : 'displays');
      return false;
    }
    this.#write();
    this.#send({ type: 'display-write', run: this.#run, bundle });
    return true;
  }

  exceed(bound: OutputBound): void {
    if (this.#run === undefined || this.#hasExceeded) return;
    this.#hasExceeded = true;
    this.#write();
    this.#send({ type: 'output-exceed', run: this.#run, bound });
  }

  keep(bytes: Uint8Array): number {
    if (this.#run === undefined || this.#hasExceeded) throw new Error('nothing more can be kept');
    this.#bytesLeft -= bytes.byteLength;
    if (this.#bytesLeft >= 0 && this.#buffers.length < maxBuffers) {
      return this.#buffers.push(new Uint8Array(bytes).buffer) - 1;
    }
    this.#buffers = [];
    this.exceed('resultBytes');
    throw new Error('too much was kept');
  }

  #begin(start: RunStart): void {
    const { run, outputBytes, resultBytes, displays, displayBytes } = start;
    this.#run = run;
    this.tools.begin(start);
    this.#displaysLeft = displays;
    this.#displayLeft = displayBytes;
    this.#hasExceeded = false;
    this.#isStateLost = false;
    this.#rawLeft = outputBytes;
    this.#textLeft = outputBytes;
    this.#bytesLeft = resultBytes;
    this.#buffers = [];
    this.#pending.stdout = this.#pending.stderr = '';
    this.#writes = this.#heldLines = this.#sentLines = 0;
  }

  #end(run: number, result: unknown, isStateSame: boolean): void {
    if (this.#run === undefined) return;
    this.#write();
    this.#unwatch();
    this.#run = undefined;
    this.tools.end();
    const isStateLost = this.#isStateLost;
    const buffers = this.#buffers.splice(0);
    // no text at all is malformed to the page
    const text = typeof result === 'string' ? result : '';
    const isTooLarge = text.length > Math.max(0, this.#bytesLeft) + messageLength;
    const state = { isStateLost, ...(isStateSame ? ({ isStateSame } as const) : {}) };
    if (isTooLarge) this.#send({ type: 'run-end', run, result: tooLarge, buffers: [], ...state });
    else this.#send({ type: 'run-end', run, result: text, buffers, ...state }, buffers);
  }

  /** Sends what was gathered: a guest that flushes every character must not flood the page with messages. */
  #write(): void {
    if (this.#run === undefined) return;
    this.#sentLines += this.#heldLines;
    this.#heldLines = 0;
    for (const stream of ['stdout', 'stderr'] as const) {
      const text = this.#pending[stream];
      this.#pending[stream] = '';
      for (let begin = 0, end = 0; begin < text.length; begin = end) {
        end = endOfPiece(text, begin);
        this.#sendOutput(stream, text.slice(begin, end));
      }
    }
  }

  #sendOutput(stream: 'stdout' | 'stderr', text: string): void {
    this.#writes += 1;
    this.#writtenMs = this.#clock.monotonic();
    this.#send({ type: 'output-write', run: this.#run as number, stream, text });
  }
}
