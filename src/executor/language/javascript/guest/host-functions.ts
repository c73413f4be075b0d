/** What the harness can ask of the worker. Lives as long as one interpreter; between runs it hears nothing. */
import type { Clock } from '../../../../platform/index.ts';
import type { GuestOutput } from '../../../guest/engine.ts';
import { tableBundle } from '../../../guest/table-bundle.ts';
import type { TableRow } from '../../../guest/table-bundle.ts';
import type { GuestToolCall } from '../../../guest/tool-port.ts';
import type { ToolAnswer } from '../../../sandbox/tool-answer.ts';
import type { Ending } from './engine.ts';
import type { HarnessBytes, HarnessHost } from './in-guest/harness-types.ts';
import { readText, writeText } from './text-encodings.ts';
import type { TextEncodingName } from './text-encodings.ts';

/** The part of a run that is told what happens. */
export interface RunListener {
  end(ending: Ending): void;
  fire(timer: number): void;
  /** The answer to a call of a tool has come. */
  answer(call: number, text: string): void;
  /** Where in the guest's code something was called. */
  lineOf(trace: string): number | null;
}

export class HostFunctions implements HarnessHost {
  readonly #output: GuestOutput;
  readonly #clock: Clock;
  readonly #timers = new Map<number, () => void>();
  readonly #decoder = new TextDecoder();
  readonly #encoder = new TextEncoder();
  #run: RunListener | undefined;
  #buffers: readonly Uint8Array[] = [];
  #outputLeft = 0;
  #held: ArrayBuffer[] = [];

  constructor(output: GuestOutput, clock: Clock) {
    this.#output = output;
    this.#clock = clock;
  }

  begin(run: RunListener, buffers: readonly Uint8Array[], outputBytes: number): void {
    this.#run = run;
    this.#buffers = buffers;
    this.#outputLeft = outputBytes;
  }

  /** Nothing that the run began goes on. */
  end(): void {
    this.#run = undefined;
    this.#buffers = [];
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  emitJson(stream: 0 | 1, json: string): void {
    this.emit(stream, JSON.parse(json) as string);
  }

  /** Counts bytes; the text that still fits is printed. */
  emit(stream: 0 | 1, text: string): void {
    const name = stream === 0 ? 'stdout' : 'stderr';
    // no character has more than three bytes for each unit of its length
    if (text.length * 3 <= this.#outputLeft && !/\p{Surrogate}/u.test(text)) {
      this.#outputLeft -= /^[\0-\x7f]*$/u.test(text) ? text.length : this.#encoder.encode(text).length;
      return this.#output.emit(name, text);
    }
    const bytes = this.#encoder.encode(text);
    if (bytes.length <= this.#outputLeft) {
      this.#outputLeft -= bytes.length;
      return this.#output.emit(name, this.#decoder.decode(bytes));
    }
    // half of a character at the end is left out
    const kept = bytes.subarray(0, Math.max(0, this.#outputLeft));
    this.#outputLeft = -1;
    this.#output.emit(name, new TextDecoder().decode(kept, { stream: true }));
    this.#output.exceed('outputBytes');
    this.#run?.end({ type: 'output' });
  }

  keep(bytes: HarnessBytes): number {
    return this.#output.keep(new Uint8Array(bytes));
  }

  submit(result: string): void {
    this.#run?.end({ type: 'submitted', result });
  }

  takeBytes(index: number): ArrayBuffer {
    return new Uint8Array(this.#buffers[index] ?? []).buffer;
  }

  takeText(index: number): string {
    return JSON.stringify(this.#decoder.decode(this.#buffers[index]));
  }

  startTimer(timer: number, delayMs: number): void {
    if (!this.#run) return;
    const cancel = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer);
      this.#run?.fire(timer);
    });
    this.#timers.set(timer, cancel);
  }

  stopTimer(timer: number): void {
    this.#timers.get(timer)?.();
    this.#timers.delete(timer);
  }

  hold(bytes: HarnessBytes): void {
    this.#held.push(new Uint8Array(bytes).buffer);
  }

  startTool(call: number, name: string, text: string, trace: string): void {
    const run = this.#run;
    const request = this.#request(name, text, trace);
    if (!run) return;
    const receive = (answer: ToolAnswer | undefined): void => {
      // nobody waits any longer: the run is over, or was asked to stop
      if (answer && this.#run === run) run.answer(call, this.#read(answer));
    };
    void this.#output.tools.start(request).then(receive);
  }

  callTool(name: string, text: string, trace: string): string {
    const request = this.#request(name, text, trace);
    const { tools } = this.#output;
    if (!tools.canBlock) {
      const message = `"${name}" cannot be waited for here: use await ${name}(…)`;
      return JSON.stringify({ code: 'executor/tool-wait-unavailable', message });
    }
    const answer = this.#run && tools.call(request);
    if (answer) return this.#read(answer);
    this.#run?.end({ type: 'stopped' });
    return '';
  }

  #request(name: string, text: string, trace: string): GuestToolCall {
    const line = this.#run?.lineOf(trace) ?? null;
    return { name, arguments: text, buffers: this.#held.splice(0), line };
  }

  /** The answer's bytes are taken while its text is read. */
  #read({ text, buffers }: ToolAnswer): string {
    this.#buffers = buffers;
    return this.#decoder.decode(text);
  }

  show(bundle: string): void {
    if (!this.#output.display(bundle)) this.#run?.end({ type: 'output' });
  }

  showTable(rows: string, plain: string): void {
    this.show(JSON.stringify(tableBundle(JSON.parse(rows) as readonly TableRow[], { plain })));
  }

  encodeText(json: string, encoding: string): ArrayBuffer {
    return writeText(JSON.parse(json) as string, encoding as TextEncodingName).buffer;
  }

  decodeText(bytes: HarnessBytes, encoding: string, isFatal: number, keepsMark: number): string {
    const manners = { fatal: isFatal === 1, ignoreBOM: keepsMark === 1 };
    // the harness names no other
    const read = readText(new Uint8Array(bytes), encoding as TextEncodingName, manners);
    return read === undefined ? '' : JSON.stringify(read);
  }
}
