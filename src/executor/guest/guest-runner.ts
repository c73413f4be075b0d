/** The worker's end of the sandbox port: one run at a time goes into the harness, its result comes back as text. */
import type { PyodideAPI } from 'pyodide';
import { messageOf } from '../../base/index.ts';
import { systemClock } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { GuestMessage, RunStart } from '../sandbox/protocol.ts';
import { beginRun } from './interrupt-flag.ts';

type Answer = string | PromiseLike<string>;
type Start = (request: Uint8Array, buffers: readonly Uint8Array[]) => Answer;
export type Send = (message: GuestMessage, transfer?: readonly ArrayBuffer[]) => void;

/** What a Python exception looks like from JavaScript. */
interface PythonError {
  readonly name: 'PythonError';
  readonly type: string;
}

const isPythonError = (error: unknown): error is PythonError =>
  error instanceof Error && error.name === 'PythonError';

/** A Python buffer, as a proxy. */
interface PythonBuffer {
  getBuffer(type: 'u8'): { data: Uint8Array; release(): void };
}

/** As many buffers as the page reads in one result. */
const maxBuffers = 100_000;
/** Messages and tracebacks come on top of the values; the page leaves the same room. */
const messageLength = 100_000;
const tooLarge = JSON.stringify({ type: 'exceeded', limit: 'result' });

/** So many writes of a run leave at once; after them text is gathered for this long, or up to this length. */
const freeWrites = 64;
const batchMs = 16;
const batchLength = 4096;

/** What the harness says when it was itself interrupted before the guest's code, or between it and the answer. */
function harnessError(error: Pick<PythonError, 'type'>): string {
  const detail = { type: error.type, message: '', traceback: `${error.type}\n`, line: null };
  return JSON.stringify(
    error.type === 'MemoryError' ? { type: 'exceeded', limit: 'memory' } : { type: 'threw', error: detail },
  );
}

/** The budgets of a run are kept here once more: a guest can reach what the harness was given, and leave the harness's own out. */
export class GuestRunner {
  readonly #send: Send;
  readonly #interrupt: SharedArrayBuffer | undefined;
  readonly #clock: Clock;
  readonly #pending = { stdout: '', stderr: '' };
  #writes = 0;
  #writtenMs = 0;
  #start: Start | undefined;
  #run: number | undefined;
  #hasExceeded = false;
  #rawLeft = 0;
  #textLeft = 0;
  #bytesLeft = 0;
  #buffers: ArrayBuffer[] = [];
  #decoder = new TextDecoder();

  constructor(send: Send, interrupt: SharedArrayBuffer | undefined, clock: Clock = systemClock) {
    this.#send = send;
    this.#clock = clock;
    this.#interrupt = interrupt;
  }

  /** Runs the harness's own code, which defines `start`. */
  install(python: PyodideAPI, source: string): void {
    const scope = python.toPy({
      emit: (stream: number, text: unknown) => this.#emit(stream === 0 ? 'stdout' : 'stderr', text),
      exceed: () => this.#exceed(),
      keep: (value: PythonBuffer) => this.#keep(value),
    }) as { get(name: 'start'): Start };
    python.runPython(source, { globals: scope as never, filename: 'harness.py' });
    this.#start = scope.get('start');
  }

  async serve(message: RunStart): Promise<void> {
    const { run, request, buffers } = message;
    const isInterrupted = this.#interrupt !== undefined && beginRun(this.#interrupt, run);
    this.#run = run;
    this.#hasExceeded = false;
    this.#rawLeft = message.outputBytes;
    this.#textLeft = message.outputBytes;
    this.#bytesLeft = message.resultBytes;
    this.#buffers = [];
    this.#pending.stdout = this.#pending.stderr = '';
    this.#writes = 0;
    if (isInterrupted) return this.#end(run, harnessError({ type: 'KeyboardInterrupt' }));
    try {
      const answer = (this.#start as Start)(
        request,
        buffers.map((buffer) => new Uint8Array(buffer)),
      );
      this.#end(run, typeof answer === 'string' ? answer : await answer);
    } catch (error) {
      if (isPythonError(error)) this.#end(run, harnessError(error));
      else this.die(error);
    }
  }

  /** Text that did not pass Python's streams. */
  writeRaw(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    if (this.#run === undefined || this.#hasExceeded) return;
    const text = this.#decoder.decode(bytes.subarray(0, Math.max(0, this.#rawLeft)));
    this.#rawLeft -= bytes.length;
    this.#emit(stream, text);
    if (this.#rawLeft < 0) this.#exceed();
  }

  /** Nothing more can run here. */
  die(error: unknown): void {
    this.#write();
    this.#run = undefined;
    this.#send({ type: 'sandbox-die', message: messageOf(error).slice(0, 1000) });
  }

  #end(run: number, result: unknown): void {
    if (this.#run === undefined) return;
    this.#write();
    this.#run = undefined;
    const buffers = this.#buffers.splice(0);
    // no text at all is malformed to the page
    const text = typeof result === 'string' ? result : '';
    const isTooLarge = text.length > Math.max(0, this.#bytesLeft) + messageLength;
    if (isTooLarge) this.#send({ type: 'run-end', run, result: tooLarge, buffers: [] });
    else this.#send({ type: 'run-end', run, result: text, buffers }, buffers);
  }

  #emit(stream: 'stdout' | 'stderr', text: unknown): void {
    if (this.#run === undefined || this.#hasExceeded || typeof text !== 'string') return;
    // a text has at least as many bytes as characters
    const kept = text.slice(0, this.#textLeft);
    this.#textLeft -= kept.length;
    this.#pending[stream] += kept;
    const isDue =
      this.#writes < freeWrites ||
      this.#pending[stream].length >= batchLength ||
      this.#clock.monotonic() - this.#writtenMs >= batchMs;
    if (isDue) this.#write();
    if (kept.length < text.length) this.#exceed();
  }

  /** Sends what was gathered: a guest that flushes every character must not flood the page with messages. */
  #write(): void {
    if (this.#run === undefined) return;
    for (const stream of ['stdout', 'stderr'] as const) {
      const text = this.#pending[stream];
      if (!text) continue;
      this.#pending[stream] = '';
      this.#writes += 1;
      this.#writtenMs = this.#clock.monotonic();
      this.#send({ type: 'output-write', run: this.#run, stream, text });
    }
  }

  #exceed(): void {
    if (this.#run === undefined || this.#hasExceeded) return;
    this.#hasExceeded = true;
    this.#write();
    this.#send({ type: 'output-exceed', run: this.#run });
  }

  #keep(value: PythonBuffer): number {
    if (this.#run === undefined || this.#hasExceeded) throw new Error('nothing more can be kept');
    const view = value.getBuffer('u8');
    try {
      const bytes = new Uint8Array(view.data);
      this.#bytesLeft -= bytes.byteLength;
      if (this.#bytesLeft >= 0 && this.#buffers.length < maxBuffers)
        return this.#buffers.push(bytes.buffer) - 1;
    } finally {
      view.release();
    }
    this.#buffers = [];
    this.#exceed();
    throw new Error('too much was kept');
  }
}
