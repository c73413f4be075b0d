/** The worker's end of the sandbox port: one run at a time goes into the harness, its result comes back as text. */
import type { PyodideAPI } from 'pyodide';
import { messageOf } from '../../base/index.ts';
import type { GuestMessage, RunStart } from '../protocol.ts';

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

/** What the harness says when it was itself interrupted between the guest's code and the answer. */
function harnessError(error: PythonError): string {
  const detail = { type: error.type, message: '', traceback: `${error.type}\n`, line: null };
  return JSON.stringify(
    error.type === 'MemoryError' ? { type: 'exceeded', limit: 'memory' } : { type: 'threw', error: detail },
  );
}

export class GuestRunner {
  readonly #send: Send;
  readonly #flag: Int32Array | undefined;
  #start: Start | undefined;
  #run: number | undefined;
  #hasExceeded = false;
  #rawLeft = 0;
  #buffers: ArrayBuffer[] = [];
  #decoder = new TextDecoder();

  constructor(send: Send, interrupt: SharedArrayBuffer | undefined) {
    this.#send = send;
    this.#flag = interrupt && new Int32Array(interrupt);
  }

  /** Runs the harness's own code, which defines `start`. */
  install(python: PyodideAPI, source: string): void {
    const scope = python.toPy({
      emit: (stream: number, text: string) => this.#emit(stream === 0 ? 'stdout' : 'stderr', text),
      exceed: () => this.#exceed(),
      keep: (value: { getBuffer(type: 'u8'): { data: Uint8Array; release(): void } }) => this.#keep(value),
    }) as { get(name: 'start'): Start };
    python.runPython(source, { globals: scope as never, filename: 'harness.py' });
    this.#start = scope.get('start');
  }

  async serve(message: RunStart): Promise<void> {
    const { run, request, buffers } = message;
    if (this.#flag) Atomics.store(this.#flag, 0, 0);
    this.#run = run;
    this.#hasExceeded = false;
    this.#rawLeft = message.outputBytes;
    this.#buffers = [];
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
    this.#run = undefined;
    this.#send({ type: 'sandbox-die', message: messageOf(error).slice(0, 1000) });
  }

  #end(run: number, result: string): void {
    if (this.#run === undefined) return;
    this.#run = undefined;
    const buffers = this.#buffers.splice(0);
    this.#send({ type: 'run-end', run, result, buffers }, buffers);
  }

  #emit(stream: 'stdout' | 'stderr', text: string): void {
    if (this.#run !== undefined && text) this.#send({ type: 'output-write', run: this.#run, stream, text });
  }

  #exceed(): void {
    if (this.#run === undefined || this.#hasExceeded) return;
    this.#hasExceeded = true;
    this.#send({ type: 'output-exceed', run: this.#run });
  }

  #keep(value: { getBuffer(type: 'u8'): { data: Uint8Array; release(): void } }): number {
    const view = value.getBuffer('u8');
    try {
      return this.#buffers.push(view.data.slice().buffer as ArrayBuffer) - 1;
    } finally {
      view.release();
    }
  }
}
